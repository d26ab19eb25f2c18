/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the core back to the program, and the last steps of threads and of children
 * of a vfork().
 */
#include "entry.h"

	.text
/* RBP: struct way_regs, RAX: the result */
	.globl	preload_leave
	.hidden	preload_leave
	.type	preload_leave, @function
	.balign	64
preload_leave:
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa %rsp, 0
	.cfi_undefined %rip
	.cfi_remember_state
	regs_cfi
	pop_regs
	get_thread
	movq	WAY_USER_SP(%rcx), %rsp
	.cfi_restore_state
	movq	WAY_RESUME(%rcx), %r11
	movb	$1, WAY_SELECTOR(%rcx)
	.globl	preload_out_jump
	.hidden	preload_out_jump
preload_out_jump:
	jmp	*WAY_OUT(%rcx)
	.cfi_endproc
	.size	preload_leave, . - preload_leave

/* Where a thread goes on that ends, with the status in RDI: nothing is left. */
	.globl	preload_exit
	.hidden	preload_exit
	.type	preload_exit, @function
preload_exit:
	movq	%rdi, %rbx
	get_thread
	movq	WAY_STACK(%rcx), %rdi
	movq	$0, WAY_STACK(%rcx)
	subq	$WAY_STACK_SIZE - 8, %rdi
	movl	$WAY_STACK_SIZE, %esi
	movl	$__NR_munmap, %eax
	syscall
	movq	%rbx, %rdi
	movl	$__NR_exit, %eax
	syscall
	.size	preload_exit, . - preload_exit

/*
 * The last call of the child of a vfork(), as if the program made it itself: it
 * may not return, and what it leaves behind is its parent's state.
 */
	.globl	preload_last
	.hidden	preload_last
	.type	preload_last, @function
preload_last:
	syscall
	get_thread
	jmp	*WAY_AFTER(%rcx)
	.size	preload_last, . - preload_last

	.section .note.GNU-stack, "", @progbits
