// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual CPU and the host threads that drive it.
 *
 * Kernel tasks are fibers: a kernel stack and a saved stack pointer.  The host
 * thread that holds the CPU's lock *drives*: it switches from its own stack to
 * the fiber of `current`, from where the scheduler switches between fibers, until
 * one of them switches back (lkl_leave) because its task is in "user mode" or
 * nothing is runnable.  Any driver runs any task.
 *
 * Interrupts never wait for the CPU: a thread that raises one sets the pending
 * bit in the lock word.  If the CPU was free it takes it and drives; if not, the
 * holder finds the bit wherever it enables interrupts, and at the latest when it
 * releases the lock, because that fails while the bit is set.
 *
 * A driver whose own request is done leaves as soon as nothing is runnable, or
 * at the next timer interrupt: then the timer thread, which has no request of
 * its own, takes over.  The fiber may be in the middle of kernel code at that
 * moment; it goes on when a driver switches to it again.
 *
 * A forked child has a copy of everything but no right to use it: the lock word
 * is in a page that the host empties on fork, so the child finds no kernel.
 */
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <asm/fpu/api.h>
#include "vcpu.h"

struct lkl_cpu lkl_cpu __aligned(PAGE_SIZE) __section(".data..lkl_cpu");

struct task_struct *lkl_current = &init_task;

bool lkl_driver_stays;

/* The last task that was blocked in the middle of a call, unless it has ended. */
struct task_struct *lkl_blocked;

noinline void lkl_drive(u32 boot, struct lkl_call *call, bool stays)
{
	__lkl_drive(boot, call, stays);
}

/* Drive if the CPU is free, else leave the pending bit to its holder. */
void lkl_kick_boot(u32 boot)
{
	if (lkl_set_pending(boot) && lkl_trylock(boot, NULL))
		lkl_drive(boot, NULL, false);
}

/**
 * lkl_kick_cpu - something is pending; see that it is noticed
 *
 * From any host thread, also one that drives.
 */
void lkl_kick_cpu(void)
{
	u32 boot = lkl_kernel_boots();

	if (boot)
		lkl_kick_boot(boot);
}

/**
 * lkl_kick_other - something is pending; have another thread notice it
 *
 * For a caller that has better things to do than to drive.  A thread that sleeps
 * in a call is woken instead; mostly it is its call that waits for this.
 *
 * Return: whether the CPU is free and there is no such thread
 */
bool lkl_kick_other(void)
{
	u32 boot = lkl_kernel_boots();
	struct lkl_call *call;
	int was = 0;

	if (!boot || !lkl_set_pending(boot) || !lkl_trylock(boot, NULL))
		return false;
	/* No call ends while the CPU is locked. */
	call = lkl_blocked ? lkl_blocked->thread.active : NULL;
	if (call) {
		was = __atomic_load_n(&call->state, __ATOMIC_RELAXED);
		if ((was != LKL_CALL_SLEEPING && was != LKL_CALL_HELD) ||
		    !__atomic_compare_exchange_n(&call->state, &was,
						 LKL_CALL_RUNNING, false,
						 __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			call = NULL;
	}
	lkl_unlock();
	if (call)
		lkl_wake_call(call, was == LKL_CALL_HELD);
	return !call;
}

/**
 * lkl_drive_timer - let the timer thread run the kernel
 * @boot: boot it belongs to
 * @pending: only if there is work already
 */
void lkl_drive_timer(u32 boot, bool pending)
{
	bool free = pending ? lkl_wants_driver(boot) : lkl_set_pending(boot);

	if (pending && !free)
		return;
	lkl_watch();
	if (free && lkl_trylock(boot, NULL))
		lkl_drive(boot, NULL, true);
}

/* The kernel has halted: no fiber is in use any more, the rest is the host's. */
noinline void lkl_end_boot(u32 boot)
{
	lkl_driving = NULL;
	lkl_wake_sleeper();
	lkl_vlock_stop();
	if (lkl_refuse_calls(boot))
		lkl_kick_cpu();
	lkl_refuse(lkl_halt_call, 0);
}

/**
 * lkl_want_handover - should the driver be relieved?
 *
 * Asked at timer interrupts, so that a thread works for others no longer than
 * a tick.
 */
bool lkl_want_handover(void)
{
	struct lkl_call *call = lkl_driving;

	if (lkl_driver_stays || READ_ONCE(lkl_fpu_busy))
		return false;
	/* A signal ends a call that is blocked only if its thread sleeps. */
	return !call || lkl_done(call) ||
	       (call->task && !task_is_running(call->task));
}

/*
 * The task that lkl_demand_resched() looks at, which must not be freed meanwhile.
 * It is not part of the state that a reset returns to.
 */
static struct task_struct *lkl_looked_at __section(".data..lkl_keep");

/**
 * lkl_demand_resched - have the driver see to what is pending
 *
 * Kernel code that runs for long, and does not enable interrupts, asks now and
 * then whether it should let others run.  For the watchdog thread only.
 */
void lkl_demand_resched(void)
{
	struct task_struct *task;

	if (!lkl_holder_is_late())
		return;
	task = READ_ONCE(lkl_current);
	__atomic_store_n(&lkl_looked_at, task, __ATOMIC_SEQ_CST);
	if (task && READ_ONCE(lkl_current) == task)
		__atomic_fetch_or(&task_thread_info(task)->flags,
				  _TIF_NEED_RESCHED, __ATOMIC_SEQ_CST);
	__atomic_store_n(&lkl_looked_at, NULL, __ATOMIC_SEQ_CST);
}

/* All tasks are about to change, the CPU is held. */
void lkl_hide_tasks(void)
{
	WRITE_ONCE(lkl_current, NULL);
	smp_mb();
	while (READ_ONCE(lkl_looked_at))
		lkl_ops->relax();
}

/* The memory of a task is about to be freed. */
void arch_release_task_struct(struct task_struct *task)
{
	/*
	 * The task is not lkl_current any more, which lkl_demand_resched() looks
	 * at after it has set lkl_looked_at.
	 */
	smp_mb();
	while (READ_ONCE(lkl_looked_at) == task)
		lkl_ops->relax();
}
