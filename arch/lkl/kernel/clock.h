/* SPDX-License-Identifier: GPL-2.0-only */
/* When the next timer event is due, and who minds it; clock.c tells more. */
#ifndef _LKL_CLOCK_H
#define _LKL_CLOCK_H

#include <linux/types.h>

#define LKL_NEVER	(~0ULL)

/*
 * What belongs to the threads of wakeup.c, which live on when the kernel is reset,
 * and not to its state; lkl_timer_start() gives it its values.  They write to it at
 * any time: while the state is copied, or put back, nothing else may be written to
 * by a thread that does not hold the virtual CPU.
 */
#define __lkl_threads	__section(".data..lkl_keep")

/* Times in nanoseconds: the next event, and those that are minded. */
extern u64 lkl_next_event;	/* of the clock event device */
extern u64 lkl_armed;		/* by the timer thread */
extern u64 lkl_covered;		/* by a thread that sleeps in a call */

/* Futex words: of the timer thread; of the watchdog, which sleeps while it is 0. */
extern int lkl_timer_word;
extern int lkl_watch_word;

/* The time of the next event has come, which the kernel has not noticed yet. */
extern bool lkl_due;

void lkl_timer_leave(void);
void lkl_timer_mind(void);
void lkl_timer_set_due(void);
void lkl_timer_wake(void);
void lkl_watch(void);

#endif /* _LKL_CLOCK_H */
