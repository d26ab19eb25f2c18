/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the library's kernel lives in the process.
 *
 * A kernel "physical address" is the host's virtual address: page frame
 * numbers, page_address() and virtio descriptors need no translation, and the
 * application's own memory has frame numbers too (mm/foreign.c).
 *
 *	0x1100_0000_0000  RAM: one shared memory file, "mem=" bytes
 *	0x1200_0000_0000  vmalloc: mirrors of RAM pages, mapped as needed
 *	0x1300_0000_0000  what mmap() of the library's kernel returns
 *	0x1400_0000_0000  struct page of every address below 2^47, mapped where used
 *
 * The addresses are fixed so that processes that will share a kernel agree on
 * them; they are free with ASLR, under valgrind and under AddressSanitizer.
 */
#ifndef _ASM_LKL_LAYOUT_H
#define _ASM_LKL_LAYOUT_H

#include <linux/const.h>

#define LKL_RAM_BASE		_AC(0x110000000000, UL)
#define LKL_VMALLOC_BASE	_AC(0x120000000000, UL)
#define LKL_VMALLOC_SIZE	_AC(0x1000000000, UL)
#define LKL_UMAP_BASE		_AC(0x130000000000, UL)
#define LKL_UMAP_SIZE		0x4000000000
#define LKL_VMEMMAP_BASE	_AC(0x140000000000, UL)
#define LKL_VMEMMAP_END		_AC(0x160000000000, UL)

#endif /* _ASM_LKL_LAYOUT_H */
