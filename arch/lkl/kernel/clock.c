// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time: the host's clocks, and one clock event device.
 *
 * This file keeps when the next event is due, and who minds it; the threads that
 * do so are in wakeup.c.  To wake the timer thread costs a host call, so it is
 * told only of events earlier than those it and the covering thread already know,
 * and only when the CPU is released (lkl_vcpu.timer_check), not whenever a timer
 * is set.
 */
#include <linux/clockchips.h>
#include <linux/clocksource.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/sched/clock.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include <asm/call.h>
#include <asm/host_ops.h>
#include "clock.h"

struct lkl_clock lkl_clocks[NR_CPUS] = {
	[0 ... NR_CPUS - 1] = { .next = LKL_NEVER },
};

struct lkl_minder lkl_minders[NR_CPUS] __lkl_threads;

int lkl_watch_word __lkl_threads;

/**
 * lkl_timer_wake - wake a CPU's timer thread
 * @cpu: the CPU
 */
void lkl_timer_wake(struct lkl_vcpu *cpu)
{
	__atomic_fetch_add(&cpu->keeper, 1, __ATOMIC_SEQ_CST);
	lkl_ops->wake(&cpu->keeper, 1);
}

/**
 * lkl_timer_mind - see that a thread minds the next event
 * @cpu: CPU whose event it is
 */
void lkl_timer_mind(struct lkl_vcpu *cpu)
{
	struct lkl_minder *minder = lkl_minder_of(cpu);
	u64 next = READ_ONCE(lkl_clock_of(cpu)->next);

	if (next >= READ_ONCE(minder->armed) ||
	    next >= READ_ONCE(minder->covered))
		return;
	WRITE_ONCE(minder->armed, next);
	lkl_timer_wake(cpu);
}

/**
 * lkl_timer_leave - a thread leaves the kernel and does not mind the timer
 * @cpu: CPU it drove
 */
void lkl_timer_leave(struct lkl_vcpu *cpu)
{
	cpu->timer_check = 0;
	lkl_timer_mind(cpu);
}

/**
 * lkl_watch - something is pending which the driver may take long to notice
 */
void lkl_watch(void)
{
	if (!__atomic_exchange_n(&lkl_watch_word, 1, __ATOMIC_SEQ_CST))
		lkl_ops->wake(&lkl_watch_word, 1);
}

bool lkl_timer_is_due(void)
{
	return READ_ONCE(lkl_minder_of(lkl_this)->due);
}

/* The same, once for each time the event comes. */
bool lkl_timer_due(void)
{
	return __atomic_exchange_n(&lkl_minder_of(lkl_this)->due, false,
				   __ATOMIC_SEQ_CST);
}

static int lkl_set_next_event(unsigned long delta,
			      struct clock_event_device *dev)
{
	struct lkl_vcpu *cpu = lkl_this;

	__atomic_store_n(&lkl_clock_of(cpu)->next, lkl_ops->time() + delta,
			 __ATOMIC_SEQ_CST);
	cpu->timer_check = 1;
	return 0;
}

static int lkl_set_shutdown(struct clock_event_device *dev)
{
	WRITE_ONCE(lkl_clock_of(lkl_this)->next, LKL_NEVER);
	return 0;
}

static DEFINE_PER_CPU(struct clock_event_device, lkl_clockevent) = {
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
	struct clock_event_device *dev = this_cpu_ptr(&lkl_clockevent);

	dev->event_handler(dev);
}

/* The CPU that runs this has a timer from now on. */
void lkl_timer_add(void)
{
	struct clock_event_device *dev = this_cpu_ptr(&lkl_clockevent);

	dev->cpumask = cpumask_of(smp_processor_id());
	clockevents_config_and_register(dev, NSEC_PER_SEC, 1, LONG_MAX);
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
	lkl_timer_add();
	lkl_no_fair_server();
}
