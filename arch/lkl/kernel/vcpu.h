/* SPDX-License-Identifier: GPL-2.0-only */
/* The loop that drives the virtual CPU; vcpu.c tells more. */
#ifndef _LKL_VCPU_H
#define _LKL_VCPU_H

#include <linux/sched.h>
#include <asm/call.h>
#include <asm/cpu.h>
#include <asm/fiber.h>
#include <asm/host_ops.h>
#include "clock.h"
#include "request.h"
#include "vlock.h"

/* Rounds through the kernel a thread makes for others once its call is done. */
#define LKL_EXTRA_ROUNDS	8

/* The driver is the timer thread and may stay as long as there is work. */
extern bool lkl_driver_stays;

void lkl_drive(u32 boot, struct lkl_call *call, bool stays);
void lkl_drive_timer(u32 boot, bool pending);
void lkl_kick_boot(u32 boot);
void lkl_demand_resched(void);
void lkl_hide_tasks(void);
void lkl_end_boot(u32 boot);

/* Switch to the fiber of current, and come back when it leaves. */
static __always_inline enum lkl_left lkl_enter(void)
{
	return (long)lkl_fiber_switch(&lkl_cpu.host_sp, current->thread.sp,
				      NULL);
}

/*
 * Drive until nothing is runnable or, once @call is done, this thread has done
 * enough for others.  The CPU is locked by the caller; it is not on return.
 */
static __always_inline void __lkl_drive(u32 boot, struct lkl_call *call,
					bool stays)
{
	struct lkl_call *sleeper;
	int rounds = 0;
	bool held;

	for (;;) {
		enum lkl_left why;

		lkl_driving = call;
		lkl_driver_stays = stays;
		why = lkl_enter();
		if (unlikely(why == LKL_LEFT_HALT)) {
			lkl_end_boot(boot);
			return;
		}
		/* A thread that is going to sleep minds the timer itself. */
		if (unlikely(lkl_cpu.timer_check) && (!call || lkl_done(call)))
			lkl_timer_leave();
		if (unlikely(why == LKL_LEFT_HANDOVER)) {
			/* The fiber is not at rest: leave a reason to come. */
			lkl_driving = NULL;
			lkl_bias_drop(boot);
			lkl_wake_sleeper();
			lkl_set_pending(boot);
			rounds = LKL_EXTRA_ROUNDS;
		} else {
			lkl_driving = NULL;
			sleeper = lkl_sleeper;
			held = lkl_sleeper_held;
			lkl_sleeper = NULL;
			if (lkl_release(boot)) {
				if (unlikely(sleeper))
					lkl_wake_call(sleeper, held);
				return;
			}
			lkl_sleeper = sleeper;
			if (!call || !lkl_done(call))
				continue;
			lkl_wake_sleeper();
		}
		if (++rounds > LKL_EXTRA_ROUNDS) {
			lkl_unlock();
			lkl_timer_wake();
			return;
		}
	}
}

#endif /* _LKL_VCPU_H */
