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
#include <linux/string.h>
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
static lkl_thread_t lkl_timer_threads[NR_CPUS] __lkl_threads;
static lkl_thread_t lkl_watch_thread __lkl_threads;

/**
 * lkl_timer_cover - a thread is about to sleep and may mind the next event
 * @cpu: CPU whose event it is
 *
 * Return: when it should wake, 0 for never; pass it to lkl_timer_uncover()
 */
u64 lkl_timer_cover(struct lkl_vcpu *cpu)
{
	struct lkl_minder *minder = lkl_minder_of(cpu);
	u64 next = READ_ONCE(lkl_clock_of(cpu)->next);

	/* Setting a timer costs the host more than to wake up without one. */
	if (next >= READ_ONCE(minder->covered) ||
	    next >= READ_ONCE(minder->armed))
		return 0;
	WRITE_ONCE(minder->covered, next);
	return next;
}

/**
 * lkl_timer_uncover - the thread that covered the next event is awake
 * @cpu: CPU whose event it is
 * @cover: what lkl_timer_cover() returned
 */
void lkl_timer_uncover(struct lkl_vcpu *cpu, u64 cover)
{
	struct lkl_minder *minder = lkl_minder_of(cpu);
	struct lkl_clock *clock = lkl_clock_of(cpu);
	u32 boot = lkl_kernel_boots();
	u64 next;

	if (!cover)
		return;
	if (READ_ONCE(minder->covered) == cover)
		WRITE_ONCE(minder->covered, LKL_NEVER);
	/* Who sets an event looks afterwards whether it is covered. */
	smp_mb();
	next = READ_ONCE(clock->next);
	if (next <= lkl_ops->time()) {
		WRITE_ONCE(minder->due, true);
		if (boot)
			lkl_kick_boot(cpu, boot);
	} else if (next < READ_ONCE(minder->armed)) {
		WRITE_ONCE(minder->armed, next);
		lkl_timer_wake(cpu);
	}
}

/* If the time of the next event has come, see that the kernel learns of it. */
static bool lkl_timer_expire(struct lkl_vcpu *cpu, u64 now)
{
	struct lkl_clock *clock = lkl_clock_of(cpu);
	u64 next = READ_ONCE(clock->next);

	if (next > now)
		return false;
	/* Spent: the handler sets a new one. */
	__atomic_compare_exchange_n(&clock->next, &next, LKL_NEVER, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	WRITE_ONCE(lkl_minder_of(cpu)->due, true);
	return true;
}

/* Look after a CPU; returns whether to do so again. */
static bool lkl_watch_cpu(struct lkl_vcpu *cpu)
{
	u32 boot = lkl_timer_boot;

	lkl_demand_resched(cpu);
	if (lkl_timer_expire(cpu, lkl_ops->time()))
		lkl_kick_boot(cpu, boot);
	if (READ_ONCE(lkl_minder_of(cpu)->drives) ||
	    READ_ONCE(cpu->word) & LKL_CPU_PENDING)
		return true;
	lkl_timer_mind(cpu);
	return false;
}

static void lkl_watch_loop(void *unused)
{
	for (;;) {
		int word = __atomic_load_n(&lkl_watch_word, __ATOMIC_SEQ_CST);
		u64 now = lkl_ops->time();
		struct lkl_vcpu *cpu;

		if (READ_ONCE(lkl_timer_ends))
			return;
		lkl_ops->wait(&lkl_watch_word, word, word ? now + LKL_WATCH_NS : 0);
		if (!word)
			continue;
		__atomic_store_n(&lkl_watch_word, 0, __ATOMIC_SEQ_CST);
		for (cpu = lkl_vcpus; cpu < lkl_vcpus + lkl_vcpus_up; cpu++)
			if (lkl_watch_cpu(cpu))
				lkl_watch();
	}
}

static void lkl_timer_drive(struct lkl_vcpu *cpu, bool pending)
{
	struct lkl_minder *minder = lkl_minder_of(cpu);

	WRITE_ONCE(minder->drives, true);
	lkl_drive_timer(cpu, lkl_timer_boot, pending);
	WRITE_ONCE(minder->drives, false);
}

static void lkl_timer_loop(void *arg)
{
	struct lkl_vcpu *cpu = arg;
	struct lkl_minder *minder = lkl_minder_of(cpu);
	struct lkl_clock *clock = lkl_clock_of(cpu);

	for (;;) {
		int word = __atomic_load_n(&cpu->keeper, __ATOMIC_SEQ_CST);
		u64 now = lkl_ops->time();
		u64 next, armed;

		if (READ_ONCE(lkl_timer_ends))
			return;
		if (lkl_timer_expire(cpu, now)) {
			lkl_timer_drive(cpu, false);
			continue;
		}
		/* Relieve a thread that is kept from returning to its caller. */
		lkl_timer_drive(cpu, true);
		next = READ_ONCE(clock->next);
		armed = next;
		if (READ_ONCE(minder->covered) <= next && next < now + LKL_BACKUP_NS)
			armed = now + LKL_BACKUP_NS;
		__atomic_store_n(&minder->armed, armed, __ATOMIC_SEQ_CST);
		if (READ_ONCE(clock->next) < armed &&
		    READ_ONCE(minder->covered) > READ_ONCE(clock->next))
			continue;
		lkl_ops->wait(&cpu->keeper, word, armed == LKL_NEVER ? 0 : armed);
	}
}

/**
 * lkl_timer_start - start the threads
 * @boot: number of the boot
 * @cpus: virtual CPUs that there may be
 *
 * Return: 0 or -ENOMEM
 */
int lkl_timer_start(u32 boot, unsigned int cpus)
{
	unsigned int i;

	lkl_timer_boot = boot;
	lkl_timer_ends = false;
	lkl_watch_word = 0;
	lkl_watch_thread = 0;
	memset(lkl_timer_threads, 0, sizeof(lkl_timer_threads));
	for (i = 0; i < NR_CPUS; i++)
		lkl_minders[i] = (struct lkl_minder){
			.armed = LKL_NEVER,
			.covered = LKL_NEVER,
		};
	for (i = 0; i < cpus; i++) {
		lkl_timer_threads[i] = lkl_ops->thread_create(lkl_timer_loop,
							      &lkl_vcpus[i]);
		if (!lkl_timer_threads[i])
			goto stop;
	}
	lkl_watch_thread = lkl_ops->thread_create(lkl_watch_loop, NULL);
	if (lkl_watch_thread)
		return 0;
stop:
	lkl_timer_stop();
	return -ENOMEM;
}

/**
 * lkl_timer_rebase - the kernel's clock has been put back
 * @cpu: the only CPU
 * @boot: number of the boot from now on
 * @ns: by how much
 *
 * A thread that sleeps wakes at the same time of the host as before.  One that is
 * about to must compute anew when that is.
 */
void lkl_timer_rebase(struct lkl_vcpu *cpu, u32 boot, u64 ns)
{
	struct lkl_minder *minder = lkl_minder_of(cpu);
	u64 armed = READ_ONCE(minder->armed);

	WRITE_ONCE(lkl_timer_boot, boot);
	/* Perhaps its time came while the state was copied. */
	if (READ_ONCE(lkl_clock_of(cpu)->next) == LKL_NEVER)
		WRITE_ONCE(minder->due, true);
	WRITE_ONCE(minder->covered, LKL_NEVER);
	if (armed != LKL_NEVER)
		WRITE_ONCE(minder->armed, armed - min(armed, ns));
	__atomic_fetch_add(&cpu->keeper, 1, __ATOMIC_SEQ_CST);
	if (READ_ONCE(lkl_watch_word)) {
		__atomic_store_n(&lkl_watch_word, 2, __ATOMIC_SEQ_CST);
		lkl_ops->wake(&lkl_watch_word, 1);
	}
}

void lkl_timer_stop(void)
{
	unsigned int i;

	WRITE_ONCE(lkl_timer_ends, true);
	for (i = 0; i < NR_CPUS && lkl_timer_threads[i]; i++) {
		lkl_timer_wake(&lkl_vcpus[i]);
		lkl_ops->thread_join(lkl_timer_threads[i]);
	}
	if (!lkl_watch_thread)
		return;
	__atomic_store_n(&lkl_watch_word, 2, __ATOMIC_SEQ_CST);
	lkl_ops->wake(&lkl_watch_word, 1);
	lkl_ops->thread_join(lkl_watch_thread);
}
