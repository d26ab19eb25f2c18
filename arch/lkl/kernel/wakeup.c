// SPDX-License-Identifier: GPL-2.0-only
/*
 * The threads that are awake when the next timer event is due.
 *
 * If a host thread is about to sleep in a blocked call anyway, it *covers* the
 * event: it sleeps no longer than that and then runs the timer interrupt itself,
 * so that a sleeping call needs no other thread for its own time-out.  When no
 * thread sleeps in a call, the timer thread does it.
 *
 * While the timer thread itself drives, it minds no event, and no thread notices
 * kernel code that runs for long without enabling interrupts.  For both there is
 * the watchdog, a thread that looks every millisecond while there is reason to,
 * and sleeps otherwise.
 */
#include <linux/time64.h>
#include <asm/host_ops.h>
#include "clock.h"
#include "vcpu.h"
#include "wakeup.h"

/* While another thread covers, the timer thread is only a backup. */
#define LKL_BACKUP_NS	(4 * NSEC_PER_MSEC)

/* How long a driver may take to notice that something is pending. */
#define LKL_WATCH_NS	NSEC_PER_MSEC

static bool lkl_timer_ends __lkl_threads;
static u32 lkl_timer_boot __lkl_threads;
static lkl_thread_t lkl_timer_thread __lkl_threads;

static bool lkl_timer_drives __lkl_threads;
static lkl_thread_t lkl_watch_thread __lkl_threads;

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

/**
 * lkl_timer_uncover - the thread that covered the next event is awake
 * @cover: what lkl_timer_cover() returned
 */
void lkl_timer_uncover(u64 cover)
{
	u64 next;

	if (!cover)
		return;
	if (READ_ONCE(lkl_covered) == cover)
		WRITE_ONCE(lkl_covered, LKL_NEVER);
	/* Who sets an event looks afterwards whether it is covered. */
	smp_mb();
	next = READ_ONCE(lkl_next_event);
	if (next <= lkl_ops->time()) {
		lkl_timer_set_due();
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
	lkl_timer_set_due();
	return true;
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
		lkl_demand_resched();
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
		/* Relieve a thread that is kept from returning to its caller. */
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
	lkl_timer_ends = false;
	lkl_timer_drives = false;
	lkl_armed = LKL_NEVER;
	lkl_covered = LKL_NEVER;
	lkl_watch_word = 0;
	lkl_due = false;
	lkl_watch_thread = 0;
	lkl_timer_thread = lkl_ops->thread_create(lkl_timer_loop, NULL);
	if (!lkl_timer_thread)
		return -ENOMEM;
	lkl_watch_thread = lkl_ops->thread_create(lkl_watch_loop, NULL);
	if (lkl_watch_thread)
		return 0;
	lkl_timer_stop();
	return -ENOMEM;
}

/**
 * lkl_timer_rebase - the kernel's clock has been put back
 * @boot: number of the boot from now on
 * @ns: by how much
 *
 * A thread that sleeps wakes at the same time of the host as before.  One that is
 * about to must compute anew when that is.
 */
void lkl_timer_rebase(u32 boot, u64 ns)
{
	u64 armed = READ_ONCE(lkl_armed);

	WRITE_ONCE(lkl_timer_boot, boot);
	/* Perhaps its time came while the state was copied. */
	if (READ_ONCE(lkl_next_event) == LKL_NEVER)
		lkl_timer_set_due();
	WRITE_ONCE(lkl_covered, LKL_NEVER);
	if (armed != LKL_NEVER)
		WRITE_ONCE(lkl_armed, armed - min(armed, ns));
	__atomic_fetch_add(&lkl_timer_word, 1, __ATOMIC_SEQ_CST);
	if (READ_ONCE(lkl_watch_word)) {
		__atomic_store_n(&lkl_watch_word, 2, __ATOMIC_SEQ_CST);
		lkl_ops->wake(&lkl_watch_word, 1);
	}
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
