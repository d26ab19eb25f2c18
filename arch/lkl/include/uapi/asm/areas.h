/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The addresses of the library's kernel in a process: asm/layout.h for code outside
 * of the kernel.
 */
#ifndef _UAPI_ASM_LKL_AREAS_H
#define _UAPI_ASM_LKL_AREAS_H

/* Chosen at boot. */
extern unsigned long lkl_ram_base;

/* RAM, and mirrors of it: only the kernel maps anything there. */
#define LKL_AREA_START	lkl_ram_base
/* What mmap() of the library's kernel returns. */
#define LKL_AREA_MMAP	(lkl_ram_base + 0x020000000000UL)
#define LKL_AREA_MMAP_SIZE	0x4000000000UL
/* What it knows of pages. */
#define LKL_AREA_PAGES	(lkl_ram_base + 0x030000000000UL)
/* The end of all that is the library's. */
#define LKL_AREA_END	(lkl_ram_base + 0x050000000000UL)

#endif /* _UAPI_ASM_LKL_AREAS_H */
