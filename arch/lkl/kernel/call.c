// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way of a call.
 *
 * A host thread's request is a struct lkl_call on its stack, served by the kernel
 * task that belongs to the thread.  These are the functions it meets:
 *
 * Straight, when the CPU is free and the thread's task is `current`, which the
 * call before has left in user mode.  This costs one atomic operation to take the
 * CPU, two stack switches and one to release it, or none after many such calls
 * (vlock.h); the scheduler does not notice:
 *	lkl_task_syscall() lkl_call() lkl_trylock() __lkl_drive() lkl_enter()
 *	  lkl_park() lkl_serve() lkl_do_syscall() lkl_complete() lkl_park()
 *	  lkl_leave()
 *	lkl_release()
 *
 * Queued, when the CPU is not free, or another task was the last to run:
 *	lkl_call() lkl_call_contended() lkl_push() lkl_set_pending()
 *	  in whichever thread drives: lkl_run_pending() lkl_take_calls()
 *	  wake_up_process() lkl_park() lkl_serve()
 *
 * Blocked, when its task sleeps: its thread drives other tasks, then waits:
 *	__lkl_drive() lkl_release() lkl_call_wait() lkl_wait() lkl_spin_for()
 *	lkl_sleep()
 *	  in whichever thread drives: lkl_serve() lkl_complete()
 *	  lkl_wake_sleeper()
 *
 * Interrupted, when a signal ends the sleep: the request goes onto the list again:
 *	lkl_sleep() lkl_take_signal() lkl_push() lkl_set_pending()
 *	  in whichever thread drives: lkl_take_calls() lkl_interrupt_call()
 *	  lkl_exit_work() lkl_complete()
 *
 * The files, each of which uses those below it:
 *	on the side of the host threads		on the side of the kernel
 *	call.c: this				irq.c: what is pending
 *	contend.c: spin, combine, take turns	init.c: process 1
 *	wakeup.c: timer and watchdog threads	serve.c: tasks that serve requests
 *	vcpu.c: drive the CPU, have it noticed	task.c: start, switch and end tasks
 *			request.c: list of requests, their end
 *			clock.c: clocks, the next timer event
 *			vlock.c: the lock word
 */
#include <linux/sched.h>
#include <linux/sched/task.h>
#include "contend.h"
#include "vcpu.h"
#include "wakeup.h"

/* A deadline that has passed. */
#define LKL_NOW		1

/* Returns -EINTR if that ended it. */
static int lkl_sleep(struct lkl_vcpu *cpu, struct lkl_call *call, bool listens)
{
	bool held = call->held && !listens;
	int err, old = LKL_CALL_RUNNING;
	int asleep = held ? LKL_CALL_HELD : LKL_CALL_SLEEPING;
	u64 cover;

	if (READ_ONCE(cpu->word) & LKL_CPU_PENDING)
		lkl_watch();
	if (!__atomic_compare_exchange_n(&call->state, &old, asleep, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return 0;

	cover = lkl_timer_cover(cpu);
	if (listens)
		err = lkl_ops->listen_wait(&call->state, asleep, cover,
					   call->held ? &call->signals : NULL);
	else if (held)
		err = lkl_ops->wait_held(&call->signals, cover);
	else
		err = lkl_ops->wait(&call->state, asleep, cover);
	lkl_timer_uncover(cpu, cover);
	old = asleep;
	if (!__atomic_compare_exchange_n(&call->state, &old, LKL_CALL_RUNNING,
					 false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE) &&
	    held)
		lkl_ops->woken_held(&call->signals);
	return err;
}

/* A signal has come: see that the call ends, if it is blocked. */
static void lkl_take_signal(struct lkl_vcpu *cpu, u32 boot,
			    struct lkl_call *call)
{
	/* Making a task cannot be interrupted: the request is on another list. */
	if (!call->task || call->interrupted)
		return;
	call->interrupted = 1;
	/* Not started yet: serve it once it is. */
	while (__atomic_load_n(&call->queued, __ATOMIC_SEQ_CST)) {
		if (lkl_boot_gone(boot))
			return;
		if (lkl_trylock(cpu, boot, NULL))
			lkl_drive(cpu, boot, call, false);
		lkl_ops->relax();
	}
	if (!lkl_done(call)) {
		lkl_push(cpu, boot, call);
		lkl_set_pending(cpu, boot);
	}
}

/* Drive, and let the signals in that have come meanwhile. */
static void lkl_drive_blocked(struct lkl_vcpu *cpu, u32 boot,
			      struct lkl_call *call)
{
	lkl_drive(cpu, boot, call, false);
	if (call->held && lkl_ops->wait_held(&call->signals, LKL_NOW) == -EINTR)
		lkl_take_signal(cpu, boot, call);
}

/* Sleep until @call is done or a CPU wants a driver. */
static void lkl_wait(struct lkl_vcpu *cpu, u32 boot, struct lkl_call *call)
{
	bool listens = lkl_ops->listen_begin();
	int err = 0;

	if (!(lkl_ops->cpus() > 1 && lkl_spin_for(boot, call, listens)) &&
	    !lkl_find_wanting(boot))
		err = lkl_sleep(cpu, call, listens);
	if (listens)
		lkl_ops->listen_end();
	if (err == -EINTR)
		lkl_take_signal(cpu, boot, call);
}

/* The boot is over: end what is on a list, whichever it is. */
static void lkl_refuse_all(u32 boot)
{
	struct lkl_vcpu *cpu;
	bool others = false;

	for (cpu = lkl_vcpus; cpu < lkl_vcpus + NR_CPUS; cpu++)
		others |= lkl_refuse_calls(cpu, boot);
	if (others)
		lkl_kick_any();
}

static void lkl_call_wait(struct lkl_vcpu *cpu, u32 boot, struct lkl_call *call)
{
	for (;;) {
		bool done = lkl_done(call);
		struct lkl_vcpu *wanting;

		/* The list must not point at the caller's stack any more. */
		if (done && !__atomic_load_n(&call->queued, __ATOMIC_SEQ_CST))
			return;
		wanting = lkl_find_wanting(boot);
		if (lkl_boot_gone(boot)) {
			lkl_refuse_all(boot);
			lkl_ops->relax();
		} else if (wanting && lkl_trylock(wanting, boot, NULL)) {
			lkl_drive_blocked(wanting, boot, call);
		} else if (!done) {
			lkl_hold_signals(call);
			lkl_wait(cpu, boot, call);
		} else {
			lkl_ops->relax();
		}
	}
}

static noinline void lkl_call_finish(struct lkl_vcpu *cpu, u32 boot,
				     struct lkl_call *call)
{
	lkl_call_wait(cpu, boot, call);
	if (call->held)
		lkl_ops->release_signals(&call->signals);
}

/* The thread has to get a new task. */
static bool lkl_call_gone(u32 boot, struct lkl_call *call)
{
	if (!lkl_boot_gone(boot))
		return false;
	call->ret = -ENOSYS;
	call->state = LKL_CALL_DONE;
	return true;
}

/*
 * This thread holds @cpu, where another task was the last one to run.  With several
 * CPUs, its own task may be blocked on another one while this thread drives.
 */
static void lkl_call_queued(struct lkl_vcpu *cpu, u32 boot,
			    struct lkl_call *call)
{
	if (lkl_vcpus_up > 1)
		lkl_hold_signals(call);
	lkl_begin_quantum(cpu, call->task);
	lkl_push(cpu, boot, call);
	lkl_set_pending(cpu, boot);
}

static noinline void lkl_call_contended(struct lkl_vcpu *cpu, u32 boot,
					struct lkl_call *call)
{
	struct lkl_vcpu *taken;

	if (lkl_call_gone(boot, call))
		return;
	taken = lkl_lock_soon(cpu, boot, call);
	if (taken) {
		lkl_call_queued(taken, boot, call);
		lkl_drive(taken, boot, call, false);
		return;
	}
	lkl_hold_signals(call);
	lkl_push(cpu, boot, call);
	if (lkl_set_pending(cpu, boot) && lkl_trylock(cpu, boot, NULL))
		lkl_drive(cpu, boot, call, false);
}

/* Have the combiner make a call. */
static noinline void lkl_call_combined(u32 boot, struct lkl_call *call)
{
	int i, max = lkl_combiner_max;

	if (lkl_call_gone(boot, call))
		return;
	lkl_hold_signals(call);
	lkl_push(&lkl_cpu, boot, call);
	lkl_set_pending(&lkl_cpu, boot);
	for (i = 0; i < max; i++) {
		if (lkl_done(call))
			return;
		__builtin_ia32_pause();
	}
	if (lkl_wants_driver(&lkl_cpu, boot))
		lkl_leave_combiner();
}

static __always_inline long lkl_call_on(struct lkl_vcpu *cpu, u32 boot,
					struct lkl_call *call)
{
	if (likely(lkl_may_begin(cpu, call->task)) &&
	    likely(lkl_trylock(cpu, boot, call->task))) {
		if (likely(cpu->task == call->task)) {
			/* It looks for this before it sleeps: lkl_park(). */
			call->task->thread.call = call;
			call->started = 1;
			if (unlikely((s32)(++cpu->calls - lkl_bias_of(cpu)->at) >= 0))
				lkl_bias_grant(cpu, boot, call->task);
		} else {
			lkl_bias_drop(cpu, boot);
			lkl_call_queued(cpu, boot, call);
		}
		__lkl_drive(cpu, boot, call, false);
	} else {
		lkl_call_contended(cpu, boot, call);
	}
	if (unlikely(!lkl_done(call) || call->unfinished))
		lkl_call_finish(cpu, boot, call);
	return call->ret;
}

/* With several CPUs, a thread uses one as long as others let it. */
static noinline long lkl_call_several(u32 boot, struct lkl_call *call)
{
	u8 home = READ_ONCE(*lkl_home_of(call->task));

	return lkl_call_on(&lkl_vcpus[home], boot, call);
}

static __always_inline long lkl_call(u32 boot, struct lkl_call *call)
{
	struct task_struct *combiner = READ_ONCE(lkl_combiner.task);

	if (unlikely(combiner && combiner != call->task)) {
		if (combiner == LKL_SEVERAL)
			return lkl_call_several(boot, call);
		lkl_call_combined(boot, call);
		if (unlikely(!lkl_done(call) || call->unfinished))
			lkl_call_finish(&lkl_cpu, boot, call);
		return call->ret;
	}
	return lkl_call_on(&lkl_cpu, boot, call);
}

/* Not all of a request is worth writing for each call. */
static __always_inline void lkl_call_init(struct lkl_call *call, void *task,
					  long (*fn)(void *arg))
{
	call->task = task;
	call->fn = fn;
	call->unfinished = 0;
	call->started = false;
	call->interrupted = false;
	call->waited = false;
	call->state = LKL_CALL_RUNNING;
}

long lkl_task_syscall(void *task, unsigned int boot, long nr,
		      const long *params)
{
	struct lkl_call call;

	lkl_call_init(&call, task, NULL);
	call.nr = nr;
	call.params = params;
	return lkl_call(boot, &call);
}

long lkl_task_run(void *task, unsigned int boot, long (*fn)(void *arg),
		  void *arg)
{
	struct lkl_call call;

	lkl_call_init(&call, task, fn);
	call.arg = arg;
	return lkl_call(boot, &call);
}

int lkl_task_create(unsigned int boot, int tid, void **task)
{
	struct lkl_call call;
	int err;

	lkl_call_init(&call, NULL, NULL);
	call.nr = tid;
	err = lkl_call(boot, &call);
	*task = call.task;
	return err;
}

static long lkl_exit_task(void *unused)
{
	do_exit(0);
}

void lkl_task_exit(void *task, unsigned int boot)
{
	lkl_task_run(task, boot, lkl_exit_task, NULL);
}

/**
 * lkl_cpu_start - make the CPU available to host threads and run the kernel
 * @boot: number of this boot
 * @call: request that the kernel ends when it has booted
 */
void lkl_cpu_start(u32 boot, struct lkl_call *call)
{
	struct lkl_vcpu *cpu = &lkl_cpu;

	call->started = 1;
	lkl_measure_pause();
	lkl_vcpus_up = 1;
	lkl_vlock_start(cpu, lkl_cpu_free(boot) | LKL_CPU_LOCKED);
	lkl_drive(cpu, boot, call, false);
	if (!lkl_done(call))
		lkl_call_finish(cpu, boot, call);
}
