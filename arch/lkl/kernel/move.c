// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel goes on in a forked process, instead of the one that has it.
 *
 * A kernel whose virtual CPU no thread holds is nothing but memory.  The forked
 * process is given all of it, at the same addresses.  What it does not have are
 * threads: the kernel's own end before the fork, and begin anew after it.  Of the
 * program's none may be in the middle of a call; their tasks stay, parked.
 *
 * What is done here is done by a thread that holds the virtual CPU and is not in the
 * kernel.  That is taken before the fork, and given back in the forked process only:
 * so calls that threads of the parent begin meanwhile wait, until it ends.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <asm/call.h>
#include <asm/host_ops.h>
#include "clock.h"
#include "contend.h"
#include "vlock.h"
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
	/* The threads of the others would have to begin anew, too. */
	if (lkl_vcpus_up > 1)
		return -EOPNOTSUPP;
	if (lkl_is_in_call())
		return -EBUSY;
	lkl_leave_combiner();
	lkl_timer_stop();
	return 0;
}

int lkl_kernel_enter(int forked)
{
	u32 boot = lkl_kernel_boots();
	int err;

	/* Requests that no thread waits for any more. */
	if (forked) {
		WRITE_ONCE(lkl_cpu.requests, NULL);
		lkl_refuse_tasks();
	}
	err = lkl_timer_start(boot, 1);
	if (err)
		return err;
	/* An event may have come in between. */
	WRITE_ONCE(lkl_minder_of(&lkl_cpu)->due, true);
	lkl_set_pending(&lkl_cpu, boot);
	return 0;
}
