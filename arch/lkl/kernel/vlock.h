/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lock word of a virtual CPU.  Only this file and vlock.c touch it.
 *
 * The word says whether a host thread drives the virtual CPU, whether something
 * is pending, and which boot the kernel is in.  All three change atomically.
 *
 * Usually the lock is taken and released with a compare-and-swap each, which are
 * a third of a short call.  A thread that makes many calls in a row, while no
 * other thread wants the CPU, has the lock *biased* to it: such a thread only
 * says in a flag of its own that it is inside, and looks again whether the bias
 * still holds.
 *
 * A thread that wants the CPU, or wants its holder to notice something, revokes
 * the bias first: it changes the word, has the host execute a memory barrier on
 * each thread of the process, and then reads the flag.  By then either the owner
 * has seen the change, or the revoker sees the owner's flag.  The word is one of:
 *
 *	BIASED			the owner is outside, or inside
 *	BIASED | LOCKED		the bias is being revoked
 *	neither			it is revoked, and the owner was outside
 *	REVOKED | LOCKED	it is revoked, and the owner was inside
 *
 * PENDING may be set beside all but the first.  The owner may end the second and
 * the last by turning them into the plain lock.  Each task has a flag of its own:
 * a thread that was interrupted between reading the word and setting the flag may
 * set it much later, when the bias has another owner, or even in another boot.
 *
 * This relies on a processor that reorders neither loads with loads nor stores
 * with stores.
 */
#ifndef _LKL_VLOCK_H
#define _LKL_VLOCK_H

#include <linux/sched.h>
#include <asm/cpu.h>

/* More bits of lkl_cpu.word. */
#define LKL_CPU_BIASED		8U
#define LKL_CPU_REVOKED		16U

#define LKL_BIAS_FLAGS		64
#define LKL_BIAS_BOOTS		8

/* Calls in a row after which the lock is biased. */
#define LKL_BIAS_CALLS		1000

/**
 * struct lkl_bias - to which thread the lock of a CPU is biased
 * @owner: its task; of no meaning while the word has no bits of a bias
 * @flag: the owner's flag, for the owner while it is inside
 * @at: value of lkl_vcpu.calls at which the lock shall be biased
 * @tasks: the task that owns a flag: the lock is biased to no other of its slot
 * @flags: whether a thread is inside
 */
struct lkl_bias {
	struct task_struct *owner;
	u32 *flag;
	u32 at;
	struct task_struct *tasks[LKL_BIAS_FLAGS];
	u32 flags[LKL_BIAS_BOOTS][LKL_BIAS_FLAGS] ____cacheline_aligned;
} ____cacheline_aligned;

extern struct lkl_bias lkl_biases[NR_CPUS];

#define lkl_bias_of(cpu)	(&lkl_biases[(cpu) - lkl_vcpus])

void lkl_vlock_start(struct lkl_vcpu *cpu, u32 word);
void lkl_vlock_stop(void);
bool lkl_set_pending(struct lkl_vcpu *cpu, u32 boot);
bool lkl_unlock(struct lkl_vcpu *cpu);
bool lkl_bias_lost(struct lkl_vcpu *cpu, u32 boot, struct task_struct *task);
void lkl_bias_drop(struct lkl_vcpu *cpu, u32 boot);
void lkl_bias_grant(struct lkl_vcpu *cpu, u32 boot, struct task_struct *task);
void lkl_bias_revoke(struct lkl_vcpu *cpu, u32 boot);
void lkl_bias_exit(u32 boot, struct task_struct *task);
void lkl_bias_start(void);
void lkl_bias_stop(void);

/* Count the calls in a row from 0 again. */
static inline void lkl_bias_reset(struct lkl_vcpu *cpu)
{
	WRITE_ONCE(lkl_bias_of(cpu)->at, READ_ONCE(cpu->calls) + LKL_BIAS_CALLS);
}

static inline unsigned int lkl_bias_slot(struct task_struct *task)
{
	return (unsigned long)task / SMP_CACHE_BYTES % LKL_BIAS_FLAGS;
}

static inline u32 *lkl_bias_flag(struct lkl_bias *bias, u32 boot,
				 struct task_struct *task)
{
	return &bias->flags[boot % LKL_BIAS_BOOTS][lkl_bias_slot(task)];
}

static inline u32 lkl_cpu_free(u32 boot)
{
	return boot << LKL_CPU_BOOT_SHIFT | LKL_CPU_UP;
}

static inline bool lkl_boot_gone(u32 boot)
{
	return READ_ONCE(lkl_cpu.word) >> LKL_CPU_BOOT_SHIFT != boot;
}

static inline bool lkl_locked(struct lkl_vcpu *cpu)
{
	return READ_ONCE(cpu->word) & LKL_CPU_LOCKED;
}

/* A thread may be inside; one that has the bias does not say so here. */
static inline bool lkl_maybe_inside(struct lkl_vcpu *cpu)
{
	return READ_ONCE(cpu->word) & (LKL_CPU_LOCKED | LKL_CPU_BIASED);
}

/* The holder has not yet noticed something that is pending. */
static inline bool lkl_holder_is_late(struct lkl_vcpu *cpu)
{
	u32 bits = LKL_CPU_LOCKED | LKL_CPU_PENDING;

	return (READ_ONCE(cpu->word) & bits) == bits;
}

/* The CPU is free, but there is work for it. */
static inline bool lkl_wants_driver(struct lkl_vcpu *cpu, u32 boot)
{
	return READ_ONCE(cpu->word) ==
	       (lkl_cpu_free(boot) | LKL_CPU_PENDING);
}

static __always_inline void lkl_clear_pending(struct lkl_vcpu *cpu)
{
	__atomic_fetch_and(&cpu->word, ~LKL_CPU_PENDING, __ATOMIC_SEQ_CST);
}

/**
 * lkl_trylock - take the CPU if it is free
 * @cpu: the CPU
 * @boot: number of the boot
 * @task: calling thread's task, for which the lock may be biased, or NULL
 */
static __always_inline bool lkl_trylock(struct lkl_vcpu *cpu, u32 boot,
					struct task_struct *task)
{
	u32 free = lkl_cpu_free(boot);
	u32 old = READ_ONCE(cpu->word);

	if (old == (free | LKL_CPU_BIASED)) {
		struct lkl_bias *bias = lkl_bias_of(cpu);

		if (!task || READ_ONCE(bias->owner) != task)
			return false;
		WRITE_ONCE(*lkl_bias_flag(bias, boot, task), 1);
		barrier();
		if (likely(READ_ONCE(cpu->word) == old &&
			   READ_ONCE(bias->owner) == task))
			return true;
		return lkl_bias_lost(cpu, boot, task);
	}
	if (old != free && old != (free | LKL_CPU_PENDING))
		return false;
	return __atomic_compare_exchange_n(&cpu->word, &old,
					   old | LKL_CPU_LOCKED, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Release the CPU; fails if something is pending. */
static __always_inline bool lkl_release(struct lkl_vcpu *cpu, u32 boot)
{
	u32 free = lkl_cpu_free(boot);
	u32 old = READ_ONCE(cpu->word);

	if (old == (free | LKL_CPU_BIASED)) {
		struct lkl_bias *bias = lkl_bias_of(cpu);
		struct task_struct *task = bias->owner;

		__atomic_store_n(bias->flag, 0, __ATOMIC_RELEASE);
		barrier();
		if (likely(READ_ONCE(cpu->word) == old))
			return true;
		if (!lkl_bias_lost(cpu, boot, task))
			return true;
	} else if (unlikely(old & (LKL_CPU_BIASED | LKL_CPU_REVOKED))) {
		lkl_bias_drop(cpu, boot);
	}
	old = free | LKL_CPU_LOCKED;
	return __atomic_compare_exchange_n(&cpu->word, &old, free, false,
					   __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

#endif /* _LKL_VLOCK_H */
