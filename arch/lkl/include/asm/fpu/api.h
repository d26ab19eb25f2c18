/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Vector registers for the kernel.  They belong to the application, so they are
 * saved around each use; x86/fpu.c tells more.
 */
#ifndef _ASM_LKL_FPU_API_H
#define _ASM_LKL_FPU_API_H

#include <linux/types.h>
#include <asm/cpufeature.h>

#define XFEATURE_MASK_SSE	0x02
#define XFEATURE_MASK_YMM	0x04
#define XFEATURE_MASK_AVX512	0xe0

void kernel_fpu_begin(void);
void kernel_fpu_end(void);
bool irq_fpu_usable(void);
int cpu_has_xfeatures(u64 mask, const char **name);

#endif /* _ASM_LKL_FPU_API_H */
