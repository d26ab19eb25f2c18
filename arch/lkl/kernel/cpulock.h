/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lock of the virtual CPU.
 *
 * Usually it is taken and given back with a compare-and-swap each, which are a third
 * of a short call.  A thread that makes call after call, while nobody else
 * wants the CPU, has the lock *biased* to it: then it only says in a flag of
 * its own that it is inside, and looks again whether the bias still holds.
 *
 * Whoever wants the CPU, or wants its holder to notice something, revokes the
 * bias first: it changes the word, has the host put a memory barrier into the
 * course of all threads, and then reads the flag.  By then either the owner has
 * seen the change, or its flag is seen.  The owner's two steps and the revoker's
 * make these words:
 *
 *	BIASED			the owner is outside, or inside
 *	BIASED | LOCKED		being revoked
 *	neither			it is revoked, and the owner was outside
 *	REVOKED | LOCKED	it is revoked, and the owner was inside
 *
 * PENDING may stand beside all but the first.  The owner may end the second and the
 * last by turning them into the plain lock.  A flag is its task's alone: a thread
 * that was interrupted between looking at the word and setting the flag may set it
 * much later, when there is another owner, or even another boot.
 *
 * What is relied on is that a processor does not reorder loads, nor stores.
 */
#ifndef _LKL_CPULOCK_H
#define _LKL_CPULOCK_H

#include <linux/sched.h>
#include <asm/cpu.h>

/* More bits of lkl_cpu.word. */
#define LKL_CPU_BIASED		8U
#define LKL_CPU_REVOKED		16U

#define LKL_BIAS_FLAGS		64
#define LKL_BIAS_BOOTS		8

/* Calls in a row after which the lock is biased. */
#define LKL_BIAS_CALLS		1000

/* Of no meaning while the word has no bits of a bias. */
extern struct task_struct *lkl_bias_owner;
extern u32 lkl_bias_flags[LKL_BIAS_BOOTS][LKL_BIAS_FLAGS];
extern u32 lkl_bias_at;

bool lkl_bias_lost(u32 boot, struct task_struct *task);
void lkl_bias_drop(u32 boot);
void lkl_bias_grant(u32 boot, struct task_struct *task);
void lkl_bias_revoke(u32 boot);
void lkl_bias_exit(u32 boot, struct task_struct *task);
void lkl_bias_start(void);

/* The calls in a row begin anew. */
static inline void lkl_bias_reset(void)
{
	WRITE_ONCE(lkl_bias_at, READ_ONCE(lkl_cpu.calls) + LKL_BIAS_CALLS);
}

static inline unsigned int lkl_bias_slot(struct task_struct *task)
{
	return (unsigned long)task / SMP_CACHE_BYTES % LKL_BIAS_FLAGS;
}

static inline u32 *lkl_bias_flag(u32 boot, struct task_struct *task)
{
	return &lkl_bias_flags[boot % LKL_BIAS_BOOTS][lkl_bias_slot(task)];
}

static inline u32 lkl_cpu_free(u32 boot)
{
	return boot << LKL_CPU_BOOT_SHIFT | LKL_CPU_UP;
}

static inline bool lkl_boot_gone(u32 boot)
{
	return READ_ONCE(lkl_cpu.word) >> LKL_CPU_BOOT_SHIFT != boot;
}

/**
 * lkl_trylock - take the CPU if nobody has it
 * @boot: number of the boot
 * @task: calling thread's task, for which the lock may be biased, or NULL
 */
static __always_inline bool lkl_trylock(u32 boot, struct task_struct *task)
{
	u32 free = lkl_cpu_free(boot);
	u32 old = READ_ONCE(lkl_cpu.word);

	if (old == (free | LKL_CPU_BIASED)) {
		if (!task || READ_ONCE(lkl_bias_owner) != task)
			return false;
		WRITE_ONCE(*lkl_bias_flag(boot, task), 1);
		barrier();
		if (likely(READ_ONCE(lkl_cpu.word) == old &&
			   READ_ONCE(lkl_bias_owner) == task))
			return true;
		return lkl_bias_lost(boot, task);
	}
	if (old != free && old != (free | LKL_CPU_PENDING))
		return false;
	return __atomic_compare_exchange_n(&lkl_cpu.word, &old,
					   old | LKL_CPU_LOCKED, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Give it back; succeeds unless something is pending. */
static __always_inline bool lkl_release(u32 boot)
{
	u32 free = lkl_cpu_free(boot);
	u32 old = READ_ONCE(lkl_cpu.word);

	if (old == (free | LKL_CPU_BIASED)) {
		struct task_struct *task = lkl_bias_owner;

		__atomic_store_n(lkl_bias_flag(boot, task), 0, __ATOMIC_RELEASE);
		barrier();
		if (likely(READ_ONCE(lkl_cpu.word) == old))
			return true;
		if (!lkl_bias_lost(boot, task))
			return true;
	} else if (unlikely(old & (LKL_CPU_BIASED | LKL_CPU_REVOKED))) {
		lkl_bias_drop(boot);
	}
	old = free | LKL_CPU_LOCKED;
	return __atomic_compare_exchange_n(&lkl_cpu.word, &old, free, false,
					   __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

#endif /* _LKL_CPULOCK_H */
