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
	trap_begin
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
	trap_end

	.section .note.GNU-stack, "", @progbits
