// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program's system calls, as they come from entry.S.
 *
 * Most go to the core.  What concerns threads, signals and programs is done
 * here.
 */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>

#include "../../lib/thread.h"
#include "preload.h"

/* Have the program make the call itself, with its own registers. */
static long in_place(struct way_thread *t, struct way_regs *r)
{
	t->resume = r->site->end;
	return r->nr;
}

/*
 * A new thread or process: the stack may be another one in the child, but is
 * not if it has memory of its own, unless it is told to be.  What uses libc has
 * been done before a fork(): here it holds locks of malloc().
 */
static long call_clone(struct way_thread *t, struct way_regs *r)
{
	const long *a = r->arg;
	struct clone_args args = { .flags = a[0], .stack = a[1] };
	unsigned long flags, tls = a[4];
	unsigned long mask;
	bool vforks;
	long ret;

	if (r->nr == SYS_clone3 &&
	    !user_get(&args, a[0],
		      offsetof(struct clone_args, tls) + sizeof(args.tls)))
		return -EFAULT;
	if (r->nr == SYS_clone3)
		tls = args.tls;
	if (r->nr == SYS_fork || r->nr == SYS_vfork)
		args = (struct clone_args){ 0 };
	flags = args.flags;
	/* As in namespace_call(). */
	if (flags & CLONE_NEWNET)
		return -EPERM;
	vforks = r->nr == SYS_vfork ||
		 (flags & (CLONE_THREAD | CLONE_VM)) == CLONE_VM;

	/* A signal that is pending is none of the child's. */
	mask = way_signals_block();
	if (t->pending) {
		way_signals_unblock(mask);
		return -WAY_RESTART;
	}
	if (vforks) {
		hijack_before_fork();
		way_signals_init();
	}
	if (r->nr == SYS_vfork || flags & CLONE_VFORK)
		hijack_fork_begin(true);
	if (r->nr == SYS_vfork || flags & CLONE_VM || args.stack) {
		/* Its storage is ready, but the thread is not yet there. */
		if (flags & CLONE_THREAD && flags & CLONE_SETTLS)
			hijack_filter_inherit((void *)tls, hijack_filter());
		way_signals_unblock(mask);
		return in_place(t, r);
	}
	hijack_fork_begin(false);
	ret = raw_syscall(r->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	hijack_fork_end(ret);
	if (!ret)
		way_signals_forked(t);
	way_signals_unblock(mask);
	return ret;
}

static long call_exit_group(struct way_thread *t, struct way_regs *r)
{
	return hijack_in_vfork() ? preload_in_child(t, r)
				 : hijack_syscall(r->nr, r->arg);
}

static long call_exit(struct way_thread *t, struct way_regs *r)
{
	if (hijack_in_vfork())
		return preload_in_child(t, r);
	preload_exec_forget(t);
	hijack_thread_exit();
	lkl_thread_exit();
	t->resume = (unsigned long)preload_exit;
	return 0;
}

/* The child of a vfork() has handlers of its own, but its parent's table. */
static long call_sigaction(struct way_thread *t, struct way_regs *r)
{
	long a[6] = { r->arg[0], 0, r->arg[2], r->arg[3] }, ret;

	if (!r->arg[1] || !hijack_in_vfork())
		return way_sigaction(t, r->arg);
	ret = way_sigaction(t, a);
	return ret ? ret
		   : way_host4(SYS_rt_sigaction, a[0], r->arg[1], 0, a[3]);
}

/*
 * Calls that are not simply the core's: PLAIN ones need not have vector
 * registers saved.
 */
enum { CORE, PLAIN, SAVED };

static const unsigned char kinds[] = {
	[SYS_rt_sigaction] = PLAIN, [SYS_rt_sigprocmask] = PLAIN,
	[SYS_clone] = SAVED,	    [SYS_fork] = SAVED,
	[SYS_vfork] = SAVED,	    [SYS_execve] = SAVED,
	[SYS_exit] = SAVED,	    [SYS_rt_sigpending] = PLAIN,
	[SYS_sigaltstack] = PLAIN,  [SYS_exit_group] = SAVED,
	[SYS_execveat] = SAVED,	    [SYS_clone3] = SAVED,
	[SYS_rt_sigreturn] = PLAIN,
};

static inline int kind_of(long nr)
{
	return (unsigned long)nr < sizeof(kinds) ? kinds[nr] : CORE;
}

static long call_special(struct way_thread *t, struct way_regs *r)
{
	switch (r->nr) {
	case SYS_execve:
	case SYS_execveat:
		return preload_exec(t, r);
	case SYS_exit_group:
		return call_exit_group(t, r);
	case SYS_exit:
		return call_exit(t, r);
	case SYS_rt_sigaction:
		return call_sigaction(t, r);
	case SYS_rt_sigprocmask:
		return way_sigprocmask(t, r->arg);
	case SYS_rt_sigpending:
		return way_sigpending(t, r->arg);
	case SYS_sigaltstack:
		return way_sigaltstack(t, r->arg);
	case SYS_rt_sigreturn:
		return way_return(t);
	}
	return call_clone(t, r);
}

static long call_slow(struct way_thread *t, struct way_regs *r)
{
	bool alt = way_on_alt(t);
	long ret;

	if (hijack_filtered && !way_judge(t, r, &ret))
		return ret;
	if (alt)
		way_alt_off();
	if (kind_of(r->nr) == CORE)
		ret = hijack_syscall(r->nr, r->arg);
	else if (kind_of(r->nr) == PLAIN)
		ret = call_special(t, r);
	else
		ret = way_saved(call_special, t, r);
	if (alt)
		way_alt_on(t);
	return ret;
}

long preload_call(struct way_regs *r)
{
	struct way_thread *t = &preload_thread;
	long ret;

	t->resume = r->site->resume;
	if (__builtin_expect(kind_of(r->nr) || hijack_filtered || way_on_alt(t),
			     0))
		ret = call_slow(t, r);
	else
		ret = hijack_syscall(r->nr, r->arg);
	if (__builtin_expect(t->interrupted, 0)) {
		if (ret == -EINTR && way_wants_restart(t, r->nr))
			ret = -WAY_RESTART;
		t->interrupted = false;
	}
	if (__builtin_expect(ret == -WAY_RESTART, 0)) {
		t->resume = r->site->code;
		ret = r->nr;
	}
	return ret;
}
