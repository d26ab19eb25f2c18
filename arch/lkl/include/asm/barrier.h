/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_BARRIER_H
#define _ASM_LKL_BARRIER_H

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

#include <asm-generic/barrier.h>

#endif /* _ASM_LKL_BARRIER_H */
