/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_SPINLOCK_TYPES_H
#define _ASM_LKL_SPINLOCK_TYPES_H

#include <linux/types.h>

/* 1 is free; a thread that takes it from 1 to 0 has it. */
typedef struct {
	int value;
} arch_spinlock_t;

#define __ARCH_SPIN_LOCK_UNLOCKED	{ 1 }

#include <asm-generic/qrwlock_types.h>

#endif /* _ASM_LKL_SPINLOCK_TYPES_H */
