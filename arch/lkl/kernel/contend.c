// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a thread does while other threads use the virtual CPU.  This is policy: it
 * decides about speed only, and each decision may be wrong.
 *
 * Spinning: a thread whose call is blocked spins for a while before it sleeps.
 * Each spin in vain doubles the number of waits that sleep at once.
 *
 * Combining: two threads that answer each other would carry the kernel's data to
 * and fro between two processors, dozens of cache lines for each call.  Hence one
 * of them, which spins until the other one answers, becomes the *combiner*:
 * meanwhile it makes the calls of all threads, and for a moment they wait for it
 * even while it is not in the kernel.
 *
 * Quanta: a thread that takes the CPU from another one brings the kernel's data to
 * its own processor, which costs as much as dozens of calls.  If both make one
 * call after the other, they are faster with a *quantum* each: a thread that has
 * lost the CPU, and comes back at once, leaves it to the other one for four times
 * its own last quantum, in which each call counts for the time of a change at
 * most.  So quanta grow as long as all threads make use of theirs, and a thread
 * that calls now and then waits for none.
 */
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <asm/host_ops.h>
#include "contend.h"
#include "grow.h"
#include "vcpu.h"

/*
 * How long host threads spin for a result before they sleep: about as long as
 * it takes to be woken, and to answer something short over TCP.
 */
#define LKL_SPIN_NS		20000
/* How long they wait for the combiner, which is in user code. */
#define LKL_COMBINER_NS		3000
/* Spins with success, in calls that were blocked, until there is a combiner. */
#define LKL_COMBINER_HITS	8
/*
 * How long they spin, in pause instructions of 10 to 50 ns, for a CPU that makes
 * one long call; and at all, before they leave their call to its holder.
 */
#define LKL_SPIN_LOCK		250
#define LKL_SPIN_QUANTUM	3000
/* How long to look whether a CPU is used, in pause instructions. */
#define LKL_MOVE_PAUSES		20
/* Calls in a row for which other threads move to another CPU. */
#define LKL_MOVE_CALLS		16
/* What it costs to have the CPU make another thread's calls. */
#define LKL_CHANGE_NS		3000
/* The longest wait for a quantum, if one thread waits. */
#define LKL_QUANTUM_NS		200000
/* A thread that does not come back for so long has not missed its quantum. */
#define LKL_GONE_NS		50000
/* Waits that do not spin, at most, before a thread spins again. */
#define LKL_SPIN_SKIP		256

/* Each spin in vain doubles the number of waits that sleep at once. */
static unsigned int lkl_spin_backoff, lkl_spin_skip;

/* LKL_SPIN_NS, LKL_COMBINER_NS and LKL_CHANGE_NS in pause instructions. */
static int lkl_spin_max, lkl_change_max;
int lkl_combiner_max;

struct lkl_combiner lkl_combiner;

/* Calls made since one was blocked. */
u32 lkl_combiner_calls;

/* Pause instructions differ; the fastest of some tries was not interrupted. */
void lkl_measure_pause(void)
{
	u64 begin, took, least = LKL_SPIN_NS;
	int try, i;

	for (try = 0; try < 5; try++) {
		begin = lkl_ops->time();
		for (i = 0; i < 64; i++)
			__builtin_ia32_pause();
		took = lkl_ops->time() - begin;
		least = min(least, took);
	}
	lkl_spin_max = 64 * LKL_SPIN_NS / max_t(u64, least, 1);
	lkl_combiner_max = 64 * LKL_COMBINER_NS / max_t(u64, least, 1);
	lkl_change_max = 64 * LKL_CHANGE_NS / max_t(u64, least, 1);
}

void lkl_leave_combiner(void)
{
	struct task_struct *now = READ_ONCE(lkl_combiner.task);

	if (now == LKL_SEVERAL)
		return;
	WRITE_ONCE(lkl_combiner.hits, 0);
	/* Unless there are several CPUs since. */
	__atomic_compare_exchange_n(&lkl_combiner.task, &now, NULL, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* A CPU that is free and has work. */
struct lkl_vcpu *lkl_find_wanting(u32 boot)
{
	struct lkl_vcpu *cpu = lkl_vcpus;
	u32 up = READ_ONCE(lkl_vcpus_up);

	do {
		if (lkl_wants_driver(cpu, boot))
			return cpu;
	} while (++cpu < lkl_vcpus + up);
	return NULL;
}

u8 lkl_homes[1 << LKL_HOME_BITS];

/* The tasks that are current when no other is. */
struct task_struct *lkl_idle_tasks[NR_CPUS] = { &init_task };

/* A thread is about to spin for the end of a call. */
static bool lkl_become_combiner(struct task_struct *task)
{
	struct task_struct *now = READ_ONCE(lkl_combiner.task);

	if (!now && task && READ_ONCE(lkl_combiner.hits) >= LKL_COMBINER_HITS)
		return __atomic_compare_exchange_n(&lkl_combiner.task, &now, task,
						   false, __ATOMIC_SEQ_CST,
						   __ATOMIC_RELAXED);
	return task && now == task;
}

static bool __lkl_spin_for(u32 boot, struct lkl_call *call, bool listens)
{
	unsigned int backoff, skip = READ_ONCE(lkl_spin_skip);
	int i, max = lkl_spin_max;
	bool combiner;

	if (skip) {
		WRITE_ONCE(lkl_spin_skip, skip - 1);
		return false;
	}
	combiner = lkl_become_combiner(call->task);
	for (i = 0; i < max; i++) {
		if (lkl_done(call)) {
			if (lkl_spin_backoff && (call->by_call || !listens))
				WRITE_ONCE(lkl_spin_backoff, 0);
			if (!combiner && lkl_combiner.task != LKL_SEVERAL &&
			    lkl_combiner.hits < LKL_COMBINER_HITS &&
			    call->by_call && call->waited)
				WRITE_ONCE(lkl_combiner.hits,
					   lkl_combiner.hits + 1);
			return true;
		}
		/* Looking costs the driver, if there is one, a cache miss. */
		if ((combiner || i % 16 == 0) && lkl_find_wanting(boot))
			return false;
		__builtin_ia32_pause();
	}
	if (combiner)
		lkl_leave_combiner();
	backoff = min(READ_ONCE(lkl_spin_backoff) * 2 + 1, LKL_SPIN_SKIP);
	WRITE_ONCE(lkl_spin_backoff, backoff);
	WRITE_ONCE(lkl_spin_skip, backoff);
	return false;
}

/**
 * lkl_spin_for - spin for the end of a call
 * @boot: boot it was made in
 * @call: the call, which is blocked
 * @listens: the thread is the one that sleeps where frames arrive; while it
 *	spins it does not learn of them
 *
 * Return: whether the call is done
 */
bool lkl_spin_for(u32 boot, struct lkl_call *call, bool listens)
{
	struct lkl_vcpu *cpu;
	bool done, wake;

	if (READ_ONCE(lkl_vcpus_up) == 1)
		return __lkl_spin_for(boot, call, listens);
	__atomic_add_fetch(&lkl_spinners, 1, __ATOMIC_SEQ_CST);
	done = __lkl_spin_for(boot, call, listens);
	wake = done;
	__atomic_sub_fetch(&lkl_spinners, 1, __ATOMIC_SEQ_CST);
	/*
	 * No thread was woken for CPUs that have come to want a driver.  Unless its
	 * call is done, this one drives the first of them.
	 */
	for (cpu = lkl_vcpus; cpu < lkl_vcpus + lkl_vcpus_up; cpu++) {
		if (!lkl_wants_driver(cpu, boot))
			continue;
		if (wake)
			lkl_timer_wake(cpu);
		wake = true;
	}
	return done;
}

/* The quantum of a CPU that has begun last. */
static struct lkl_quantum {
	struct task_struct *task;
	u64 began;
	u32 calls;
} ____cacheline_aligned lkl_quanta[NR_CPUS];

struct lkl_lost_quantum lkl_lost_quanta[LKL_QUANTUM_SLOTS];

/* Threads that sleep until their quantum, of any boot. */
static u32 lkl_waiting __section(".data..lkl_keep");

/**
 * lkl_begin_quantum - a CPU has a new holder
 * @cpu: the CPU
 * @task: the task whose call it makes, which is not the one that ran last
 */
void lkl_begin_quantum(struct lkl_vcpu *cpu, struct task_struct *task)
{
	struct lkl_quantum *quantum = &lkl_quanta[cpu - lkl_vcpus];
	u64 worth, now = lkl_ops->time();
	unsigned int slot;

	/* Not if it ended by itself, as the task was blocked. */
	if (quantum->task && cpu->task == quantum->task) {
		worth = (u64)(cpu->calls - quantum->calls) * LKL_CHANGE_NS;
		worth = min(worth, now - quantum->began);
		slot = lkl_quantum_slot(cpu->task);
		WRITE_ONCE(lkl_lost_quanta[slot].lost, now);
		WRITE_ONCE(lkl_lost_quanta[slot].wait,
			   min(4 * worth, (u64)LKL_QUANTUM_NS));
	}
	quantum->task = task;
	quantum->began = now;
	quantum->calls = cpu->calls;
	lkl_bias_reset(cpu);
}

/*
 * Sleep until the quantum begins; no thread wakes this one.  Each of those that
 * sleep here wants a quantum, but none waits for more than a tick.
 */
static void lkl_await_quantum(struct lkl_call *call, u32 ns)
{
	static int word;
	u64 all = (u64)ns * __atomic_add_fetch(&lkl_waiting, 1, __ATOMIC_RELAXED);
	u64 end = lkl_ops->time() + min_t(u64, all, TICK_NSEC);

	if (lkl_ops->wait(&word, 0, end) == -EINTR)
		call->interrupted = true;
	__atomic_sub_fetch(&lkl_waiting, 1, __ATOMIC_RELAXED);
}

/* No task rests on a CPU. */
static bool lkl_idles(struct lkl_vcpu *cpu)
{
	return READ_ONCE(cpu->task) == lkl_idle_tasks[cpu - lkl_vcpus];
}

/* How long a task waits for its quantum; the next time it does not. */
static u64 lkl_patience(struct lkl_vcpu *cpu, struct task_struct *task)
{
	unsigned int slot = lkl_quantum_slot(task);
	u64 since, wait = READ_ONCE(lkl_lost_quanta[slot].wait);

	if (!wait)
		return 0;
	WRITE_ONCE(lkl_lost_quanta[slot].wait, 0);
	since = lkl_ops->time() - READ_ONCE(lkl_lost_quanta[slot].lost);
	if (lkl_idles(cpu) || since > LKL_GONE_NS ||
	    since >= wait)
		return 0;
	return wait - since;
}

/* Take a CPU if it is free, and no thread has called there since @calls. */
static bool lkl_take_unused(struct lkl_vcpu *cpu, u32 boot, u32 calls)
{
	if (lkl_locked(cpu) || READ_ONCE(cpu->calls) != calls)
		return false;
	lkl_bias_revoke(cpu, boot);
	return lkl_trylock(cpu, boot, NULL);
}

/* Its thread makes one call after the other, and does not wait for others. */
static bool lkl_is_busy(struct lkl_vcpu *cpu)
{
	return READ_ONCE(cpu->calls) - READ_ONCE(lkl_quanta[cpu - lkl_vcpus].calls) >=
	       LKL_MOVE_CALLS;
}

/* Take a CPU that no thread makes use of, instead of @cpu. */
static struct lkl_vcpu *lkl_move(struct lkl_vcpu *cpu, u32 boot,
				 struct task_struct *task)
{
	u32 before[NR_CPUS];
	int i;

	/* From where a task rests it cannot be taken away. */
	if (lkl_vcpus_up == 1 || !task || READ_ONCE(cpu->task) == task)
		return NULL;
	for (i = 0; i < lkl_vcpus_up; i++)
		before[i] = READ_ONCE(lkl_vcpus[i].calls);
	for (i = 0; i < LKL_MOVE_PAUSES; i++)
		__builtin_ia32_pause();
	for (i = 0; i < lkl_vcpus_up; i++) {
		struct lkl_vcpu *other = &lkl_vcpus[i];

		if (other != cpu && lkl_take_unused(other, boot, before[i])) {
			WRITE_ONCE(*lkl_home_of(task), i);
			return other;
		}
	}
	return NULL;
}

static struct lkl_vcpu *__lkl_lock_soon(struct lkl_vcpu *cpu, u32 boot,
					struct lkl_call *call)
{
	struct lkl_vcpu *other;
	u32 seen, calls = READ_ONCE(cpu->calls);
	int i, step = 16, spun = 0, locked = 0, quiet = 0;
	u64 patience = 0;

	if (lkl_is_busy(cpu)) {
		other = lkl_move(cpu, boot, call->task);
		if (other)
			return other;
	}
	if (call->task)
		patience = lkl_patience(cpu, call->task);
	/* Callers meet: there are more changes than there is time for. */
	if (!patience && READ_ONCE(cpu->driving) && !lkl_idles(cpu) &&
	    lkl_locked(cpu))
		patience = 2 * LKL_CHANGE_NS;
	while (spun < LKL_SPIN_QUANTUM) {
		if (lkl_locked(cpu)) {
			quiet = 0;
			if (locked > LKL_SPIN_LOCK)
				return lkl_move(cpu, boot, call->task);
		} else {
			locked = 0;
			if (!patience || quiet > lkl_change_max ||
			    (u64)spun * LKL_CHANGE_NS > patience * lkl_change_max) {
				lkl_bias_revoke(cpu, boot);
				if (lkl_trylock(cpu, boot, NULL))
					return cpu;
			}
		}
		for (i = 0; i < step; i++)
			__builtin_ia32_pause();
		spun += step;
		locked += step;
		quiet += step;
		seen = READ_ONCE(cpu->calls);
		if (seen == calls)
			continue;
		calls = seen;
		step = 64;
		locked = 0;
		quiet = 0;
		if (patience > LKL_SPIN_NS) {
			lkl_await_quantum(call, patience);
			patience = 0;
		}
	}
	return NULL;
}

/* Another thread makes one call after the other on the CPU. */
static bool lkl_is_others(struct lkl_vcpu *cpu, struct task_struct *task)
{
	struct task_struct *user = READ_ONCE(lkl_quanta[cpu - lkl_vcpus].task);

	return task && user && user != task && lkl_is_busy(cpu);
}

/**
 * lkl_lock_soon - take a CPU from other threads
 * @cpu: the CPU that the thread uses
 * @boot: number of the boot
 * @call: the request it is for
 *
 * That is as soon as it is free and the quantum of this thread begins, or the
 * holder makes no use of its own.  Each look at that costs it a cache miss.  If no
 * thread makes use of another CPU, that becomes the thread's.
 *
 * Return: the CPU that was taken, or NULL
 */
struct lkl_vcpu *lkl_lock_soon(struct lkl_vcpu *cpu, u32 boot,
			       struct lkl_call *call)
{
	struct lkl_vcpu *taken;
	bool others;
	u32 calls;
	u64 began;

	if (!lkl_may_grow())
		return __lkl_lock_soon(cpu, boot, call);
	began = lkl_ops->time();
	others = lkl_is_others(cpu, call->task);
	calls = READ_ONCE(cpu->calls);
	taken = __lkl_lock_soon(cpu, boot, call);
	if (others || READ_ONCE(cpu->calls) - calls >= LKL_MOVE_CALLS)
		lkl_grow_for(boot, began, lkl_ops->time());
	return taken;
}
