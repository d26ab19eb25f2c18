/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_ALTERNATIVE_H
#define _ASM_LKL_ALTERNATIVE_H

#include <linux/stringify.h>
#include <asm/asm.h>

/*
 * Kernel data is touched by the holder of the virtual CPU only, so with one
 * CPU the bus lock would buy nothing.  What other host threads touch (futex
 * words, the CPU's own lock word) uses locked operations of its own.
 */
#ifdef CONFIG_SMP
#define LOCK_PREFIX_HERE ""
#define LOCK_PREFIX "\n\tlock "
#else
#define LOCK_PREFIX_HERE ""
#define LOCK_PREFIX ""
#endif

#endif /* _ASM_LKL_ALTERNATIVE_H */
