/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where handlers of the program return to: their rt_sigreturn() is a call as any
 * other.  To what can unwind the stack it is the C library's __restore_rt():
 * RSP points to a context, in which all registers are.
 */
#include "entry.h"

.macro	in_context reg, offset
	.cfi_escape DW_CFA_expression, \reg, 3, DW_OP_breg7, \offset % 128 + 128, \offset / 128
.endm

	.text
	.globl	preload_restorer
	.hidden	preload_restorer
	.type	preload_restorer, @function
	.cfi_startproc
	.cfi_signal_frame
	.cfi_escape DW_CFA_def_cfa_expression, 4, DW_OP_breg7, 160 % 128 + 128, 160 / 128, DW_OP_deref
	in_context 0, 144
	in_context 1, 136
	in_context 2, 152
	in_context 3, 128
	in_context 4, 112
	in_context 5, 104
	in_context 6, 120
	in_context 7, 160
	in_context 8, 40
	in_context 9, 48
	in_context 10, 56
	in_context 11, 64
	in_context 12, 72
	in_context 13, 80
	in_context 14, 88
	in_context 15, 96
	in_context 16, 168
	/* Some look at the instruction before. */
	nop
preload_restorer:
	movl	$__NR_rt_sigreturn, %eax
	leaq	no_site(%rip), %r11
	jmp	preload_entry
	.cfi_endproc
	.size	preload_restorer, . - preload_restorer

	.section .data.rel.ro, "aw"
	.balign	8
/* A struct rewrite_site, whose instruction is not one. */
no_site:
	.quad	preload_restorer, way_sigreturn, preload_restorer, way_sigreturn, 0

	.section .note.GNU-stack, "", @progbits
