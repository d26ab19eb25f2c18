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
 * These addresses are free with ASLR, under valgrind and under AddressSanitizer.
 * Where another copy of the library has its kernel in this process, all of them
 * are higher by a multiple of LKL_SLOT_SIZE: a boot takes the first that is free.
 */
#ifndef _ASM_LKL_LAYOUT_H
#define _ASM_LKL_LAYOUT_H

#include <linux/const.h>

#ifndef __ASSEMBLY__
#include <uapi/asm/areas.h>
#endif

#define LKL_RAM_FIRST		_AC(0x110000000000, UL)
#define LKL_SLOT_SIZE		_AC(0x080000000000, UL)
#define LKL_SLOTS		8

#define LKL_RAM_BASE		LKL_AREA_START
#define LKL_VMALLOC_BASE	(LKL_AREA_START + _AC(0x010000000000, UL))
#define LKL_VMALLOC_SIZE	_AC(0x1000000000, UL)
#define LKL_UMAP_BASE		LKL_AREA_MMAP
#define LKL_UMAP_SIZE		LKL_AREA_MMAP_SIZE
#define LKL_VMEMMAP_BASE	LKL_AREA_PAGES
#define LKL_VMEMMAP_END		LKL_AREA_END

/* Turns a physical address into the host's and back. */
#define LKL_PHYS_XOR		LKL_RAM_BASE

/*
 * The host's pages may be smaller than the kernel's, and some of the
 * application's memory may be there in a page of the kernel's and some not.
 */
#define LKL_HOST_PAGE		_AC(4096, UL)

#endif /* _ASM_LKL_LAYOUT_H */
