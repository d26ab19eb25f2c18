// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the handling of signals and faults asks of Linux.  There is no errno on
 * a thread of a program that owns the FS register, so these are system calls.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include <lkl/asm/host_ops.h>

#include "../posix/calls.h"
#include "linux.h"

unsigned long calls_mask(int how, unsigned long set)
{
	unsigned long old = 0;

	raw_syscall(SYS_rt_sigprocmask, how, (long)&set, (long)&old,
		    SIGNAL_SIZE, 0, 0);
	return old;
}

int calls_take(unsigned long set, siginfo_t *info, const struct timespec *time)
{
	return raw_syscall(SYS_rt_sigtimedwait, (long)&set, (long)info,
			   (long)time, SIGNAL_SIZE, 0, 0);
}

bool calls_handler(int sig, bool *ends)
{
	struct host_sigaction sa = { 0 };

	*ends = false;
	if (raw_syscall(SYS_rt_sigaction, sig, 0, (long)&sa, SIGNAL_SIZE, 0,
			0) ||
	    sa.handler == (unsigned long)SIG_DFL ||
	    sa.handler == (unsigned long)SIG_IGN)
		return false;
	*ends = !(sa.flags & SA_RESTART);
	return true;
}

void calls_set_default(int sig)
{
	struct host_sigaction sa = { 0 };

	raw_syscall(SYS_rt_sigaction, sig, (long)&sa, 0, SIGNAL_SIZE, 0, 0);
}

int calls_thread(void)
{
	return raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

static long queue(long pid, int thread, int sig, const siginfo_t *info)
{
	return thread ? raw_syscall(SYS_rt_tgsigqueueinfo, pid, thread, sig,
				    (long)info, 0, 0)
		      : raw_syscall(SYS_rt_sigqueueinfo, pid, sig, (long)info,
				    0, 0, 0);
}

/*
 * Only the thread that gets a signal, or the first one for its process, may say
 * that it comes from a kernel.  From others, what is told of a file is told
 * with SI_SIGIO.
 */
void calls_send(int thread, int sig, siginfo_t *info)
{
	long pid = raw_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0), err = -EINVAL;

	if (info)
		err = queue(pid, thread, sig, info);
	if (err == -EPERM && info->si_code >= POLL_IN &&
	    info->si_code <= POLL_HUP) {
		info->si_code = SI_SIGIO;
		err = queue(pid, thread, sig, info);
	}
	if (err && thread)
		raw_syscall(SYS_tgkill, pid, thread, sig, 0, 0, 0);
	else if (err)
		raw_syscall(SYS_kill, pid, sig, 0, 0, 0, 0);
}

unsigned long calls_reserved(void)
{
	return SIGNAL_BIT(32) | SIGNAL_BIT(33);
}

/* Neither Linux nor programs send it. */
int calls_own_signal(void)
{
	return SIGSTKFLT;
}

unsigned long calls_coarse_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec * 1000000000UL + ts.tv_nsec;
}

int calls_alt_stack(const stack_t *new, stack_t *old)
{
	return raw_syscall(SYS_sigaltstack, (long)new, (long)old, 0, 0, 0, 0);
}

/*
 * sigaltstack() from elsewhere: the host changes no stack that is in use, for
 * which it looks at the stack pointer.
 */
void calls_change_alt_stack(const stack_t *new, stack_t *old)
{
	static char elsewhere[256] __attribute__((aligned(16)));
	unsigned long mask = calls_mask(SIG_SETMASK, ~0UL);

	raw_syscall(SYS_sigaltstack, 0, (long)old, 0, 0, 0, 0);
	raw_syscall_elsewhere(elsewhere + sizeof(elsewhere), SYS_sigaltstack,
			      (long)new, 0);
	calls_mask(SIG_SETMASK, mask);
}
