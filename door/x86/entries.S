/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image of the kernel, aligned as the largest of its pages, and for each
 * function of it that the host calls one of the same name, which goes there.
 */
#ifdef __ELF__
	.data
	.balign	65536
#else
	/* The linker is told to begin each section at a multiple of 64 KiB. */
	.section .lkl, "dw"
	.balign	4096
#endif
	.globl	door_image, door_image_end
door_image:
	.incbin	DOOR_IMAGE
door_image_end:

	.data
	.balign	4096
	.globl	door_entries, door_entries_end
door_entries:
#define LKL_ENTRY(name)	.Lslot_##name: .quad 0
#include <lkl/asm/entries.h>
door_entries_end:

	.text
	.macro	ENTRY name
	.globl	\name
	.balign	16
\name:	jmp	*.Lslot_\name(%rip)
	.endm
#define LKL_ENTRY(name)	ENTRY name
#include <lkl/asm/entries.h>

#ifdef __ELF__
#define LKL_ENTRY(name)	.hidden name
#define LKL_PUBLIC_ENTRY(name)
#include <lkl/asm/entries.h>
	.hidden	door_image, door_image_end, door_entries, door_entries_end
	.section .note.GNU-stack, "", @progbits
#endif
