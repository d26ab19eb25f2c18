// SPDX-License-Identifier: GPL-2.0-only
/* Locks of few instructions, which handlers of signals may take, too. */
#include <sched.h>
#include <signal.h>

#include "calls.h"
#include "host.h"

unsigned long posix_lock(int *lock)
{
	unsigned long mask = calls_mask(SIG_BLOCK, ~0UL);

	while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE))
		sched_yield();
	return mask;
}

void posix_unlock(int *lock, unsigned long mask)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
	calls_mask(SIG_SETMASK, mask);
}
