/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_MMU_H
#define _ASM_LKL_MMU_H

/**
 * struct mm_context_t - what the port keeps per address space
 * @mirrored: the host's page table follows this one (mm/mirror.c)
 */
typedef struct {
	bool mirrored;
} mm_context_t;

#endif /* _ASM_LKL_MMU_H */
