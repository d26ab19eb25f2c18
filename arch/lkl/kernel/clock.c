// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time: the host's clocks, and one clock event device.
 *
 * This file keeps when the next event is due, and who minds it; the threads that
 * do so are in wakeup.c.  To wake the timer thread costs a host call, so it is
 * told only of events earlier than those it and the covering thread already know,
 * and only when the CPU is released (lkl_cpu.timer_check), not whenever a timer
 * is set.
 */
#include <linux/clockchips.h>
#include <linux/clocksource.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/sched/clock.h>
#include <linux/timekeeping.h>
#include <asm/call.h>
#include <asm/host_ops.h>
#include "clock.h"

u64 lkl_next_event = LKL_NEVER;
u64 lkl_armed __lkl_threads;
u64 lkl_covered __lkl_threads;
int lkl_timer_word __lkl_threads;
int lkl_watch_word __lkl_threads;
bool lkl_due __lkl_threads;

/**
 * lkl_timer_wake - wake the timer thread
 */
void lkl_timer_wake(void)
{
	__atomic_fetch_add(&lkl_timer_word, 1, __ATOMIC_SEQ_CST);
	lkl_ops->wake(&lkl_timer_word, 1);
}

/**
 * lkl_timer_mind - see that a thread minds the next event
 */
void lkl_timer_mind(void)
{
	u64 next = READ_ONCE(lkl_next_event);

	if (next >= READ_ONCE(lkl_armed) || next >= READ_ONCE(lkl_covered))
		return;
	WRITE_ONCE(lkl_armed, next);
	lkl_timer_wake();
}

/**
 * lkl_timer_leave - a thread leaves the kernel and does not mind the timer
 */
void lkl_timer_leave(void)
{
	lkl_cpu.timer_check = 0;
	lkl_timer_mind();
}

/**
 * lkl_watch - something is pending which the driver may take long to notice
 */
void lkl_watch(void)
{
	if (!__atomic_exchange_n(&lkl_watch_word, 1, __ATOMIC_SEQ_CST))
		lkl_ops->wake(&lkl_watch_word, 1);
}

/**
 * lkl_timer_set_due - the time of the next event has come
 */
void lkl_timer_set_due(void)
{
	WRITE_ONCE(lkl_due, true);
}

bool lkl_timer_is_due(void)
{
	return READ_ONCE(lkl_due);
}

/* The same, once for each time the event comes. */
bool lkl_timer_due(void)
{
	return __atomic_exchange_n(&lkl_due, false, __ATOMIC_SEQ_CST);
}

static int lkl_set_next_event(unsigned long delta,
			      struct clock_event_device *dev)
{
	__atomic_store_n(&lkl_next_event, lkl_ops->time() + delta,
			 __ATOMIC_SEQ_CST);
	lkl_cpu.timer_check = 1;
	return 0;
}

static int lkl_set_shutdown(struct clock_event_device *dev)
{
	WRITE_ONCE(lkl_next_event, LKL_NEVER);
	return 0;
}

static struct clock_event_device lkl_clockevent = {
	.name = "lkl",
	.features = CLOCK_EVT_FEAT_ONESHOT,
	.rating = 400,
	.set_next_event = lkl_set_next_event,
	.set_state_shutdown = lkl_set_shutdown,
	.set_state_oneshot = lkl_set_shutdown,
	.set_state_oneshot_stopped = lkl_set_shutdown,
};

void lkl_timer_irq(void)
{
	lkl_clockevent.event_handler(&lkl_clockevent);
}

static u64 lkl_clocksource_read(struct clocksource *cs)
{
	return lkl_ops->time();
}

static struct clocksource lkl_clocksource = {
	.name = "lkl",
	.rating = 400,
	.read = lkl_clocksource_read,
	.mask = CLOCKSOURCE_MASK(64),
	.flags = CLOCK_SOURCE_IS_CONTINUOUS | CLOCK_SOURCE_VALID_FOR_HRES,
};

/* From the first moment: the clocks would stand still until there is another. */
struct clocksource * __init clocksource_default_clock(void)
{
	__clocksource_update_freq_hz(&lkl_clocksource, NSEC_PER_SEC);
	return &lkl_clocksource;
}

unsigned long long notrace sched_clock(void)
{
	return lkl_ops->time();
}

void read_persistent_clock64(struct timespec64 *ts)
{
	*ts = ns_to_timespec64(lkl_ops->wall_time());
}

void lkl_ndelay(unsigned long ns)
{
	u64 end = lkl_ops->time() + ns;

	while (lkl_ops->time() < end)
		cpu_relax();
}

void calibrate_delay(void)
{
}

void __init time_init(void)
{
	__clocksource_register(&lkl_clocksource);
	lkl_clockevent.cpumask = cpumask_of(0);
	clockevents_config_and_register(&lkl_clockevent, NSEC_PER_SEC, 1,
					LONG_MAX);
}
