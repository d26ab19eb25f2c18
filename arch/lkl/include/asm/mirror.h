/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rest of the port asks of mm/.
 */
#ifndef _ASM_LKL_MIRROR_H
#define _ASM_LKL_MIRROR_H

#include <linux/types.h>
#include <asm/layout.h>

struct mm_struct;

/* mm/init.c */
extern unsigned long highest_memmap_pfn;	/* of the tree's mm/internal.h */
int lkl_mm_host_start(unsigned long size);
int lkl_mm_host_restore(unsigned long size, unsigned long base);
void lkl_mm_host_stop(void);
void lkl_mm_setup(unsigned long size);
void paging_init(void);

/* mm/foreign.c */
int lkl_mm_start(struct mm_struct *mm);
bool lkl_foreign_gone(unsigned long addr);

/* mm/mirror.c */
static inline bool lkl_in_umap(unsigned long addr)
{
	return addr >= LKL_UMAP_BASE && addr < LKL_UMAP_BASE + LKL_UMAP_SIZE;
}

int lkl_mirror_touch(struct mm_struct *mm, unsigned long addr);

/* mm/fault.c */
int lkl_user_fault(unsigned long addr, bool write);

#endif /* _ASM_LKL_MIRROR_H */
