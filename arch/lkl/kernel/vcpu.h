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

/* With several CPUs, threads that look for one which wants a driver. */
extern int lkl_spinners;

void lkl_drive(struct lkl_vcpu *cpu, u32 boot, struct lkl_call *call,
	       bool stays);
void lkl_drive_timer(struct lkl_vcpu *cpu, u32 boot, bool pending);
void lkl_kick_boot(struct lkl_vcpu *cpu, u32 boot);
void lkl_demand_resched(struct lkl_vcpu *cpu);
void lkl_hide_tasks(struct lkl_vcpu *cpu);
void lkl_end_boot(struct lkl_vcpu *cpu, u32 boot);
void lkl_stopped(struct lkl_vcpu *cpu);

/* Switch to the fiber of current, and come back when it leaves. */
static __always_inline enum lkl_left lkl_enter(struct lkl_vcpu *cpu)
{
	return (long)lkl_fiber_enter(cpu, cpu->task->thread.sp);
}

/*
 * Drive until nothing is runnable or, once @call is done, this thread has done
 * enough for others.  The CPU is locked by the caller; it is not on return.
 */
static __always_inline void __lkl_drive(struct lkl_vcpu *cpu, u32 boot,
					struct lkl_call *call, bool stays)
{
	struct lkl_call *sleeper;
	int rounds = 0;
	bool held;

	for (;;) {
		enum lkl_left why;

		cpu->driving = call;
		if (stays)
			cpu->stays = true;
		why = lkl_enter(cpu);
		if (stays)
			cpu->stays = false;
		if (unlikely(why >= LKL_LEFT_HALT)) {
			if (why == LKL_LEFT_HALT)
				lkl_end_boot(cpu, boot);
			else
				lkl_stopped(cpu);
			return;
		}
		/* A thread that is going to sleep minds the timer itself. */
		if (unlikely(cpu->timer_check) && (!call || lkl_done(call)))
			lkl_timer_leave(cpu);
		if (unlikely(why == LKL_LEFT_HANDOVER)) {
			/* The fiber is not at rest: leave a reason to come. */
			cpu->driving = NULL;
			lkl_bias_drop(cpu, boot);
			lkl_wake_sleeper(cpu);
			lkl_set_pending(cpu, boot);
			rounds = LKL_EXTRA_ROUNDS;
		} else {
			cpu->driving = NULL;
			sleeper = cpu->sleeper;
			held = cpu->sleeper_held;
			cpu->sleeper = NULL;
			if (lkl_release(cpu, boot)) {
				if (unlikely(sleeper))
					lkl_wake_call(sleeper, held);
				return;
			}
			cpu->sleeper = sleeper;
			if (!call || !lkl_done(call))
				continue;
			lkl_wake_sleeper(cpu);
		}
		if (++rounds > LKL_EXTRA_ROUNDS) {
			lkl_unlock(cpu);
			lkl_timer_wake(cpu);
			return;
		}
	}
}

#endif /* _LKL_VCPU_H */
