/* SPDX-License-Identifier: GPL-2.0-only */
/* When the next timer event is due, and who minds it; clock.c tells more. */
#ifndef _LKL_CLOCK_H
#define _LKL_CLOCK_H

#include <linux/threads.h>
#include <linux/types.h>

#define LKL_NEVER	(~0ULL)

/*
 * What belongs to the threads of wakeup.c, which live on when the kernel is reset,
 * and not to its state; lkl_timer_start() gives it its values.  They write to it at
 * any time: while the state is copied, or put back, nothing else may be written to
 * by a thread that does not hold the virtual CPU.
 */
#define __lkl_threads	__section(".data..lkl_keep")

struct lkl_vcpu;

/**
 * struct lkl_clock - the next timer event of a CPU
 * @next: when it is due, in nanoseconds
 */
struct lkl_clock {
	u64 next;
};

/**
 * struct lkl_minder - who minds the next timer event of a CPU; times in nanoseconds
 * @armed: until when the timer thread sleeps
 * @covered: until when a thread sleeps in a call, which then minds the event
 * @drives: the timer thread drives
 * @due: the time has come, which the kernel has not noticed yet
 */
struct lkl_minder {
	u64 armed;
	u64 covered;
	bool drives;
	bool due;
};

extern struct lkl_clock lkl_clocks[NR_CPUS];
extern struct lkl_minder lkl_minders[NR_CPUS];

#define lkl_clock_of(cpu)	(&lkl_clocks[(cpu) - lkl_vcpus])
#define lkl_minder_of(cpu)	(&lkl_minders[(cpu) - lkl_vcpus])

/* A futex word: the watchdog sleeps while it is 0. */
extern int lkl_watch_word;

void lkl_timer_leave(struct lkl_vcpu *cpu);
void lkl_timer_mind(struct lkl_vcpu *cpu);
void lkl_timer_wake(struct lkl_vcpu *cpu);
void lkl_watch(void);
void lkl_no_fair_server(void);

#endif /* _LKL_CLOCK_H */
