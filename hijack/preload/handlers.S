/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handlers of signals, as the host calls them.
 */
#include "entry.h"

	.text
	define_handlers

/*
 * The handler of the trap.  All signals are blocked.  The stack may be a small
 * one: ours is free, if the thread has left it.
 */
	.globl	way_on_trap
	.hidden	way_on_trap
	.type	way_on_trap, @function
way_on_trap:
	movq	%rsp, %rbx
	movq	%rdi, %r12
	movq	%rsi, %r13
	movq	%rdx, %r14
	get_thread
	movzbl	WAY_SELECTOR(%rcx), %ebp
	testl	%ebp, %ebp
	jz	1f
	cmpq	$0, WAY_STACK(%rcx)
	je	1f
	movb	$0, WAY_SELECTOR(%rcx)
	movq	WAY_STACK(%rcx), %rsp
1:	movl	%ebp, %ecx
	andq	$-16, %rsp
	call	way_trap
	movq	%rbx, %rsp
	get_thread
	movb	%bpl, WAY_SELECTOR(%rcx)
	testq	%rax, %rax
	jz	way_handled
	movq	%r12, %rdi
	movq	%r13, %rsi
	movq	%r14, %rdx
	jmp	*%rax
	.size	way_on_trap, . - way_on_trap

	.section .note.GNU-stack, "", @progbits
