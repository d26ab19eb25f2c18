// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time: the host's clocks, and one clock event device.
 *
 * Somebody must be awake when the next event is due.  If a host thread is about
 * to sleep in a blocked call anyway, it *covers* the event: it sleeps no longer
 * than that and then runs the timer interrupt itself, so that a sleeping call
 * is woken by nobody but its own time-out.  When no thread sleeps inside, the
 * timer thread does it.  Waking that thread costs a host call, so it is told
 * only of events earlier than those it and the covering thread already know,
 * and only when the CPU is given back (lkl_cpu.timer_check), not whenever a
 * timer is set.
 *
 * Nobody would mind the events while the timer thread itself drives, nor notice
 * kernel code that runs for long without enabling interrupts.  For both there is
 * the watcher, a thread that looks every millisecond while there is reason to,
 * and sleeps otherwise.
 */
#include <linux/clockchips.h>
#include <linux/clocksource.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/sched/clock.h>
#include <linux/timekeeping.h>
#include <asm/call.h>
#include <asm/host_ops.h>

#define LKL_NEVER	(~0ULL)

/* With somebody else covering, the timer thread is only a backup. */
#define LKL_BACKUP_NS	(4 * NSEC_PER_MSEC)

static u64 lkl_next_event = LKL_NEVER;
static u64 lkl_armed = LKL_NEVER;
static u64 lkl_covered = LKL_NEVER;
static bool lkl_due;

static int lkl_timer_word;
static bool lkl_timer_ends;
static u32 lkl_timer_boot;
static void *lkl_timer_thread;

/* How long a driver may take to notice that something is pending. */
#define LKL_WATCH_NS	NSEC_PER_MSEC

/* A futex word: the watcher sleeps while it is 0. */
static int lkl_watch_word;
static bool lkl_timer_drives;
static void *lkl_watch_thread;

void lkl_timer_wake(void)
{
	__atomic_fetch_add(&lkl_timer_word, 1, __ATOMIC_SEQ_CST);
	lkl_ops->wake(&lkl_timer_word, 1);
}

/* Is the next event minded by anybody? */
static void lkl_timer_mind(void)
{
	u64 next = READ_ONCE(lkl_next_event);

	if (next >= READ_ONCE(lkl_armed) || next >= READ_ONCE(lkl_covered))
		return;
	WRITE_ONCE(lkl_armed, next);
	lkl_timer_wake();
}

/* A thread leaves the kernel. */
void lkl_timer_leave(void)
{
	lkl_cpu.timer_check = 0;
	lkl_timer_mind();
}

/**
 * lkl_timer_cover - a thread is about to sleep and may mind the next event
 *
 * Return: when it should wake, 0 for never; pass it to lkl_timer_uncover()
 */
u64 lkl_timer_cover(void)
{
	u64 next = READ_ONCE(lkl_next_event);

	/* Setting a timer costs the host more than to wake up without one. */
	if (next >= READ_ONCE(lkl_covered) || next >= READ_ONCE(lkl_armed))
		return 0;
	WRITE_ONCE(lkl_covered, next);
	return next;
}

/* The thread that covered has woken. */
void lkl_timer_uncover(u64 cover)
{
	u64 next;

	if (!cover)
		return;
	if (READ_ONCE(lkl_covered) == cover)
		WRITE_ONCE(lkl_covered, LKL_NEVER);
	next = READ_ONCE(lkl_next_event);
	if (next <= lkl_ops->time()) {
		WRITE_ONCE(lkl_due, true);
		lkl_kick_cpu();
	} else if (next < READ_ONCE(lkl_armed)) {
		WRITE_ONCE(lkl_armed, next);
		lkl_timer_wake();
	}
}

/* If the time of the next event has come, see that the kernel learns of it. */
static bool lkl_timer_expire(u64 now)
{
	u64 next = READ_ONCE(lkl_next_event);

	if (next > now)
		return false;
	/* Spent: the handler sets a new one. */
	__atomic_compare_exchange_n(&lkl_next_event, &next, LKL_NEVER, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	WRITE_ONCE(lkl_due, true);
	return true;
}

/**
 * lkl_watch - something is pending that the driver may take long to notice
 */
void lkl_watch(void)
{
	if (!__atomic_exchange_n(&lkl_watch_word, 1, __ATOMIC_SEQ_CST))
		lkl_ops->wake(&lkl_watch_word, 1);
}

static void lkl_watch_loop(void *unused)
{
	for (;;) {
		int word = __atomic_load_n(&lkl_watch_word, __ATOMIC_SEQ_CST);
		u64 now = lkl_ops->time();

		if (READ_ONCE(lkl_timer_ends))
			return;
		lkl_ops->wait(&lkl_watch_word, word, word ? now + LKL_WATCH_NS : 0);
		if (!word)
			continue;
		lkl_poke();
		if (lkl_timer_expire(lkl_ops->time()))
			lkl_kick_cpu();
		__atomic_store_n(&lkl_watch_word, 0, __ATOMIC_SEQ_CST);
		if (READ_ONCE(lkl_timer_drives) || lkl_cpu_pending())
			lkl_watch();
		else
			lkl_timer_mind();
	}
}

static void lkl_timer_drive(bool pending)
{
	WRITE_ONCE(lkl_timer_drives, true);
	lkl_drive_timer(lkl_timer_boot, pending);
	WRITE_ONCE(lkl_timer_drives, false);
}

static void lkl_timer_loop(void *unused)
{
	for (;;) {
		int word = __atomic_load_n(&lkl_timer_word, __ATOMIC_SEQ_CST);
		u64 now = lkl_ops->time();
		u64 next, armed;

		if (READ_ONCE(lkl_timer_ends))
			return;
		if (lkl_timer_expire(now)) {
			lkl_timer_drive(false);
			continue;
		}
		/* Relieve whoever is kept from returning to its caller. */
		lkl_timer_drive(true);
		next = READ_ONCE(lkl_next_event);
		armed = next;
		if (READ_ONCE(lkl_covered) <= next && next < now + LKL_BACKUP_NS)
			armed = now + LKL_BACKUP_NS;
		__atomic_store_n(&lkl_armed, armed, __ATOMIC_SEQ_CST);
		if (READ_ONCE(lkl_next_event) < armed &&
		    READ_ONCE(lkl_covered) > READ_ONCE(lkl_next_event))
			continue;
		lkl_ops->wait(&lkl_timer_word, word,
			      armed == LKL_NEVER ? 0 : armed);
	}
}

int lkl_timer_start(u32 boot)
{
	lkl_timer_boot = boot;
	lkl_timer_thread = lkl_ops->thread_create(lkl_timer_loop, NULL);
	if (!lkl_timer_thread)
		return -ENOMEM;
	lkl_watch_thread = lkl_ops->thread_create(lkl_watch_loop, NULL);
	if (lkl_watch_thread)
		return 0;
	lkl_timer_stop();
	return -ENOMEM;
}

void lkl_timer_stop(void)
{
	WRITE_ONCE(lkl_timer_ends, true);
	lkl_timer_wake();
	lkl_ops->thread_join(lkl_timer_thread);
	if (!lkl_watch_thread)
		return;
	__atomic_store_n(&lkl_watch_word, 2, __ATOMIC_SEQ_CST);
	lkl_ops->wake(&lkl_watch_word, 1);
	lkl_ops->thread_join(lkl_watch_thread);
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
	clocksource_register_hz(&lkl_clocksource, NSEC_PER_SEC);
	lkl_clockevent.cpumask = cpumask_of(0);
	clockevents_config_and_register(&lkl_clockevent, NSEC_PER_SEC, 1,
					LONG_MAX);
}
