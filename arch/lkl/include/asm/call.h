/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests of host threads and the fibers that serve them; see kernel/call.c.
 */
#ifndef _ASM_LKL_CALL_H
#define _ASM_LKL_CALL_H

#include <linux/cache.h>
#include <linux/types.h>
#include <linux/sched.h>
#include <asm/cpu.h>
#include <asm/fiber.h>
#include <asm/host_ops.h>

/* Values of lkl_call.state, a futex word. */
#define LKL_CALL_RUNNING	0
#define LKL_CALL_DONE		1
#define LKL_CALL_SLEEPING	2
/* Asleep as well, while signals are held back; its thread waits to be woken. */
#define LKL_CALL_HELD		3

/**
 * struct lkl_call - one request, on the stack of the host thread that makes it
 * @next: link in the list of requests that wait for the CPU to notice them
 * @task: the task that serves it; NULL asks for a new one
 * @fn: kernel function to run, NULL for a system call
 * @arg: its argument
 * @nr: system call number
 * @params: its parameters
 * @ret: the result
 * @boot: boot it was made in
 * @state: LKL_CALL_*
 * @queued: it is on the list
 * @held: handlers of signals do not run on its thread without being noticed
 * @started: its task has been given the request
 * @interrupted: a host signal wants it to end with -EINTR
 * @waited: its task was blocked
 * @by_call: it ended in the course of another request
 * @signals: what the host needs to know for that
 */
struct lkl_call {
	struct lkl_call *next;
	struct task_struct *task;
	long (*fn)(void *arg);
	void *arg;
	long nr;
	const long *params;
	u32 boot;
	union {
		struct {
			bool queued;
			bool held;
		};
		/* One look at both, as each call ends with it. */
		u16 unfinished;
	};
	bool started;
	bool interrupted;
	bool waited;
	struct lkl_signals signals;
	/* What its thread looks at all the time while it spins. */
	long ret ____cacheline_aligned;
	int state;
	bool by_call;
};

/* Why the kernel gave the host thread back its stack. */
enum lkl_left {
	LKL_LEFT_USER,		/* current is in "user mode" */
	LKL_LEFT_IDLE,		/* nothing is runnable */
	LKL_LEFT_HANDOVER,	/* there is work, but not for this thread */
	LKL_LEFT_HALT,		/* the kernel has stopped */
	LKL_LEFT_STOP,		/* this CPU has, and another one stops the kernel */
};

/**
 * lkl_leave - give the driving host thread its stack back
 * @why: what it should know
 *
 * Returns when some host thread drives this fiber again.
 */
static __always_inline void lkl_leave(enum lkl_left why)
{
	lkl_fiber_switch(&current->thread.sp, lkl_this->host_sp, (void *)why);
}

/* kernel/boot.c */
extern struct lkl_call *lkl_halt_call;
u32 lkl_new_boot(void);
void lkl_fresh_cpus(void);
void *lkl_pristine_data(void);
int lkl_take_pristine(void *pristine);
int lkl_take_cmdline(struct lkl_host_operations *ops, const char *cmdline);

/* kernel/call.c */
void lkl_cpu_start(u32 boot, struct lkl_call *call);

/* kernel/clock.c */
bool lkl_timer_is_due(void);
bool lkl_timer_due(void);
void lkl_timer_add(void);
void lkl_timer_irq(void);

/* kernel/freeze.c */
void lkl_freeze_none(void);
void lkl_clock_put(u64 time);
bool lkl_has_calls(void);
bool lkl_adopt_task(struct lkl_call *call);

/* kernel/init.c */
extern struct lkl_call *lkl_boot_call;
void lkl_want_task(struct lkl_call *call);
void lkl_refuse_tasks(void);
void lkl_made_task(struct lkl_call *call);
void __noreturn lkl_user_mode(void);
void lkl_catch_signals(void);

/* kernel/irq.c */
void lkl_line_start(int irq);

/* kernel/request.c */
void lkl_complete(struct lkl_call *call, long ret);
void lkl_wake_sleeper(struct lkl_vcpu *cpu);
void lkl_hold_signals(struct lkl_call *call);
void lkl_interrupt_call(struct lkl_call *call);
void lkl_interrupt_driver(void);

/* kernel/serve.c */
int lkl_host_task(void *call);
void __noreturn lkl_serve(void);
bool lkl_user_work(void);
unsigned int lkl_user_state(void);

/* kernel/smp.c */
void lkl_handle_ipis(void);
void lkl_stop_others(void);

/* kernel/vcpu.c */
bool lkl_want_handover(void);
void lkl_kick_any(void);
void lkl_kick_from_kernel(struct lkl_vcpu *cpu);
bool lkl_kick_other(void);

#endif /* _ASM_LKL_CALL_H */
