// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several virtual CPUs: how they start, interrupt each other, and stop.
 *
 * The kernel's text comes without lock prefixes, which one CPU does not need.  They
 * are put in before the second CPU starts.
 */
#include <linux/clockchips.h>
#include <linux/cpu.h>
#include <linux/hardirq.h>
#include <linux/rcupdate.h>
#include <linux/rcutree.h>
#include <linux/sched.h>
#include <linux/sched/hotplug.h>
#include <linux/sched/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/smp.h>
#include <asm/call.h>
#include <asm/host_ops.h>
#include <asm/sections.h>
#include "clock.h"
#include "contend.h"
#include "grow.h"
#include "vlock.h"

/* Pauses of a thread that waits for another CPU until it yields to others. */
#define LKL_SPIN_PAUSES		1000
/* Times it yields until it sleeps, and for how long, in nanoseconds. */
#define LKL_SPIN_YIELDS		20
#define LKL_SPIN_SLEEP		50000

#define LKL_NO_PREFIX		0x3e
#define LKL_LOCK_PREFIX		0xf0

extern s32 __start_smp_locks[], __stop_smp_locks[];

static bool lkl_have_locks __section(".data..lkl_keep");

void lkl_spin_wait(int *value);

/*
 * A thread waits for what another CPU does, whose thread the host may have taken
 * the processor from.
 */
static void lkl_wait_round(unsigned int round)
{
	static int never;

	__builtin_ia32_pause();
	if (round % LKL_SPIN_PAUSES)
		return;
	if (round / LKL_SPIN_PAUSES < LKL_SPIN_YIELDS)
		lkl_ops->relax();
	else
		lkl_ops->wait(&never, 0, lkl_ops->time() + LKL_SPIN_SLEEP);
}

/* For x86/spin.S: the lock was not free. */
void lkl_spin_wait(int *value)
{
	unsigned int round = 0;

	do {
		while (READ_ONCE(*value) <= 0)
			lkl_wait_round(++round);
	} while (__atomic_fetch_sub(value, 1, __ATOMIC_ACQUIRE) != 1);
}

static DEFINE_PER_CPU(unsigned int, lkl_relaxed);

/**
 * lkl_relax - wait a little, for cpu_relax()
 */
void lkl_relax(void)
{
	if (READ_ONCE(lkl_vcpus_up) > 1 &&
	    __this_cpu_inc_return(lkl_relaxed) % LKL_SPIN_PAUSES == 0)
		lkl_ops->relax();
	else
		__builtin_ia32_pause();
	if (lkl_this_pending() && lkl_this->irqs_on)
		lkl_run_pending();
}

/**
 * lkl_set_locks - have atomic operations lock the bus, or not
 * @locks: whether they should
 *
 * There is one CPU, which this runs on.  What host threads execute meanwhile has
 * locked operations of its own.
 *
 * Return: 0 or -errno
 */
int lkl_set_locks(bool locks)
{
	unsigned long size = _einittext - _stext;
	s32 *at;
	int err;

	if (lkl_have_locks == locks)
		return 0;
	err = lkl_ops->patch((unsigned long)_stext, size, 1);
	if (err)
		return err;
	for (at = __start_smp_locks; at < __stop_smp_locks; at++)
		WRITE_ONCE(*((u8 *)at + *at),
			   locks ? LKL_LOCK_PREFIX : LKL_NO_PREFIX);
	lkl_have_locks = locks;
	return lkl_ops->patch((unsigned long)_stext, size, 0);
}

void __init smp_prepare_boot_cpu(void)
{
	lkl_this->percpu = per_cpu_offset(0);
}

void __init smp_prepare_cpus(unsigned int max)
{
	unsigned int cpu;
	int err = lkl_set_locks(max > 1);

	if (err) {
		pr_warn("lkl: one CPU only, as code cannot be changed: error %d\n",
			-err);
		return;
	}
	for_each_possible_cpu(cpu)
		set_cpu_present(cpu, true);
}

/* First function of another CPU's idle task. */
static void lkl_secondary(void *unused)
{
	unsigned int cpu = smp_processor_id();

	mmgrab(&init_mm);
	current->active_mm = &init_mm;
	rcutree_report_cpu_starting(cpu);
	notify_cpu_starting(cpu);
	lkl_timer_add();
	set_cpu_online(cpu, true);
	local_irq_enable();
	cpu_startup_entry(CPUHP_AP_ONLINE_IDLE);
}

int __cpu_up(unsigned int cpu, struct task_struct *idle)
{
	struct lkl_fiber_start_frame *frame = task_stack_page(idle) + THREAD_SIZE;
	struct lkl_vcpu *vcpu = &lkl_vcpus[cpu];
	u32 boot = lkl_kernel_boots();

	/* The state that is remembered has fewer. */
	if (lkl_is_frozen())
		return -EBUSY;
	frame--;
	memset(frame, 0, sizeof(*frame));
	frame->ip = lkl_fiber_boot;
	frame->fn = lkl_secondary;
	idle->thread.sp = frame;
	vcpu->percpu = per_cpu_offset(cpu);
	vcpu->cpu = cpu;
	vcpu->task = idle;
	lkl_idle_tasks[cpu] = idle;
	lkl_bias_drop(&lkl_cpu, boot);
	/* The task of the thread that drives may be blocked on the new one. */
	if (system_state == SYSTEM_RUNNING && lkl_this->driving)
		lkl_hold_signals(lkl_this->driving);
	WRITE_ONCE(lkl_combiner.task, LKL_SEVERAL);
	lkl_vcpus_up = cpu + 1;
	lkl_vlock_start(vcpu, lkl_cpu_free(boot) | LKL_CPU_PENDING);
	lkl_timer_wake(vcpu);
	while (!cpu_online(cpu))
		lkl_ops->relax();
	return 0;
}

void __init smp_cpus_done(unsigned int max)
{
}

static void lkl_send(unsigned int cpu, u32 bit)
{
	struct lkl_vcpu *vcpu = &lkl_vcpus[cpu];

	__atomic_fetch_or(&vcpu->interrupts, bit, __ATOMIC_SEQ_CST);
	lkl_kick_from_kernel(vcpu);
}

void arch_smp_send_reschedule(int cpu)
{
	lkl_send(cpu, LKL_IPI_RESCHEDULE);
}

void arch_send_call_function_single_ipi(int cpu)
{
	lkl_send(cpu, LKL_IPI_CALL);
}

void arch_send_call_function_ipi_mask(const struct cpumask *mask)
{
	unsigned int cpu;

	for_each_cpu(cpu, mask)
		lkl_send(cpu, LKL_IPI_CALL);
}

/**
 * lkl_handle_ipis - deal with interrupts from other CPUs
 */
void lkl_handle_ipis(void)
{
	u32 bits = __atomic_exchange_n(&lkl_this->interrupts, 0,
				       __ATOMIC_SEQ_CST);

	while (bits & LKL_IPI_STOP)
		lkl_leave(LKL_LEFT_STOP);
	irq_enter();
	if (bits & LKL_IPI_RESCHEDULE)
		scheduler_ipi();
	if (bits & LKL_IPI_GROW)
		lkl_grow_wake();
	if (bits & LKL_IPI_CALL)
		generic_smp_call_function_interrupt();
	irq_exit();
}

/**
 * lkl_stop_others - stop all CPUs but this one for good
 */
void lkl_stop_others(void)
{
	unsigned int cpu, this = smp_processor_id();

	for (cpu = 0; cpu < lkl_vcpus_up; cpu++) {
		if (cpu == this)
			continue;
		lkl_send(cpu, LKL_IPI_STOP);
		/* One that still runs may send interrupts to one that has stopped. */
		while (!(READ_ONCE(lkl_vcpus[cpu].interrupts) & LKL_CPU_STOPPED))
			lkl_ops->relax();
	}
}

void smp_send_stop(void)
{
}
