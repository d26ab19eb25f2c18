/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_TLBFLUSH_H
#define _ASM_LKL_TLBFLUSH_H

#include <linux/mm.h>

/* The host's page table is our TLB: a flush makes it follow ours again. */
void lkl_mirror_range(struct mm_struct *mm, unsigned long start,
		      unsigned long end);

static inline void flush_tlb_range(struct vm_area_struct *vma,
				   unsigned long start, unsigned long end)
{
	lkl_mirror_range(vma->vm_mm, start, end);
}

static inline void flush_tlb_page(struct vm_area_struct *vma,
				  unsigned long addr)
{
	addr &= PAGE_MASK;
	lkl_mirror_range(vma->vm_mm, addr, addr + PAGE_SIZE);
}

static inline void flush_tlb_mm(struct mm_struct *mm)
{
	lkl_mirror_range(mm, LKL_UMAP_BASE, LKL_UMAP_BASE + LKL_UMAP_SIZE);
}

void flush_tlb_kernel_range(unsigned long start, unsigned long end);

static inline void flush_tlb_all(void)
{
	flush_tlb_kernel_range(VMALLOC_START, VMALLOC_END);
}

#endif /* _ASM_LKL_TLBFLUSH_H */
