/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_BARRIER_H
#define _ASM_LKL_BARRIER_H

#include <asm/alternative.h>

#define mb()	asm volatile("lock; addl $0,-4(%%rsp)" ::: "memory", "cc")
#define rmb()	barrier()
#define wmb()	barrier()

/*
 * io_uring and packet rings are shared with host threads that run beside the
 * virtual CPU, so even with one CPU these must order stores against loads.
 */
#define __smp_mb()	mb()
#define __smp_rmb()	barrier()
#define __smp_wmb()	barrier()
#define smp_mb()	mb()
#define smp_mb__before_atomic()	barrier()
#define smp_mb__after_atomic()	mb()

/* The processor reorders nothing but loads with earlier stores. */
#define __smp_store_release(p, v)					\
do {									\
	compiletime_assert_atomic_type(*(p));				\
	barrier();							\
	WRITE_ONCE(*(p), v);						\
} while (0)

#define __smp_load_acquire(p)						\
({									\
	typeof(*(p)) ___value = READ_ONCE(*(p));			\
									\
	compiletime_assert_atomic_type(*(p));				\
	barrier();							\
	___value;							\
})

#define __smp_store_mb(var, value)					\
do {									\
	WRITE_ONCE(var, value);						\
	asm volatile(LOCK_PREFIX "addl $0,-4(%%rsp)" ::: "memory", "cc"); \
} while (0)

#include <asm-generic/barrier.h>

#endif /* _ASM_LKL_BARRIER_H */
