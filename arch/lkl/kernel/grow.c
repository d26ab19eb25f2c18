// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel that is told maxcpus=auto starts with one virtual CPU, and gets one more
 * whenever threads are seen to wait for each other, up to the number of processors
 * that the host lets the process use.
 *
 * A second CPU makes two threads faster that call all the time, and everything else
 * slower: atomic operations lock the bus from then on, and threads that answer each
 * other do so on two processors.  So only the first is a reason: time counts that a
 * thread waits for a CPU on which another one makes call after call.  In a tenth of a
 * window's time, all threads together, they wait too long.  A program with one thread
 * never does, and threads that answer each other are served by the combiner.
 *
 * Host threads see that, and interrupt the first CPU.  There a kernel thread has the
 * CPU brought up, as that sleeps.  No other CPU runs while lock prefixes are put into
 * the text.  Nothing is made for a CPU to go away again.
 *
 * CONFIG_HOTPLUG_CPU is not set, so that a CPU that comes up does not wait for what goes
 * through all of them and sleeps meanwhile.  That may leave it out, as if it had come
 * later.
 */
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/time64.h>
#include <asm/call.h>
#include <asm/host_ops.h>
#include "clock.h"
#include "grow.h"
#include "vlock.h"

#define __keep __section(".data..lkl_keep")

/* Threads wait too long that wait for so much of a window. */
#define LKL_GROW_WINDOW	(100 * NSEC_PER_MSEC)
#define LKL_GROW_WAITED	(LKL_GROW_WINDOW / 10)

u32 lkl_cpus_most __keep;
bool lkl_grows __keep;

/*
 * What threads write that do not hold a CPU, also while the state is copied.
 *
 * @began: when the window began
 * @waited: for how long threads have waited since
 * @asked: the kernel thread has been asked for another CPU
 */
static struct {
	u64 began;
	u64 waited;
	bool asked;
} lkl_grow __keep;

static struct task_struct *lkl_grower;

/* A boot begins. */
void lkl_grow_none(void)
{
	memset(&lkl_grow, 0, sizeof(lkl_grow));
}

static void lkl_grow_ask(u32 boot)
{
	if (__atomic_exchange_n(&lkl_grow.asked, true, __ATOMIC_SEQ_CST))
		return;
	__atomic_fetch_or(&lkl_cpu.interrupts, LKL_IPI_GROW, __ATOMIC_SEQ_CST);
	if (lkl_set_pending(&lkl_cpu, boot))
		lkl_timer_wake(&lkl_cpu);
}

/**
 * lkl_grow_for - a thread has waited for a CPU that another one uses all the time
 * @boot: number of the boot
 * @began: since when
 * @now: until when
 */
void lkl_grow_for(u32 boot, u64 began, u64 now)
{
	u64 window = READ_ONCE(lkl_grow.began);

	/* After a reset the clock is behind it. */
	if (now - window > LKL_GROW_WINDOW) {
		WRITE_ONCE(lkl_grow.waited, 0);
		WRITE_ONCE(lkl_grow.began, now);
		return;
	}
	if (__atomic_add_fetch(&lkl_grow.waited, now - began,
			       __ATOMIC_RELAXED) > LKL_GROW_WAITED)
		lkl_grow_ask(boot);
}

/* The first CPU was interrupted. */
void lkl_grow_wake(void)
{
	if (lkl_grower)
		wake_up_process(lkl_grower);
}

static void lkl_bring_up(unsigned int cpu)
{
	int err = lkl_set_locks(true);

	if (!err)
		err = cpu_device_up(get_cpu_device(cpu));
	if (!err) {
		pr_info("lkl: virtual CPU %u, as threads wait for each other\n",
			cpu);
	} else if (err != -EBUSY) {
		pr_warn("lkl: no more than %u virtual CPUs, as there cannot be another: error %d\n",
			cpu, -err);
		WRITE_ONCE(lkl_grows, false);
	}
}

static int lkl_grow_loop(void *unused)
{
	for (;;) {
		set_current_state(TASK_IDLE);
		if (!READ_ONCE(lkl_grow.asked)) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		if (lkl_may_grow() && !lkl_is_frozen())
			lkl_bring_up(lkl_vcpus_up);
		WRITE_ONCE(lkl_grow.began, lkl_ops->time());
		WRITE_ONCE(lkl_grow.waited, 0);
		__atomic_store_n(&lkl_grow.asked, false, __ATOMIC_SEQ_CST);
	}
}

static int __init lkl_grow_init(void)
{
	struct task_struct *task;

	if (!lkl_may_grow())
		return 0;
	task = kthread_create(lkl_grow_loop, NULL, "lkl_grow");
	if (IS_ERR(task))
		return PTR_ERR(task);
	/* Another CPU begins with what this one leaves of its lock. */
	kthread_bind(task, 0);
	lkl_grower = task;
	wake_up_process(task);
	return 0;
}
late_initcall(lkl_grow_init);
