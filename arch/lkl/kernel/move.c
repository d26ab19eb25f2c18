// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel goes on in a forked process, instead of the one that has it.
 *
 * A kernel whose virtual CPUs no thread holds is nothing but memory.  The forked
 * process is given all of it, at the same addresses.  What it does not have are
 * threads: the kernel's own end before the fork, and begin anew after it.  Of the
 * program's none may be in the middle of a call; their tasks stay, parked.
 *
 * What is done here is done by a thread that holds all virtual CPUs and is not in the
 * kernel.  They are taken before the fork, and given back in the forked process only:
 * so calls that threads of the parent begin meanwhile wait, until it ends.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <asm/call.h>
#include <asm/host_ops.h>
#include "clock.h"
#include "contend.h"
#include "grow.h"
#include "vcpu.h"
#include "wakeup.h"

static bool lkl_is_in_call(void)
{
	struct task_struct *process, *task;

	for_each_process_thread(process, task)
		if (task->thread.active || task->thread.call)
			return true;
	return false;
}

int lkl_kernel_leave(void)
{
	if (lkl_is_in_call())
		return -EBUSY;
	lkl_leave_combiner();
	lkl_timer_stop();
	return 0;
}

int lkl_kernel_enter(int forked)
{
	struct lkl_vcpu *end = lkl_vcpus + lkl_vcpus_up, *cpu;
	u32 boot = lkl_kernel_boots();
	int err;

	/* Requests that no thread waits for any more, and threads that are not here. */
	if (forked) {
		for (cpu = lkl_vcpus; cpu < end; cpu++)
			WRITE_ONCE(cpu->requests, NULL);
		lkl_refuse_tasks();
		WRITE_ONCE(lkl_spinners, 0);
	}
	err = lkl_timer_start(boot, lkl_cpus_most);
	if (err)
		return err;
	for (cpu = lkl_vcpus; cpu < end; cpu++) {
		/* An event may have come in between. */
		WRITE_ONCE(lkl_minder_of(cpu)->due, true);
		lkl_set_pending(cpu, boot);
	}
	return 0;
}
