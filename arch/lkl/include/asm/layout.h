/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the library's kernel lives in the process.
 *
 * A kernel "physical address" is the host's virtual address with the bits of
 * RAM's base flipped.  RAM so starts at 0, and every other address of the
 * process is a physical address too: the application's own memory has page
 * frame numbers, and page_address() is right for them (mm/foreign.c).
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

/* Turns a physical address into the host's and back. */
#define LKL_PHYS_XOR		LKL_RAM_BASE

#define LKL_RAM_BASE		_AC(0x110000000000, UL)
#define LKL_VMALLOC_BASE	_AC(0x120000000000, UL)
#define LKL_VMALLOC_SIZE	_AC(0x1000000000, UL)
#define LKL_UMAP_BASE		_AC(0x130000000000, UL)
#define LKL_UMAP_SIZE		0x4000000000
#define LKL_VMEMMAP_BASE	_AC(0x140000000000, UL)
#define LKL_VMEMMAP_END		_AC(0x160000000000, UL)

#endif /* _ASM_LKL_LAYOUT_H */
