// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals that come while a call is blocked.
 *
 * A handler that was installed without SA_RESTART ends a call that is blocked.
 * While the thread of the call sleeps, the host says that a handler has run. It
 * does not say so while the thread drives the kernel for others, or spins, or
 * is about to sleep.  Hence the signals that have handlers are blocked from
 * when the call may be seen to be blocked.  The thread then sleeps in
 * sigtimedwait(), which waits for those signals and for a signal of the
 * library's own, which stands for a wake-up.  A signal that it gets it sends to
 * itself again, and unblocks it, so that the handler runs.
 *
 * The own signal is sent to a thread only while that waits for it, and once per
 * sleep.
 *
 * Which handlers there are costs some microseconds to find out.  So that is
 * done once per tick of the host's coarse clock.  If there are none that end a
 * call, there is nothing to do.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include <lkl/asm/host_ops.h>
#include <lkl_host.h>

#include "calls.h"
#include "posix.h"

#define WAKE calls_own_signal()

#define FAULTS (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS))

/* Those that tell of faults, which end no call, and what is not the program's.
 */
#define OTHERS                                                                 \
	(FAULTS | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGFPE) |                    \
	 SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGSYS) | calls_reserved() |         \
	 SIGNAL_BIT(WAKE))

/* What is known of the handlers, and since when. */
static unsigned long known_ending, known_restarting, known_at;

void posix_handlers(unsigned long *ending, unsigned long *restarting)
{
	*ending = *restarting = 0;
	for (int sig = 1; sig <= N_SIGNALS; sig++) {
		bool ends;

		if (!(SIGNAL_BIT(sig) & OTHERS) && calls_handler(sig, &ends))
			*(ends ? ending : restarting) |= SIGNAL_BIT(sig);
	}
}

static void learn(unsigned long at)
{
	unsigned long ending, restarting;

	posix_handlers(&ending, &restarting);
	__atomic_store_n(&known_ending, ending, __ATOMIC_RELAXED);
	__atomic_store_n(&known_restarting, restarting, __ATOMIC_RELAXED);
	__atomic_store_n(&known_at, at, __ATOMIC_RELEASE);
}

unsigned long posix_block_handlers(void)
{
	return calls_mask(SIG_BLOCK, ~OTHERS);
}

void posix_admit_handlers(unsigned long mask)
{
	calls_mask(SIG_SETMASK, mask);
}

/* A filter of the program's may deny what is needed. */
static bool can_take(void)
{
	static const struct timespec now;
	static int can;

	if (!can)
		can = calls_take(0, NULL, &now) == -EAGAIN ? 1 : -1;
	return can > 0;
}

/* Block what is known to have handlers; returns whether one may end the call.
 */
static bool hold(struct lkl_signals *s)
{
	unsigned long ending = __atomic_load_n(&known_ending, __ATOMIC_RELAXED);
	unsigned long set =
		ending | SIGNAL_BIT(WAKE) |
		__atomic_load_n(&known_restarting, __ATOMIC_RELAXED);
	unsigned long now = calls_mask(SIG_BLOCK, set);

	/* Most of it is held already, unless this is the first time. */
	s->before = now & ~s->held;
	s->held |= set & ~s->before;
	return ending & s->held;
}

int posix_hold_signals(struct lkl_signals *s)
{
	unsigned long now = calls_coarse_time();

	if (now != __atomic_load_n(&known_at, __ATOMIC_ACQUIRE))
		learn(now);
	if (!__atomic_load_n(&known_ending, __ATOMIC_RELAXED) || !can_take())
		return 0;
	s->held = 0;
	s->rung = 0;
	s->woken = 0;
	if (!hold(s)) {
		posix_release_signals(s);
		return 0;
	}
	s->tid = calls_thread();
	if (s->before & FAULTS)
		host_admit_faults();
	return 1;
}

unsigned long posix_held_mask(const struct lkl_signals *s)
{
	return s->before & ~FAULTS;
}

void posix_release_signals(struct lkl_signals *s)
{
	calls_mask(SIG_SETMASK, posix_held_mask(s));
}

/*
 * The host has given us a signal; returns whether it ends the call.
 *
 * Its handler runs while the others are held back: once it has, another one
 * would come unnoticed.
 */
static bool handle(struct lkl_signals *s, int sig, siginfo_t *info)
{
	unsigned long set = SIGNAL_BIT(sig);
	bool ends;

	calls_handler(sig, &ends);
	calls_send(s->tid, sig, info);
	calls_mask(SIG_UNBLOCK, set);
	s->held &= ~set;
	hold(s);
	return ends;
}

/* A handler has run of which nothing was known: does one end calls? */
static bool handle_new(struct lkl_signals *s)
{
	unsigned long seen = s->held | s->before;

	learn(0);
	hold(s);
	return __atomic_load_n(&known_ending, __ATOMIC_RELAXED) & ~seen;
}

int posix_wait_held(struct lkl_signals *s, unsigned long long deadline)
{
	for (;;) {
		struct timespec time = { 0 };
		siginfo_t info;
		long sig;

		if (deadline > 1) {
			unsigned long long now = posix_time();

			now = deadline > now ? deadline - now : 0;
			time.tv_sec = now / 1000000000;
			time.tv_nsec = now % 1000000000;
		}
		sig = calls_take(s->held | SIGNAL_BIT(WAKE), &info,
				 deadline ? &time : NULL);
		if (sig == -EINTR) {
			if (handle_new(s))
				return -EINTR;
		} else if (sig < 0) {
			return 0;
		} else if (sig != WAKE) {
			if (handle(s, sig, &info))
				return -EINTR;
		} else if (__atomic_load_n(&s->rung, __ATOMIC_ACQUIRE)) {
			s->woken = 1;
			return 0;
		}
	}
}

void posix_wake_held(struct lkl_signals *s)
{
	int tid = s->tid;

	/* From then on the thread awaits the signal, and no more after that. */
	__atomic_store_n(&s->rung, 1, __ATOMIC_RELEASE);
	calls_send(tid, WAKE, NULL);
}

void posix_woken_held(struct lkl_signals *s)
{
	siginfo_t info;

	while (!s->woken)
		s->woken = calls_take(SIGNAL_BIT(WAKE), &info, NULL) == WAKE &&
			   __atomic_load_n(&s->rung, __ATOMIC_ACQUIRE);
	s->rung = 0;
	s->woken = 0;
}

int posix_signal(int tid, int sig, const void *info)
{
	siginfo_t all = { 0 };
	bool ends;

	calls_handler(sig, &ends);
	if (info)
		memcpy(&all, info, LKL_SIGINFO_SIZE);
	calls_send(tid, sig, info ? &all : NULL);
	return ends;
}
