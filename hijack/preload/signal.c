// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program's signal handlers.
 *
 * A handler must not run in the middle of a call of the library's kernel: it
 * could make another, or leave by longjmp().  The host calls ours instead. When
 * the thread is in such a call, it sends the signal again, has all signals
 * blocked until the call has ended, and interrupts the call if it waits
 * (host_wait_syscall()).  Otherwise the program's handler runs at once.
 *
 * For the host all handlers are without SA_RESTART: a call of the library ends
 * early only if its wait does.  What the host would have restarted is made
 * again here.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include <lkl.h>

#include "../../lib/thread.h"
#include "../core.h"
#include "../user.h"
#include "preload.h"

#define N_SIGNALS 65
#define MASK_SIZE 8
#define SA_RESTORER 0x04000000

/* The host's struct sigaction. */
struct action {
	void *handler;
	unsigned long flags;
	void *restorer;
	unsigned long mask;
};

static struct action actions[N_SIGNALS];

/**
 * struct signals - what happened to a thread's call
 * @pending: a signal waits for its end, and the others are blocked
 * @mask: the program's signal mask meanwhile
 * @handled: handlers that have run
 * @no_restart: of those, some without SA_RESTART
 */
static __thread struct signals {
	unsigned long mask;
	unsigned int handled, no_restart;
} signals __attribute__((tls_model("initial-exec")));

__thread char preload_pending __attribute__((tls_model("initial-exec")));

static long host(long nr, long a, long b, long c, long d)
{
	return host_syscall(nr, a, b, c, d, 0, 0);
}

/* Later: see preload_signals_end(). */
static void postpone(int sig, siginfo_t *info, ucontext_t *uc)
{
	unsigned long *mask = (void *)&uc->uc_sigmask;
	unsigned long ip = uc->uc_mcontext.gregs[REG_RIP];

	if (!preload_pending)
		signals.mask = *mask;
	preload_pending = 1;
	*mask = ~(1UL << (SIGSEGV - 1) | 1UL << (SIGBUS - 1));
	host(SYS_rt_tgsigqueueinfo, host(SYS_getpid, 0, 0, 0, 0),
	     host(SYS_gettid, 0, 0, 0, 0), sig, (long)info);
	/* About to wait, and too late to notice by itself. */
	if (ip >= (unsigned long)preload_wait_check &&
	    ip <= (unsigned long)preload_wait_insn) {
		uc->uc_mcontext.gregs[REG_RIP] = (long)preload_wait_done;
		uc->uc_mcontext.gregs[REG_RAX] = -EINTR;
	}
}

static void on_signal(int sig, siginfo_t *info, void *uc)
{
	struct action sa = actions[sig];

	if (hijack_busy()) {
		postpone(sig, info, uc);
		return;
	}
	signals.handled++;
	if (!(sa.flags & SA_RESTART))
		signals.no_restart++;
	if (sa.flags & SA_RESETHAND)
		actions[sig].handler = SIG_DFL;
	((void (*)(int, siginfo_t *, void *))sa.handler)(sig, info, uc);
}

/**
 * preload_signals_end - a call has ended: if signals wait for that, they come
 */
void preload_signals_end(void)
{
	if (__builtin_expect(!preload_pending, 1))
		return;
	preload_pending = 0;
	host(SYS_rt_sigprocmask, SIG_SETMASK, (long)&signals.mask, 0,
	     MASK_SIZE);
}

/**
 * preload_signals_call - make a call with signals as the program expects them
 * @nr: number
 * @a: arguments
 *
 * Return: as hijack_syscall()
 */
long preload_signals_call(long nr, const long *a)
{
	unsigned int handled, no_restart;
	long ret;

	do {
		handled = signals.handled;
		no_restart = signals.no_restart;
		ret = hijack_syscall(nr, a);
		preload_signals_end();
	} while (__builtin_expect(ret == -EINTR, 0) &&
		 signals.handled != handled &&
		 signals.no_restart == no_restart &&
		 !hijack_never_restarts(nr));
	return ret;
}

/* sigaction() */
long preload_sigaction(long nr, const long *a)
{
	struct action new, old, was, ours;
	long sig = a[0], ret;

	if (sig <= 0 || sig >= N_SIGNALS || sig == SIGSEGV || sig == SIGBUS ||
	    a[3] != MASK_SIZE)
		return hijack_syscall(nr, a);
	if (a[1] && !user_get(&new, a[1], sizeof(new)))
		return -EFAULT;
	was = actions[sig];
	if (a[1] && hijack_in_vfork()) {
		/* It makes no call of the library that needs to be ended. */
		ret = host(nr, sig, (long)&new, (long)&old, MASK_SIZE);
	} else if (a[1]) {
		ours = new;
		if (new.handler != SIG_DFL &&new.handler != SIG_IGN) {
			actions[sig] = new;
			ours.handler = on_signal;
			ours.flags |= SA_SIGINFO;
			ours.flags &= ~SA_RESTART;
		}
		ret = host(nr, sig, (long)&ours, (long)&old, MASK_SIZE);
		if (!ret)
			actions[sig] = new;
	} else {
		ret = host(nr, sig, 0, (long)&old, MASK_SIZE);
	}
	if (ret || !a[2])
		return ret;
	/* Handlers from before we came are the program's libraries' own. */
	if (old.handler == (void *)on_signal)
		old = was;
	return user_put(a[2], &old, sizeof(old)) ? 0 : -EFAULT;
}
