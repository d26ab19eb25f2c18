// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether there is a kernel to make calls of.
 */
#include "internal.h"

int hijack_state;

int (*hijack_boot)(void);

void (*hijack_apart)(void);

void (*hijack_end)(void);

bool hijack_away;

/*
 * Only one thread starts or stops the library.  If the process was forked by
 * another in the middle of it, nobody will finish it here.
 */
bool hijack_change_state(int from)
{
	static long changer;
	int old = from;

	while (!__atomic_compare_exchange_n(
		&hijack_state, &old, HIJACK_CHANGING, false, __ATOMIC_ACQ_REL,
		__ATOMIC_ACQUIRE)) {
		if (old != HIJACK_CHANGING ||
		    (changer && changer != host0(SYS_getpid)))
			return false;
		old = from;
		host0(SYS_sched_yield);
	}
	changer = host0(SYS_getpid);
	hijack_this_thread.own = true;
	return true;
}

void hijack_set_state(int state)
{
	hijack_this_thread.own = false;
	__atomic_store_n(&hijack_state, state, __ATOMIC_RELEASE);
}
