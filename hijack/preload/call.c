// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program's system calls, as they come from x86/entry.S.
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
	unsigned long place = preload_place(r->site->resume);

	if (!place)
		return -EAGAIN;
	t->resume = place;
	return r->nr;
}

/* Its storage is ready, but the thread is not yet there. */
static long new_thread(void *storage)
{
	struct hijack_netns netns;
	long ret = hijack_netns_pass(&netns);

	if (ret)
		return ret;
	hijack_filter_inherit(storage, hijack_filter());
	hijack_netns_inherit(storage, &netns);
	return 0;
}

/* What has the program's memory is made in place. */
static long share_memory(struct way_thread *t, struct way_regs *r,
			 const struct clone_args *args)
{
	unsigned long flags = args->flags;
	long ret = 0;

	if (!(flags & CLONE_THREAD)) {
		hijack_before_fork();
		way_signals_init();
	} else if (flags & CLONE_SETTLS) {
		ret = new_thread((void *)args->tls);
	}
	if (!ret && flags & CLONE_VFORK)
		ret = hijack_fork_begin(true);
	if (ret)
		return ret;
	if (flags & CLONE_NEWNET)
		r->arg[0] = flags & ~CLONE_NEWNET;
	return in_place(t, r);
}

/* The child begins on our stack, and comes to its own as from any call. */
static long copy_memory(struct way_thread *t, struct way_regs *r,
			struct clone_args *args)
{
	unsigned long stack = 0;
	long *a = r->arg, ret;

	/* A lock that no thread holds in the child. */
	rewrite_lock();
	ret = hijack_fork_begin(false);
	if (ret) {
		rewrite_unlock();
		return ret;
	}
	if (r->nr == SYS_fork) {
		ret = raw_syscall(r->nr, 0, 0, 0, 0, 0, 0);
	} else if (r->nr == SYS_clone) {
		stack = a[1];
		ret = raw_syscall(r->nr, a[0] & ~CLONE_NEWNET, 0, a[2], a[3],
				  a[4], 0);
	} else {
		args->flags &= ~CLONE_NEWNET;
		/* The host says so if one is missing. */
		if (args->stack && args->stack_size) {
			stack = args->stack + args->stack_size;
			args->stack = args->stack_size = 0;
		}
		ret = raw_syscall(r->nr, (long)args, a[1], 0, 0, 0, 0);
	}
	hijack_fork_end(ret);
	rewrite_unlock();
	if (!ret)
		way_signals_forked(t);
	if (!ret && preload_dispatches)
		preload_dispatch_thread();
	if (!ret && stack)
		t->user_sp = stack;
	return ret;
}

static long make_clone(struct way_thread *t, struct way_regs *r,
		       struct clone_args *args)
{
	unsigned long flags = args->flags;
	bool shares = flags & CLONE_VM;
	long ret;

	/* The host's call is to be another one than the program's. */
	if (flags & CLONE_NEWNET) {
		if (flags & CLONE_THREAD || hijack_in_vfork() ||
		    (shares && !(flags & CLONE_VFORK)))
			return -EPERM;
		if (shares && r->nr == SYS_clone3)
			return -ENOSYS;
		ret = hijack_fork_netns();
		if (ret)
			return ret;
	}
	return shares ? share_memory(t, r, args) : copy_memory(t, r, args);
}

/*
 * A new thread or process.  What uses libc has been done before a fork(): here
 * it holds locks of malloc().
 */
static long call_clone(struct way_thread *t, struct way_regs *r)
{
	const long *a = r->arg;
	struct clone_args args = { 0 };
	unsigned long mask;
	long ret;

	if (r->nr == SYS_vfork) {
		args.flags = CLONE_VM | CLONE_VFORK;
	} else if (r->nr == SYS_clone) {
		args.flags = (unsigned int)a[0];
		args.tls = a[4];
	} else if (r->nr == SYS_clone3) {
		/* The C libraries fall back to clone() for what is newer. */
		if ((unsigned long)a[1] > sizeof(args))
			return -ENOSYS;
		if (!user_get(&args, a[0], a[1]))
			return -EFAULT;
	}
	/* A signal that is pending is none of the child's. */
	mask = way_signals_block();
	ret = t->pending ? -WAY_RESTART : make_clone(t, r, &args);
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
enum { CORE, PLAIN, SAVED, CODE };

static const unsigned char kinds[] = {
	[SYS_rt_sigaction] = PLAIN, [SYS_rt_sigprocmask] = PLAIN,
	[SYS_clone] = SAVED,	    [SYS_fork] = SAVED,
	[SYS_vfork] = SAVED,	    [SYS_execve] = SAVED,
	[SYS_exit] = SAVED,	    [SYS_rt_sigpending] = PLAIN,
	[SYS_sigaltstack] = PLAIN,  [SYS_exit_group] = SAVED,
	[SYS_execveat] = SAVED,	    [SYS_clone3] = SAVED,
	[SYS_rt_sigreturn] = PLAIN, [SYS_prctl] = PLAIN,
	[SYS_mmap] = CODE,	    [SYS_munmap] = CODE,
	[SYS_mprotect] = CODE,	    [SYS_pkey_mprotect] = CODE,
	[SYS_mremap] = CODE,	    [SYS_shmat] = CODE,
	[SYS_personality] = CODE,
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
	case SYS_prctl:
		/* PR_SET_SYSCALL_USER_DISPATCH is in use, as if there were
		 * none. */
		return r->arg[0] == 59 ? -EINVAL
				       : hijack_syscall(r->nr, r->arg);
	case SYS_rt_sigreturn:
		return way_return(t);
	}
	return call_clone(t, r);
}

static long call_code(struct way_thread *t, struct way_regs *r)
{
	(void)t;
	return preload_code(r->nr, r->arg);
}

static long call_slow(struct way_thread *t, struct way_regs *r)
{
	bool alt = way_on_alt(t);
	long ret;

	if (hijack_filtered && !way_judge(t, r, &ret))
		return ret;
	if (alt)
		way_alt_off();
	if (kind_of(r->nr) == CORE ||
	    (kind_of(r->nr) == CODE && hijack_in_vfork()))
		ret = hijack_syscall(r->nr, r->arg);
	else if (kind_of(r->nr) == PLAIN)
		ret = call_special(t, r);
	else
		ret = way_saved(kind_of(r->nr) == CODE ? call_code
						       : call_special,
				t, r);
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
