/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Spinlocks.
 *
 * With one virtual CPU, a lock is never found taken, and taking it is a subtraction.
 * The path of those that wait keeps all registers, so that it costs the code around
 * nothing; it is in smp.c and x86/spin.S.
 */
#ifndef _ASM_LKL_SPINLOCK_H
#define _ASM_LKL_SPINLOCK_H

#include <asm/alternative.h>
#include <asm/barrier.h>
#include <asm/processor.h>

/* The red zone of the code around is in use. */
static __always_inline void arch_spin_lock(arch_spinlock_t *lock)
{
	asm volatile(LOCK_PREFIX "subl $1, %[value]\n\t"
		     "jnz 672f\n"
		     "673:\n"
		     ".subsection 1\n"
		     "672:\tmovq %%rdi, %c[scratch](%%r15)\n\t"
		     "leaq %[value], %%rdi\n\t"
		     "leaq -128(%%rsp), %%rsp\n\t"
		     "call lkl_spin_slow\n\t"
		     "leaq 128(%%rsp), %%rsp\n\t"
		     "movq %c[scratch](%%r15), %%rdi\n\t"
		     "jmp 673b\n"
		     ".previous"
		     : [value] "+m" (lock->value)
		     : [scratch] "i" (offsetof(struct lkl_vcpu, scratch))
		     : "memory", "cc");
}

static __always_inline int arch_spin_trylock(arch_spinlock_t *lock)
{
	int free = 1;
	bool taken;

	asm volatile(LOCK_PREFIX "cmpxchgl %[zero], %[value]"
		     : [value] "+m" (lock->value), "+a" (free), "=@ccz" (taken)
		     : [zero] "r" (0)
		     : "memory");
	return taken;
}

static __always_inline void arch_spin_unlock(arch_spinlock_t *lock)
{
	smp_store_release(&lock->value, 1);
}

static __always_inline int arch_spin_value_unlocked(arch_spinlock_t lock)
{
	return lock.value > 0;
}

static __always_inline int arch_spin_is_locked(arch_spinlock_t *lock)
{
	return READ_ONCE(lock->value) <= 0;
}

static __always_inline int arch_spin_is_contended(arch_spinlock_t *lock)
{
	return READ_ONCE(lock->value) < 0;
}

#include <asm/qrwlock.h>

#endif /* _ASM_LKL_SPINLOCK_H */
