// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the handling of signals and faults asks of POSIX; numbers of threads are
 * in number.c, stacks in stack.c.
 */
#include <errno.h>
#include <signal.h>

#include "calls.h"
#include "posix.h"

#define TICK 4000000UL

static void to_set(sigset_t *set, unsigned long bits)
{
	sigemptyset(set);
	for (int sig = 1; sig <= N_SIGNALS; sig++)
		if (bits & SIGNAL_BIT(sig))
			sigaddset(set, sig);
}

static unsigned long from_set(const sigset_t *set)
{
	unsigned long bits = 0;

	for (int sig = 1; sig <= N_SIGNALS; sig++)
		if (sigismember(set, sig) > 0)
			bits |= SIGNAL_BIT(sig);
	return bits;
}

unsigned long calls_mask(int how, unsigned long bits)
{
	sigset_t set, old;

	to_set(&set, bits);
	pthread_sigmask(how, &set, &old);
	return from_set(&old);
}

int calls_take(unsigned long bits, siginfo_t *info, const struct timespec *time)
{
	sigset_t set;
	int sig;

	to_set(&set, bits);
	sig = time ? sigtimedwait(&set, info, time) : sigwaitinfo(&set, info);
	return sig < 0 ? -errno : sig;
}

bool calls_handler(int sig, bool *ends)
{
	struct sigaction sa;

	*ends = false;
	if (sigaction(sig, NULL, &sa) ||
	    (!(sa.sa_flags & SA_SIGINFO) &&
	     (sa.sa_handler == SIG_DFL || sa.sa_handler == SIG_IGN)))
		return false;
	*ends = !(sa.sa_flags & SA_RESTART);
	return true;
}

void calls_set_default(int sig)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };

	sigemptyset(&sa.sa_mask);
	sigaction(sig, &sa, NULL);
}

/* It does not let them be named. */
unsigned long calls_reserved(void)
{
	return 0;
}

/* The last one is the least likely to be the program's. */
int calls_own_signal(void)
{
	return SIGRTMAX < N_SIGNALS ? SIGRTMAX : N_SIGNALS;
}

unsigned long calls_coarse_time(void)
{
	return posix_time() / TICK * TICK;
}
