/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Places for system calls that are made with the program's own registers, where
 * the host does not trap them.  After one that makes a thread or a process there
 * is no register, stack or thread to tell where the program goes on, so each
 * instruction that makes such calls has a place of its own (place.c).
 */
#include "entry.h"

	.text
	.globl	preload_places
	.hidden	preload_places
	.type	preload_places, @function
	.balign	8
preload_places:
	.cfi_startproc
	.cfi_undefined %rip
	place = 0
	.rept	PLACES
	syscall
	jmp	*preload_resumes + 8 * place(%rip)
	place = place + 1
	.endr
	.cfi_endproc
	.size	preload_places, . - preload_places

	.bss
	.globl	preload_resumes
	.hidden	preload_resumes
	.balign	8
preload_resumes:
	.skip	8 * PLACES

	.section .note.GNU-stack, "", @progbits
