// SPDX-License-Identifier: GPL-2.0-only
/*
 * Freeze, reset, thaw: the kernel's state is remembered, and returned to.
 *
 * A kernel whose virtual CPUs no thread holds is nothing but bytes: RAM, struct
 * pages, .data, .bss, some words of each virtual CPU, and what RAM is shown at which
 * addresses.  All but the words is the host's to remember (lkl_host_operations).
 *
 * What is done here is done by a thread that holds all virtual CPUs and is not in the
 * kernel.  It may not sleep, print, or look at current.  What it writes to itself, and
 * what belongs to threads that go on meanwhile, lies in the section of what outlives
 * a boot.
 *
 * A thread that was known to the kernel when it was frozen has its task in the
 * state, one that came later does not have it any more after a reset.  Neither knows.
 * So the boot gets a new number, and each thread asks for a task with its next call.
 * If one is there that was made for a thread with its number of the host, it is that.
 *
 * The kernel's clock goes on from when it was frozen: it is the host's, less what has
 * passed between that and the reset.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <asm/call.h>
#include <asm/host_ops.h>
#include <asm/kasan.h>
#include <asm/sections.h>
#include <asm/setup.h>
#include "contend.h"
#include "grow.h"
#include "vcpu.h"
#include "wakeup.h"

#define __keep __section(".data..lkl_keep")

/* How long to wait for a kernel that finds something to do, and for its CPU. */
#define LKL_REST_NS	NSEC_PER_SEC
#define LKL_PAUSE_NS	(50 * NSEC_PER_USEC)
/* With several CPUs, how long to wait for one while others are held, and for all. */
#define LKL_HOLD_NS	(20 * NSEC_PER_MSEC)
#define LKL_HOLD_ALL_NS	(10 * NSEC_PER_SEC)
/* Looks at the CPUs between which the thread does not sleep. */
#define LKL_LOOKS	64

extern char lkl_data_start[], lkl_data_end[];

/*
 * @on: a state is remembered
 * @resets: since boot there was a reset, so that a thread may find its task
 * @time: the kernel's clock in that state
 * @cpus: the virtual CPUs
 * @shift: the host's clock less the kernel's
 * @host: the host's own operations, those in @ops count by the kernel's clock
 */
static struct {
	bool on;
	bool resets;
	u64 time;
	struct lkl_vcpu cpus[NR_CPUS];
	u64 shift;
	struct lkl_host_operations *host;
	struct lkl_host_operations ops;
} lkl_frozen __keep;

static unsigned long long lkl_shifted_time(void)
{
	return lkl_frozen.host->time() - lkl_frozen.shift;
}

/* 0 is never, and 1 has passed. */
static unsigned long long lkl_shifted(unsigned long long deadline)
{
	return deadline > 1 ? deadline + lkl_frozen.shift : deadline;
}

static int lkl_shifted_wait(int *word, int val, unsigned long long deadline)
{
	return lkl_frozen.host->wait(word, val, lkl_shifted(deadline));
}

static int lkl_shifted_wait_held(struct lkl_signals *signals,
				 unsigned long long deadline)
{
	return lkl_frozen.host->wait_held(signals, lkl_shifted(deadline));
}

static int lkl_shifted_listen_wait(int *word, int val,
				   unsigned long long deadline,
				   struct lkl_signals *signals)
{
	return lkl_frozen.host->listen_wait(word, val, lkl_shifted(deadline),
					    signals);
}

/* From now on the host's operations count by a clock that can be put back. */
static void lkl_shift_clock(void)
{
	if (lkl_ops == &lkl_frozen.ops)
		return;
	lkl_frozen.host = lkl_ops;
	lkl_frozen.shift = 0;
	lkl_frozen.ops = *lkl_ops;
	lkl_frozen.ops.time = lkl_shifted_time;
	lkl_frozen.ops.wait = lkl_shifted_wait;
	lkl_frozen.ops.wait_held = lkl_shifted_wait_held;
	lkl_frozen.ops.listen_wait = lkl_shifted_listen_wait;
	smp_store_release(&lkl_ops, &lkl_frozen.ops);
}

/* A kernel starts whose clock shows @time. */
void lkl_clock_put(u64 time)
{
	lkl_shift_clock();
	lkl_frozen.shift = lkl_frozen.host->time() - time;
}

/* A boot begins. */
void lkl_freeze_none(void)
{
	lkl_frozen.on = false;
	lkl_frozen.resets = false;
}

/* A state is remembered. */
bool lkl_is_frozen(void)
{
	return READ_ONCE(lkl_frozen.on);
}

/* Release the first @n CPUs; what is pending for one is seen to by its thread. */
static void lkl_release_cpus(unsigned int n)
{
	while (n--) {
		lkl_timer_leave(&lkl_vcpus[n]);
		if (lkl_unlock(&lkl_vcpus[n]))
			lkl_timer_wake(&lkl_vcpus[n]);
	}
}

/*
 * One of the CPUs does not come to rest: perhaps it waits for another one, that this
 * thread holds most of the time.  Release the first @n, and drive those that want it.
 */
static void lkl_let_cpus_run(u32 boot, unsigned int n)
{
	struct lkl_vcpu *cpu;

	lkl_release_cpus(n);
	for (cpu = lkl_vcpus; cpu < lkl_vcpus + lkl_vcpus_up; cpu++)
		if (lkl_wants_driver(cpu, boot) && lkl_trylock(cpu, boot, NULL))
			lkl_drive(cpu, boot, NULL, false);
}

/* Take a CPU, while others are held if @waits; its thread may be long in the kernel. */
static bool lkl_hold_cpu(struct lkl_vcpu *cpu, u32 boot, bool waits)
{
	u64 end = waits ? lkl_ops->time() + LKL_HOLD_NS : 0;

	for (;;) {
		lkl_bias_revoke(cpu, boot);
		if (lkl_trylock(cpu, boot, NULL))
			return true;
		if (!waits || lkl_boot_gone(boot) || lkl_ops->time() > end)
			return false;
		lkl_ops->relax();
	}
}

/* Other CPUs do not wait for this one in the kernel, unless they interrupt it. */
static bool lkl_at_rest(struct lkl_vcpu *cpu)
{
	return lkl_vcpus_up == 1 || cpu->task->thread.in_user ||
	       is_idle_task(cpu->task);
}

/*
 * Take all CPUs, and have those be driven for which something is pending, if @quiet.
 * Returns whether that was all.
 */
static bool lkl_hold_cpus(u32 boot, bool quiet)
{
	unsigned int i;

	for (i = 0; i < lkl_vcpus_up; i++) {
		struct lkl_vcpu *cpu = &lkl_vcpus[i];

		if (!lkl_hold_cpu(cpu, boot, i > 0)) {
			lkl_let_cpus_run(boot, i);
			return false;
		}
		if (!lkl_at_rest(cpu) ||
		    (quiet && READ_ONCE(cpu->word) & LKL_CPU_PENDING)) {
			lkl_let_cpus_run(boot, i + 1);
			return false;
		}
	}
	/* One that was quiet may have been told something since. */
	for (i = 0; quiet && i < lkl_vcpus_up; i++) {
		if (READ_ONCE(lkl_vcpus[i].word) & LKL_CPU_PENDING) {
			lkl_let_cpus_run(boot, lkl_vcpus_up);
			return false;
		}
	}
	return true;
}

int lkl_kernel_hold(unsigned int boot, int quiet)
{
	u64 end = lkl_ops->time() + (quiet ? LKL_REST_NS : LKL_HOLD_ALL_NS);
	static int never;
	int looks = 0;

	while (!lkl_boot_gone(boot)) {
		if (lkl_hold_cpus(boot, quiet))
			return 0;
		if ((quiet || lkl_vcpus_up > 1) && lkl_ops->time() > end)
			return -EBUSY;
		if (++looks % LKL_LOOKS)
			lkl_ops->relax();
		else
			lkl_ops->wait(&never, 0, lkl_ops->time() + LKL_PAUSE_NS);
	}
	return -ENOSYS;
}

void lkl_kernel_let_go(void)
{
	u32 boot = lkl_kernel_boots();

	if (lkl_vcpus_up > 1) {
		lkl_release_cpus(lkl_vcpus_up);
		return;
	}
	lkl_timer_leave(&lkl_cpu);
	if (!lkl_release(&lkl_cpu, boot))
		lkl_drive(&lkl_cpu, boot, NULL, false);
}

/* The request that a task serves, or is going to. */
static struct lkl_call *lkl_call_of(struct task_struct *task)
{
	return task->thread.active ?: task->thread.call;
}

bool lkl_has_calls(void)
{
	struct task_struct *process, *task;
	unsigned int i;

	for_each_process_thread(process, task)
		if (lkl_call_of(task))
			return true;
	for (i = 0; i < lkl_vcpus_up; i++)
		if (READ_ONCE(lkl_vcpus[i].requests))
			return true;
	return false;
}

/* All is about to change under the calls that there are. */
static void lkl_end_calls(u32 boot)
{
	struct task_struct *process, *task;
	unsigned int i;

	for_each_process_thread(process, task) {
		struct lkl_call *call = lkl_call_of(task);

		if (call) {
			lkl_made_task(call);
			lkl_refuse(call, -ESHUTDOWN);
		}
	}
	lkl_refuse_tasks();
	for (i = 0; i < lkl_vcpus_up; i++)
		lkl_refuse_calls(&lkl_vcpus[i], boot);
}

long lkl_kernel_freeze(void)
{
	struct lkl_host_range ranges[] = {
		{ (unsigned long)lkl_data_start, lkl_data_end - lkl_data_start },
		{ (unsigned long)__bss_start, __bss_stop - __bss_start },
#ifdef CONFIG_KASAN
		/* The shadow of RAM. */
		{ LKL_KASAN_SHADOW(LKL_RAM_BASE),
		  PAGE_ALIGN(lkl_mem_size >> KASAN_SHADOW_SCALE_SHIFT) },
#endif
	};
	int err;

	if (!lkl_ops->freeze || !lkl_ops->reset || !lkl_ops->thaw)
		return -EOPNOTSUPP;
	if (lkl_frozen.on || lkl_has_calls())
		return -EBUSY;
	lkl_shift_clock();
	/* Its flags would tell of threads that have gone on since. */
	lkl_bias_stop();
	lkl_leave_combiner();
	lkl_frozen.time = lkl_ops->time();
	memcpy(lkl_frozen.cpus, lkl_vcpus, sizeof(lkl_frozen.cpus));
	err = lkl_ops->freeze(ranges, ARRAY_SIZE(ranges));
	lkl_frozen.on = !err;
	if (err)
		lkl_bias_start();
	return err;
}

/* What comes before percpu belongs to host threads and is not state. */
static void lkl_reset_cpu(struct lkl_vcpu *cpu)
{
	struct lkl_vcpu *was = &lkl_frozen.cpus[cpu - lkl_vcpus];

	cpu->interrupts = 0;
	memcpy(&cpu->percpu, &was->percpu,
	       sizeof(*cpu) - offsetof(struct lkl_vcpu, percpu));
	cpu->timer_check = 1;
}

void lkl_kernel_reset(void)
{
	u32 old = lkl_kernel_boots(), boot = lkl_new_boot();
	struct lkl_vcpu *end = lkl_vcpus + lkl_vcpus_up, *cpu;
	u64 now;

	/* Before calls are ended: none may come that would wait for its end. */
	for (cpu = lkl_vcpus; cpu < end; cpu++)
		lkl_vlock_start(cpu, lkl_cpu_free(boot) | LKL_CPU_LOCKED);
	lkl_end_calls(old);
	for (cpu = lkl_vcpus; cpu < end; cpu++)
		lkl_hide_tasks(cpu);
	lkl_ops->reset();

	for (cpu = lkl_vcpus; cpu < end; cpu++)
		lkl_reset_cpu(cpu);
	now = lkl_ops->time();
	lkl_frozen.shift += now - lkl_frozen.time;
	for (cpu = lkl_vcpus; cpu < end; cpu++)
		lkl_timer_rebase(cpu, boot, now - lkl_frozen.time);
	lkl_frozen.resets = true;
	/* In case that the time of an event came before the number did. */
	for (cpu = lkl_vcpus; cpu < end; cpu++)
		lkl_set_pending(cpu, boot);
}

long lkl_kernel_thaw(void)
{
	int err = lkl_ops->thaw();

	if (err)
		return err;
	lkl_frozen.on = false;
	lkl_bias_start();
	return 0;
}

/**
 * lkl_adopt_task - let a thread have the task that it had before
 * @call: its request for a task
 *
 * The number may be that of a thread which has ended, and whose task the reset has
 * brought back.  That is as good.
 *
 * Return: whether there is one
 */
bool lkl_adopt_task(struct lkl_call *call)
{
	struct task_struct *task;

	if (likely(!lkl_frozen.resets))
		return false;
	guard(rcu)();
	for_each_thread(find_task_by_pid_ns(1, &init_pid_ns), task) {
		if (task->thread.host_tid != call->nr || lkl_call_of(task) ||
		    task->flags & PF_EXITING)
			continue;
		call->task = task;
		return true;
	}
	return false;
}
