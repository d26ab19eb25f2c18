/* SPDX-License-Identifier: GPL-2.0-only */
/* What to do while other threads use the virtual CPU; contend.c tells more. */
#ifndef _LKL_CONTEND_H
#define _LKL_CONTEND_H

#include <linux/hash.h>
#include <linux/sched.h>
#include <asm/call.h>

#define LKL_QUANTUM_SLOTS	64
#define LKL_HOME_BITS		8

/* Calls that are not blocked until there is no combiner any more. */
#define LKL_COMBINER_CALLS	16

/* There are several CPUs, and no combiner. */
#define LKL_SEVERAL	((struct task_struct *)1)

/**
 * struct lkl_combiner - the thread that makes the calls of others
 * @task: its task, or NULL, or LKL_SEVERAL
 * @hits: spins of other threads that were worth it since the last combiner
 */
struct lkl_combiner {
	struct task_struct *task;
	unsigned int hits;
} __aligned(64);

/**
 * struct lkl_lost_quantum - a task that has lost the CPU to another one
 * @lost: when
 * @wait: how long it waits before it takes the CPU back, in nanoseconds
 */
struct lkl_lost_quantum {
	u64 lost;
	u64 wait;
};

extern struct lkl_combiner lkl_combiner;
extern struct lkl_lost_quantum lkl_lost_quanta[LKL_QUANTUM_SLOTS];
extern int lkl_combiner_max;
extern u32 lkl_combiner_calls;

extern u8 lkl_homes[1 << LKL_HOME_BITS];
extern struct task_struct *lkl_idle_tasks[NR_CPUS];

bool lkl_spin_for(u32 boot, struct lkl_call *call, bool listens);
void lkl_leave_combiner(void);
void lkl_begin_quantum(struct lkl_vcpu *cpu, struct task_struct *task);
struct lkl_vcpu *lkl_lock_soon(struct lkl_vcpu *cpu, u32 boot,
			       struct lkl_call *call);
void lkl_measure_pause(void);
struct lkl_vcpu *lkl_find_wanting(u32 boot);

/* Some tasks share a slot. */
static inline unsigned int lkl_quantum_slot(struct task_struct *task)
{
	return (unsigned long)task / SMP_CACHE_BYTES % LKL_QUANTUM_SLOTS;
}

/*
 * With several CPUs, the one that a thread uses.  It is known by a hash of the
 * thread's task, whose memory may be gone.
 */
static inline u8 *lkl_home_of(struct task_struct *task)
{
	return &lkl_homes[hash_ptr(task, LKL_HOME_BITS)];
}

/* The task is about to end a request: where it has run, the thread calls next. */
static __always_inline void lkl_stay_home(struct lkl_call *call)
{
	if (unlikely(call != lkl_this->driving) && lkl_vcpus_up > 1)
		WRITE_ONCE(*lkl_home_of(current), lkl_this->cpu);
}

/* The task was the last one to run, or has no other task's quantum to wait for. */
static __always_inline bool lkl_may_begin(struct lkl_vcpu *cpu,
					  struct task_struct *task)
{
	return READ_ONCE(cpu->task) == task ||
	       !READ_ONCE(lkl_lost_quanta[lkl_quantum_slot(task)].wait);
}

/* Requests were taken from the list: threads that need not wait need no combiner. */
static inline void lkl_count_calls(void)
{
	if (unlikely(++lkl_combiner_calls > LKL_COMBINER_CALLS) &&
	    lkl_combiner.task)
		lkl_leave_combiner();
}

#endif /* _LKL_CONTEND_H */
