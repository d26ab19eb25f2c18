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
#include "request.h"
#include "vlock.h"

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
	if (READ_ONCE(lkl_combiner.task) == LKL_SEVERAL)
		return;
	WRITE_ONCE(lkl_combiner.hits, 0);
	WRITE_ONCE(lkl_combiner.task, NULL);
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

/*
 * The CPU that a thread has used last, by a hash of its task, whose memory may be
 * gone.
 */
static u8 lkl_last_cpu[LKL_QUANTUM_SLOTS];

/**
 * lkl_choose_cpu - with several CPUs, find one for a call
 * @boot: number of the boot
 * @task: the thread's task, or NULL
 * @taken: where to store whether the CPU was free and has been taken
 *
 * Return: the CPU
 */
struct lkl_vcpu *lkl_choose_cpu(u32 boot, struct task_struct *task, bool *taken)
{
	u8 *last = &lkl_last_cpu[lkl_quantum_slot(task)];
	struct lkl_vcpu *own = lkl_vcpus + READ_ONCE(*last), *cpu;

	*taken = lkl_trylock(own, boot, NULL);
	/* Its holder runs the task, if that was the last one to run there. */
	if (*taken || READ_ONCE(own->task) == task)
		return own;
	for (cpu = lkl_vcpus; cpu < lkl_vcpus + lkl_vcpus_up; cpu++) {
		if (cpu == own || lkl_locked(cpu))
			continue;
		*taken = lkl_trylock(cpu, boot, NULL);
		if (*taken) {
			WRITE_ONCE(*last, cpu - lkl_vcpus);
			return cpu;
		}
	}
	return own;
}

/* A thread is about to spin for the end of a call. */
static bool lkl_become_combiner(struct task_struct *task)
{
	struct task_struct *now = READ_ONCE(lkl_combiner.task);

	if (!now && task &&
	    READ_ONCE(lkl_combiner.hits) >= LKL_COMBINER_HITS) {
		WRITE_ONCE(lkl_combiner.task, task);
		return true;
	}
	return task && now == task;
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
			if (!combiner && lkl_combiner.hits < LKL_COMBINER_HITS &&
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

/* The quantum that has begun last. */
static struct {
	struct task_struct *task;
	u64 began;
	u32 calls;
} lkl_quantum;

struct lkl_lost_quantum lkl_lost_quanta[LKL_QUANTUM_SLOTS];

/* Threads that sleep until their quantum, of any boot. */
static u32 lkl_waiting __section(".data..lkl_keep");

/**
 * lkl_begin_quantum - the CPU has a new holder
 * @task: the task whose call it makes, which is not the one that ran last
 */
void lkl_begin_quantum(struct task_struct *task)
{
	u64 worth, now = lkl_ops->time();
	unsigned int slot;

	/* Not if it ended by itself, as the task was blocked. */
	if (lkl_quantum.task && lkl_cpu.task == lkl_quantum.task) {
		worth = (u64)(lkl_cpu.calls - lkl_quantum.calls) * LKL_CHANGE_NS;
		worth = min(worth, now - lkl_quantum.began);
		slot = lkl_quantum_slot(lkl_cpu.task);
		WRITE_ONCE(lkl_lost_quanta[slot].lost, now);
		WRITE_ONCE(lkl_lost_quanta[slot].wait,
			   min(4 * worth, (u64)LKL_QUANTUM_NS));
	}
	lkl_quantum.task = task;
	lkl_quantum.began = now;
	lkl_quantum.calls = lkl_cpu.calls;
	lkl_bias_reset();
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

/* How long a task waits for its quantum; the next time it does not. */
static u64 lkl_patience(struct task_struct *task)
{
	unsigned int slot = lkl_quantum_slot(task);
	u64 since, wait = READ_ONCE(lkl_lost_quanta[slot].wait);

	if (!wait)
		return 0;
	WRITE_ONCE(lkl_lost_quanta[slot].wait, 0);
	since = lkl_ops->time() - READ_ONCE(lkl_lost_quanta[slot].lost);
	if (READ_ONCE(lkl_cpu.task) == &init_task || since > LKL_GONE_NS ||
	    since >= wait)
		return 0;
	return wait - since;
}

/**
 * lkl_lock_soon - take the CPU from other threads
 * @boot: number of the boot
 * @call: the request it is for
 *
 * That is as soon as it is free and the quantum of this thread begins, or the
 * holder makes no use of its own.  Each look at that costs it a cache miss.
 *
 * Return: whether the CPU was taken
 */
bool lkl_lock_soon(u32 boot, struct lkl_call *call)
{
	u32 seen, calls = READ_ONCE(lkl_cpu.calls);
	int i, step = 16, spun = 0, locked = 0, quiet = 0;
	u64 patience = 0;

	if (call->task)
		patience = lkl_patience(call->task);
	/* Callers meet: there are more changes than there is time for. */
	if (!patience && READ_ONCE(lkl_cpu.driving) &&
	    READ_ONCE(lkl_cpu.task) != &init_task && lkl_locked(&lkl_cpu))
		patience = 2 * LKL_CHANGE_NS;
	while (spun < LKL_SPIN_QUANTUM) {
		if (lkl_locked(&lkl_cpu)) {
			quiet = 0;
			if (locked > LKL_SPIN_LOCK)
				return false;
		} else {
			locked = 0;
			if (!patience || quiet > lkl_change_max ||
			    (u64)spun * LKL_CHANGE_NS > patience * lkl_change_max) {
				lkl_bias_revoke(boot);
				if (lkl_trylock(&lkl_cpu, boot, NULL))
					return true;
			}
		}
		for (i = 0; i < step; i++)
			__builtin_ia32_pause();
		spun += step;
		locked += step;
		quiet += step;
		seen = READ_ONCE(lkl_cpu.calls);
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
	return false;
}
