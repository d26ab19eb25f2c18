/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last step on the way to the program, with where that goes on in R11.
 */
	.text
	.globl	way_out_now
	.hidden	way_out_now
	.type	way_out_now, @function
way_out_now:
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa %rsp, 0
	.cfi_undefined %rip
	jmp	*%r11

/* A signal is pending, and sends the program on its way. */
	.globl	way_out_trap, way_out_trapped
	.hidden	way_out_trap, way_out_trapped
way_out_trap:
way_out_trapped:
	ud2
	.cfi_endproc
	.size	way_out_now, . - way_out_now

	.section .note.GNU-stack, "", @progbits
