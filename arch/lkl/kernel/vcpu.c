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

struct lkl_vcpu lkl_vcpus[NR_CPUS] __aligned(PAGE_SIZE) __section(".data..lkl_cpu");

u32 lkl_vcpus_up __section(".data..lkl_keep");

int lkl_spinners __section(".data..lkl_keep");

noinline void lkl_drive(struct lkl_vcpu *cpu, u32 boot, struct lkl_call *call,
			bool stays)
{
	__lkl_drive(cpu, boot, call, stays);
}

/* Drive if the CPU is free, else leave the pending bit to its holder. */
void lkl_kick_boot(struct lkl_vcpu *cpu, u32 boot)
{
	if (lkl_set_pending(cpu, boot) && lkl_trylock(cpu, boot, NULL))
		lkl_drive(cpu, boot, NULL, false);
}

/* The CPU on whose fiber this runs, or NULL on the stack of a host thread. */
static struct lkl_vcpu *lkl_nested(void)
{
	unsigned long sp = (unsigned long)__builtin_frame_address(0);
	struct lkl_vcpu *cpu;

	for (cpu = lkl_vcpus; cpu < lkl_vcpus + lkl_vcpus_up; cpu++) {
		struct task_struct *task = READ_ONCE(cpu->task);

		if (lkl_maybe_inside(cpu) && task &&
		    sp - (unsigned long)READ_ONCE(task->stack) < THREAD_SIZE)
			return cpu;
	}
	return NULL;
}

/**
 * lkl_kick_any - something is pending for any CPU; see that it is noticed
 *
 * From any host thread, also one that drives.
 */
void lkl_kick_any(void)
{
	struct lkl_vcpu *cpu = &lkl_cpu;
	u32 boot = lkl_kernel_boots();

	if (!boot)
		return;
	if (lkl_vcpus_up > 1) {
		cpu = lkl_nested();
		if (cpu) {
			lkl_set_pending(cpu, boot);
			return;
		}
		cpu = &lkl_vcpus[lkl_vcpus_up - 1];
		while (cpu > lkl_vcpus && lkl_locked(cpu))
			cpu -= 1;
	}
	lkl_kick_boot(cpu, boot);
}

/**
 * lkl_kick_from_kernel - something is pending for a CPU; in kernel context
 * @cpu: the CPU
 */
void lkl_kick_from_kernel(struct lkl_vcpu *cpu)
{
	/* Who spins looks once more before it sleeps. */
	if (lkl_set_pending(cpu, lkl_kernel_boots()) &&
	    !__atomic_load_n(&lkl_spinners, __ATOMIC_SEQ_CST))
		lkl_timer_wake(cpu);
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
	struct lkl_vcpu *cpu = &lkl_cpu;
	u32 boot = lkl_kernel_boots();
	struct lkl_call *call;
	int was = 0;

	if (!boot || !lkl_set_pending(cpu, boot) ||
	    !lkl_trylock(cpu, boot, NULL))
		return false;
	/* With one CPU, no call ends while it is locked. */
	call = NULL;
	if (lkl_vcpus_up == 1 && cpu->blocked)
		call = cpu->blocked->thread.active;
	if (call) {
		was = __atomic_load_n(&call->state, __ATOMIC_RELAXED);
		if ((was != LKL_CALL_SLEEPING && was != LKL_CALL_HELD) ||
		    !__atomic_compare_exchange_n(&call->state, &was,
						 LKL_CALL_RUNNING, false,
						 __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			call = NULL;
	}
	lkl_unlock(cpu);
	if (call)
		lkl_wake_call(call, was == LKL_CALL_HELD);
	return !call;
}

/**
 * lkl_drive_timer - let a timer thread run the kernel
 * @cpu: CPU it belongs to
 * @boot: boot it belongs to
 * @pending: only if there is work already
 */
void lkl_drive_timer(struct lkl_vcpu *cpu, u32 boot, bool pending)
{
	bool free = pending ? lkl_wants_driver(cpu, boot) :
			      lkl_set_pending(cpu, boot);

	if (pending && !free)
		return;
	lkl_watch();
	if (free && lkl_trylock(cpu, boot, NULL))
		lkl_drive(cpu, boot, NULL, true);
}

/* The kernel has halted: no fiber is in use any more, the rest is the host's. */
noinline void lkl_end_boot(struct lkl_vcpu *cpu, u32 boot)
{
	unsigned int i, up = lkl_vcpus_up;
	bool others = false;

	cpu->driving = NULL;
	lkl_wake_sleeper(cpu);
	lkl_vlock_stop();
	for (i = 0; i < up; i++)
		others |= lkl_refuse_calls(&lkl_vcpus[i], boot);
	if (others)
		lkl_kick_any();
	lkl_refuse(lkl_halt_call, 0);
}

/* Another CPU halts the kernel; this one stays locked. */
noinline void lkl_stopped(struct lkl_vcpu *cpu)
{
	cpu->driving = NULL;
	lkl_wake_sleeper(cpu);
	__atomic_store_n(&cpu->interrupts, LKL_CPU_STOPPED, __ATOMIC_SEQ_CST);
}

/**
 * lkl_want_handover - should the driver be relieved?
 *
 * Asked at timer interrupts, so that a thread works for others no longer than
 * a tick.
 */
bool lkl_want_handover(void)
{
	struct lkl_vcpu *cpu = lkl_this;
	struct lkl_call *call = cpu->driving;

	if (cpu->stays || READ_ONCE(cpu->fpu_busy))
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
 * @cpu: the CPU it drives
 *
 * Kernel code that runs for long, and does not enable interrupts, asks now and
 * then whether it should let others run.  For the watchdog thread only.
 */
void lkl_demand_resched(struct lkl_vcpu *cpu)
{
	struct task_struct *task;

	if (!lkl_holder_is_late(cpu))
		return;
	task = READ_ONCE(cpu->task);
	__atomic_store_n(&lkl_looked_at, task, __ATOMIC_SEQ_CST);
	if (task && READ_ONCE(cpu->task) == task)
		__atomic_fetch_or(&task_thread_info(task)->flags,
				  _TIF_NEED_RESCHED, __ATOMIC_SEQ_CST);
	__atomic_store_n(&lkl_looked_at, NULL, __ATOMIC_SEQ_CST);
}

/* All tasks are about to change, the CPU is held, and there is no other. */
void lkl_hide_tasks(struct lkl_vcpu *cpu)
{
	WRITE_ONCE(cpu->task, NULL);
	smp_mb();
	while (READ_ONCE(lkl_looked_at))
		lkl_ops->relax();
}

/* The memory of a task is about to be freed. */
void arch_release_task_struct(struct task_struct *task)
{
	/*
	 * The task runs on no CPU any more, which lkl_demand_resched() looks at
	 * after it has set lkl_looked_at.
	 */
	smp_mb();
	while (READ_ONCE(lkl_looked_at) == task)
		lkl_ops->relax();
}
