// SPDX-License-Identifier: GPL-2.0-only
/* The lock word of the virtual CPU, and its bias; see vlock.h. */
#include <linux/limits.h>
#include <linux/time64.h>
#include <asm/call.h>
#include <asm/host_ops.h>
#include "vlock.h"

#define LKL_CPU_BIAS_BITS	(LKL_CPU_BIASED | LKL_CPU_REVOKED)

struct lkl_bias lkl_biases[NR_CPUS];

/*
 * Threads that are ending a bias, in any boot.  The next bias is granted when there
 * are none: what they have seen of the last owner must not end the next one's.
 */
static int lkl_bias_enders __section(".data..lkl_keep");

static bool lkl_bias_off;

unsigned int lkl_kernel_boots(void)
{
	return READ_ONCE(lkl_cpu.word) >> LKL_CPU_BOOT_SHIFT;
}

/* Make a CPU available; for the first one, a boot begins. */
void lkl_vlock_start(struct lkl_vcpu *cpu, u32 word)
{
	__atomic_store_n(&cpu->word, word, __ATOMIC_SEQ_CST);
}

/* The boot is over. */
void lkl_vlock_stop(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < NR_CPUS; cpu++)
		__atomic_store_n(&lkl_vcpus[cpu].word, 0, __ATOMIC_SEQ_CST);
}

/**
 * lkl_set_pending - tell the holder of a CPU that there is work
 * @cpu: the CPU
 * @boot: number of the boot
 *
 * Return: whether the CPU was free when the bit was set
 */
bool lkl_set_pending(struct lkl_vcpu *cpu, u32 boot)
{
	u32 old = READ_ONCE(cpu->word);

	for (;;) {
		if (old >> LKL_CPU_BOOT_SHIFT != boot)
			return false;
		if (old == (lkl_cpu_free(boot) | LKL_CPU_BIASED)) {
			lkl_bias_revoke(cpu, boot);
			old = READ_ONCE(cpu->word);
		} else if (__atomic_compare_exchange_n(&cpu->word, &old,
						       old | LKL_CPU_PENDING,
						       true, __ATOMIC_SEQ_CST,
						       __ATOMIC_RELAXED)) {
			return !(old & LKL_CPU_LOCKED);
		}
	}
}

/**
 * lkl_unlock - release a CPU, also while something is pending
 * @cpu: the CPU
 *
 * Return: whether something is
 */
bool lkl_unlock(struct lkl_vcpu *cpu)
{
	return __atomic_fetch_and(&cpu->word, ~LKL_CPU_LOCKED,
				  __ATOMIC_SEQ_CST) & LKL_CPU_PENDING;
}

/* Turn a word with bits of a bias into one that is locked. */
static bool lkl_bias_to_lock(struct lkl_vcpu *cpu, u32 *old)
{
	return __atomic_compare_exchange_n(&cpu->word, old,
					   (*old & ~LKL_CPU_BIAS_BITS) | LKL_CPU_LOCKED,
					   false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/**
 * lkl_bias_lost - the bias is being revoked, while its owner goes in or out
 * @cpu: the CPU
 * @boot: number of the boot
 * @task: the owner's
 *
 * Return: whether the calling thread holds the CPU, with a plain lock
 */
noinline bool lkl_bias_lost(struct lkl_vcpu *cpu, u32 boot,
			    struct task_struct *task)
{
	struct lkl_bias *bias = lkl_bias_of(cpu);
	bool held = false;
	u32 old;

	__atomic_add_fetch(&lkl_bias_enders, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(lkl_bias_flag(bias, boot, task), 0, __ATOMIC_SEQ_CST);
	old = READ_ONCE(cpu->word);
	while (!held && old >> LKL_CPU_BOOT_SHIFT == boot &&
	       old & LKL_CPU_BIAS_BITS && READ_ONCE(bias->owner) == task)
		held = lkl_bias_to_lock(cpu, &old);
	__atomic_sub_fetch(&lkl_bias_enders, 1, __ATOMIC_SEQ_CST);
	return held;
}

/**
 * lkl_bias_drop - have the CPU's holder hold it with a plain lock
 * @cpu: the CPU
 * @boot: number of the boot
 *
 * While its flag says that it is inside, a revoker leaves the CPU to it.
 */
noinline void lkl_bias_drop(struct lkl_vcpu *cpu, u32 boot)
{
	struct lkl_bias *bias = lkl_bias_of(cpu);
	u32 old = READ_ONCE(cpu->word);

	while (old & LKL_CPU_BIAS_BITS) {
		if (lkl_bias_to_lock(cpu, &old)) {
			__atomic_store_n(lkl_bias_flag(bias, boot, bias->owner), 0,
					 __ATOMIC_RELEASE);
			return;
		}
	}
}

/**
 * lkl_bias_grant - bias the lock to the thread that holds it
 * @cpu: the CPU
 * @boot: number of the boot
 * @task: the thread's
 */
noinline void lkl_bias_grant(struct lkl_vcpu *cpu, u32 boot,
			     struct task_struct *task)
{
	struct lkl_bias *bias = lkl_bias_of(cpu);
	struct task_struct **slot = &bias->tasks[lkl_bias_slot(task)];
	u32 *flag = lkl_bias_flag(bias, boot, task);
	u32 old = lkl_cpu_free(boot) | LKL_CPU_LOCKED;

	lkl_bias_reset(cpu);
	if (lkl_bias_off || READ_ONCE(cpu->word) != old ||
	    (*slot && *slot != task) ||
	    __atomic_load_n(&lkl_bias_enders, __ATOMIC_SEQ_CST))
		return;
	*slot = task;
	WRITE_ONCE(bias->owner, task);
	bias->flag = flag;
	WRITE_ONCE(*flag, 1);
	/* A thread that ends the bias has the calls counted from 0 again. */
	WRITE_ONCE(bias->at, cpu->calls + INT_MAX / 2);
	if (!__atomic_compare_exchange_n(&cpu->word, &old,
					 lkl_cpu_free(boot) | LKL_CPU_BIASED,
					 false, __ATOMIC_SEQ_CST,
					 __ATOMIC_RELAXED)) {
		WRITE_ONCE(*flag, 0);
		lkl_bias_reset(cpu);
	}
}

/* Let all threads of the process see what each has done. */
static void lkl_bias_barrier(void)
{
	static int never;
	u64 end;

	if (!lkl_ops->fence())
		return;
	/*
	 * The program has forbidden membarrier() since.  After a millisecond a
	 * processor has written what it had to, or the host has interrupted it.
	 */
	lkl_bias_off = true;
	end = lkl_ops->time() + NSEC_PER_MSEC;
	do
		lkl_ops->wait(&never, 0, end);
	while (lkl_ops->time() < end);
}

/**
 * lkl_bias_revoke - end a bias
 * @cpu: the CPU
 * @boot: number of the boot
 *
 * Afterwards the lock is a plain one, or held by the owner, who looks for what is
 * pending before it gives it back.
 */
noinline void lkl_bias_revoke(struct lkl_vcpu *cpu, u32 boot)
{
	struct lkl_bias *bias = lkl_bias_of(cpu);
	u32 old = lkl_cpu_free(boot) | LKL_CPU_BIASED;
	u32 revoking = LKL_CPU_BIASED | LKL_CPU_LOCKED;
	struct task_struct *owner;

	if (READ_ONCE(cpu->word) != old)
		return;
	__atomic_add_fetch(&lkl_bias_enders, 1, __ATOMIC_SEQ_CST);
	if (__atomic_compare_exchange_n(&cpu->word, &old,
					old | LKL_CPU_LOCKED, false,
					__ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
		lkl_bias_reset(cpu);
		owner = READ_ONCE(bias->owner);
		lkl_bias_barrier();
		old = READ_ONCE(cpu->word);
		/* Unless the owner has ended it itself. */
		while (old >> LKL_CPU_BOOT_SHIFT == boot &&
		       (old & revoking) == revoking) {
			u32 new = old & ~revoking;

			if (__atomic_load_n(lkl_bias_flag(bias, boot, owner), __ATOMIC_SEQ_CST))
				new |= LKL_CPU_REVOKED | LKL_CPU_LOCKED;
			if (__atomic_compare_exchange_n(&cpu->word, &old, new,
							false, __ATOMIC_SEQ_CST,
							__ATOMIC_SEQ_CST))
				break;
		}
	}
	__atomic_sub_fetch(&lkl_bias_enders, 1, __ATOMIC_SEQ_CST);
}

/* A task ends; in kernel context. */
void lkl_bias_exit(u32 boot, struct task_struct *task)
{
	unsigned int slot = lkl_bias_slot(task);
	struct lkl_vcpu *cpu;

	for (cpu = lkl_vcpus; cpu < lkl_vcpus + lkl_vcpus_up; cpu++) {
		struct lkl_bias *bias = lkl_bias_of(cpu);

		if (READ_ONCE(bias->tasks[slot]) != task)
			continue;
		if (READ_ONCE(bias->owner) == task) {
			struct task_struct *owner = task;

			/* Outside all other CPUs the task's thread is surely. */
			if (cpu == lkl_this)
				lkl_bias_drop(cpu, boot);
			else
				lkl_bias_revoke(cpu, boot);
			__atomic_compare_exchange_n(&bias->owner, &owner, NULL,
						    false, __ATOMIC_SEQ_CST,
						    __ATOMIC_RELAXED);
		}
		WRITE_ONCE(bias->tasks[slot], NULL);
	}
}

/* No bias is granted until lkl_bias_start(). */
void lkl_bias_stop(void)
{
	lkl_bias_off = true;
}

void lkl_bias_start(void)
{
	struct lkl_vcpu *cpu;

	lkl_bias_off = !lkl_ops->fence || lkl_ops->fence();
	for (cpu = lkl_vcpus; cpu < lkl_vcpus + NR_CPUS; cpu++)
		lkl_bias_reset(cpu);
}
