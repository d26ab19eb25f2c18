// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks that serve the requests of host threads.
 *
 * Each host thread that calls has a task, a thread of process 1, or of another one
 * if it makes the calls of a child (drivers/process.c).  Between two
 * requests it is parked, in "user mode"; a request makes it run the system call,
 * see to the work that a return to user mode brings, and complete the request.
 */
#include <linux/resume_user_mode.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <linux/sched/task.h>
#include <linux/syscalls.h>
#include <linux/task_work.h>
#include <asm/call.h>
#include <asm/cpu.h>
#include <asm/cred.h>
#include <asm/host_ops.h>
#include <asm/syscall.h>
#include <asm/unistd.h>
#include "contend.h"

/*
 * Send the signals that are pending for this task on to the host's process.
 * Returns whether calls end with -EINTR for one of them.
 *
 * A signal that the kernel sends to a caller beside an error (SIGPIPE, SIGXFSZ)
 * is dropped unless the host wants it, as the caller has the error: a process must
 * not die of its library's pipe.
 */
static bool lkl_forward_signals(void)
{
	bool interrupts = false;

	BUILD_BUG_ON(sizeof(kernel_siginfo_t) != LKL_SIGINFO_SIZE);
	for (;;) {
		enum pid_type type;
		kernel_siginfo_t info;
		bool tells;
		int sig;

		spin_lock_irq(&current->sighand->siglock);
		sig = dequeue_signal(&current->blocked, &info, &type);
		spin_unlock_irq(&current->sighand->siglock);
		if (!sig)
			return interrupts;
		if (type == PIDTYPE_PID && info.si_code == SI_USER) {
			if (lkl_ops->raise)
				lkl_ops->raise(current->thread.host_tid, sig);
			continue;
		}
		/* The host knows senders by other numbers. */
		tells = info.si_code != SI_USER && info.si_code != SI_TKILL;
		/* The first task of a process stands for all of it. */
		interrupts |= lkl_ops->signal(type == PIDTYPE_PID ?
					      current->thread.host_tid :
					      current->group_leader->thread.host_tid,
					      sig, tells ? &info : NULL);
	}
}

/**
 * lkl_user_work - what is to be done before a task is in "user mode"
 *
 * Return: whether the host handles a signal for which calls end with -EINTR
 */
bool lkl_user_work(void)
{
	unsigned long flags = read_thread_flags();
	bool interrupts = false;

	while (flags & _TIF_EXIT_WORK) {
		if (flags & _TIF_NOTIFY_SIGNAL) {
			clear_notify_signal();
			if (task_work_pending(current))
				task_work_run();
		}
		if (flags & _TIF_SIGPENDING) {
			interrupts |= lkl_forward_signals();
			spin_lock_irq(&current->sighand->siglock);
			recalc_sigpending();
			spin_unlock_irq(&current->sighand->siglock);
		}
		if (flags & _TIF_NOTIFY_RESUME)
			resume_user_mode_work(NULL);
		if (read_thread_flags() == flags)
			break;
		flags = read_thread_flags();
	}
	return interrupts;
}

/*
 * The way out of a system call with something left to do.  Returns true when
 * the call is to be made again.
 */
static noinline bool lkl_exit_work(struct lkl_call *call, long *ret)
{
	bool interrupted;

	do {
		interrupted = lkl_user_work() || READ_ONCE(call->interrupted);
		restore_saved_sigmask();
		switch (*ret) {
		case -ERESTARTSYS:
		case -ERESTARTNOINTR:
		case -ERESTARTNOHAND:
			if (!interrupted)
				return true;
			*ret = -EINTR;
			break;
		case -ERESTART_RESTARTBLOCK:
			if (interrupted)
				*ret = -EINTR;
			else
				*ret = current->restart_block.fn(&current->restart_block);
			break;
		default:
			return false;
		}
	} while (*ret == -ERESTART_RESTARTBLOCK);
	return false;
}

/**
 * lkl_user_state - how a task in "user mode" sleeps
 *
 * Signals and work of other tasks wake it, unless some is pending already that
 * is not seen to here, as when the task is frozen.
 */
unsigned int lkl_user_state(void)
{
	return signal_pending(current) ? TASK_IDLE : TASK_INTERRUPTIBLE;
}

static __always_inline long lkl_do_syscall(struct lkl_call *call)
{
	unsigned long nr = call->nr;
	const long *p = call->params;
	long ret;

	if (unlikely(nr >= lkl_nr_syscalls))
		return -ENOSYS;
	do {
		ret = lkl_syscall_table[nr](p[0], p[1], p[2], p[3], p[4], p[5]);
	} while (unlikely(read_thread_flags() & _TIF_EXIT_WORK) &&
		 lkl_exit_work(call, &ret));
	return ret;
}

/* The task is in "user mode" until its host thread wants something. */
static __always_inline void lkl_park(void)
{
	struct thread_struct *t = &current->thread;

	t->in_user = true;
	while (!t->call) {
		if (!need_resched() && single_task_running()) {
			lkl_leave(LKL_LEFT_USER);
			if (likely(t->call))
				goto out;
		}
		/*
		 * Another task needs the CPU, or a thread drives to see to an
		 * interrupt: this task does not use it.
		 */
		if (lkl_this_pending())
			lkl_run_pending();
		if (read_thread_flags() & _TIF_EXIT_WORK)
			lkl_user_work();
		/*
		 * The task may be its CPU's last one when a thread leaves in the
		 * middle (LKL_LEFT_HANDOVER).  Then its own thread gives it the next
		 * call without waking it: lkl_call_on().  So no thread leaves between
		 * the look and the sleep.  The rule is kept here and not there, as
		 * it costs a task something that sleeps, and not each call.
		 */
		local_irq_disable();
		set_current_state(lkl_user_state());
		if (!t->call)
			schedule();
		__set_current_state(TASK_RUNNING);
		local_irq_enable();
	}
	/* Interrupted before it began: see lkl_interrupt_call(). */
	if (unlikely(READ_ONCE(t->call->interrupted)))
		set_tsk_thread_flag(current, TIF_NOTIFY_SIGNAL);
out:
	t->in_user = false;
}

/**
 * lkl_serve - serve a host thread's requests from here on
 */
void __noreturn lkl_serve(void)
{
	struct thread_struct *t = &current->thread;

	for (;;) {
		struct lkl_call *call;
		long ret;

		lkl_park();
		call = t->call;
		t->call = NULL;
		t->active = call;
		if (likely(!call->fn)) {
			ret = lkl_do_syscall(call);
		} else {
			ret = call->fn(call->arg);
			if (read_thread_flags() & _TIF_EXIT_WORK)
				lkl_exit_work(call, &ret);
		}
		t->active = NULL;
		lkl_stay_home(call);
		lkl_complete(call, ret);
	}
}

/**
 * lkl_host_task - first function of a host thread's task
 * @arg: the request that asked for it
 */
int lkl_host_task(void *arg)
{
	struct lkl_call *call = arg;

	lkl_made_task(call);
	call->task = current;
	current->thread.host_tid = call->nr;
	current->thread.active = NULL;
	lkl_cred_inherit();
	/* Each open and close of a file writes to them. */
	if (lkl_vcpus_up > 1)
		lkl_cred_own();
	lkl_complete(call, 0);
	lkl_serve();
}
