/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_SPARSEMEM_H
#define _ASM_LKL_SPARSEMEM_H

/*
 * RAM is at most 1 TiB.  A small section wastes few struct pages, but holds the
 * page allocator's largest block, of 1024 pages.
 */
#if CONFIG_PAGE_SHIFT == 16
#define SECTION_SIZE_BITS	26
#else
#define SECTION_SIZE_BITS	24
#endif
#define MAX_PHYSMEM_BITS	40

#endif /* _ASM_LKL_SPARSEMEM_H */
