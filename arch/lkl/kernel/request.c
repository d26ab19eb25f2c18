// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests between the host threads that make them and the tasks that serve them.
 *
 * A request lies on the stack of its thread.  It goes onto a list, unless its
 * thread can have it served at once, and ends when its task writes the result and
 * the state DONE.  If the thread was driving, it sees that when it has its stack
 * back; if it spins it sees it at once; if it sleeps it is woken.
 *
 * A request that is blocked ends with -EINTR when a signal's handler runs on its
 * thread.  As long as the thread drives or spins, nothing tells that one did.
 * Hence signals are held back from when the request can be seen to be blocked
 * until it has ended, and let in where the thread looks for them.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <asm/cpu.h>
#include <asm/host_ops.h>
#include "request.h"

/**
 * lkl_hold_signals - a request may be seen to be blocked from now on
 * @call: the request of this thread
 */
void lkl_hold_signals(struct lkl_call *call)
{
	/* Without a look into the task, which is gone when the kernel has halted. */
	if (!call->held && lkl_ops->hold_signals && call->task)
		call->held = lkl_ops->hold_signals(&call->signals);
}

/* End a request; returns what its state was, which tells whether it sleeps. */
static inline int lkl_end(struct lkl_call *call, long ret, bool by_call)
{
	call->ret = ret;
	call->by_call = by_call;
	return __atomic_exchange_n(&call->state, LKL_CALL_DONE,
				   __ATOMIC_ACQ_REL);
}

/**
 * lkl_complete - end a request; in kernel context
 * @call: the request; may be gone when this returns
 * @ret: its result
 */
void lkl_complete(struct lkl_call *call, long ret)
{
	struct lkl_vcpu *cpu = lkl_this;
	int was;

	if (call == cpu->driving) {
		call->ret = ret;
		call->state = LKL_CALL_DONE;
		return;
	}
	was = lkl_end(call, ret, cpu->driving);
	if (was != LKL_CALL_RUNNING) {
		lkl_wake_sleeper(cpu);
		cpu->sleeper = call;
		cpu->sleeper_held = was == LKL_CALL_HELD;
	}
}

/**
 * lkl_refuse - end a request; the CPU is not held
 * @call: the request
 * @ret: its result
 */
void lkl_refuse(struct lkl_call *call, long ret)
{
	int was = lkl_end(call, ret, false);

	if (was != LKL_CALL_RUNNING)
		lkl_wake_call(call, was == LKL_CALL_HELD);
}

/**
 * lkl_wake_sleeper - wake the thread whose request has ended
 * @cpu: the CPU that has ended it
 *
 * Most often that was all there was to do.  Then the driver wakes the thread
 * when it has released the CPU: the host likes to run a thread that is woken
 * instead of the one that wakes it, and that thread would find the CPU locked.
 */
void lkl_wake_sleeper(struct lkl_vcpu *cpu)
{
	struct lkl_call *call = cpu->sleeper;

	if (likely(!call))
		return;
	cpu->sleeper = NULL;
	lkl_wake_call(call, cpu->sleeper_held);
}

static void lkl_push_list(struct lkl_vcpu *cpu, struct lkl_call *first,
			  struct lkl_call *last)
{
	last->next = __atomic_load_n(&cpu->requests, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&cpu->requests, &last->next, first,
					    true, __ATOMIC_SEQ_CST,
					    __ATOMIC_RELAXED))
		;
}

/**
 * lkl_push - put a request onto the list; lkl_set_pending() must follow
 * @cpu: CPU it is for
 * @boot: boot it is made in
 * @call: the request
 */
void lkl_push(struct lkl_vcpu *cpu, u32 boot, struct lkl_call *call)
{
	call->boot = boot;
	call->queued = 1;
	lkl_push_list(cpu, call, call);
}

/**
 * lkl_refuse_calls - end the requests on the list of a boot that is over
 * @cpu: CPU whose list it is
 * @boot: its number
 *
 * Return: whether there are requests of another boot on the list
 */
bool lkl_refuse_calls(struct lkl_vcpu *cpu, u32 boot)
{
	struct lkl_call *call, *next;
	bool others = false;

	call = __atomic_exchange_n(&cpu->requests, NULL, __ATOMIC_SEQ_CST);
	for (; call; call = next) {
		next = call->next;
		if (call->boot != boot) {
			lkl_push_list(cpu, call, call);
			others = true;
			continue;
		}
		if (!call->started)
			lkl_refuse(call, -ESHUTDOWN);
		__atomic_store_n(&call->queued, 0, __ATOMIC_SEQ_CST);
	}
	return others;
}

/**
 * lkl_interrupt_call - have a request end with -EINTR if its task is blocked
 * @call: the request
 */
void lkl_interrupt_call(struct lkl_call *call)
{
	struct task_struct *task = call->task;

	if (!task || task->thread.active != call)
		return;
	set_tsk_thread_flag(task, TIF_NOTIFY_SIGNAL);
	wake_up_state(task, TASK_INTERRUPTIBLE);
}

/**
 * lkl_interrupt_driver - a signal was raised in the host
 *
 * If its handler ran on the thread that drives, that has ended no sleep of the
 * thread, because it does not sleep.
 */
void lkl_interrupt_driver(void)
{
	struct lkl_call *call = lkl_this->driving;

	if (!call || lkl_done(call))
		return;
	call->interrupted = 1;
	lkl_interrupt_call(call);
}
