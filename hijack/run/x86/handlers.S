/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handlers of signals, as the host calls them.
 */
#include "../../way/x86/entry.h"
#include "../run.h"

	.section run_text, "ax", @progbits

	define_handlers

/* All signals are blocked.  The stack may be a small one: ours is free. */
	trap_begin
	movzbl	%gs:WAY_SELECTOR, %ecx
	testl	%ecx, %ecx
	jz	1f
	movb	$0, %gs:WAY_SELECTOR
	movq	%gs:WAY_STACK, %rsp
1:	movl	%ecx, %ebp
	andq	$-16, %rsp
	call	way_trap
	movq	%rbx, %rsp
	movb	%bpl, %gs:WAY_SELECTOR
	trap_end

	.section .note.GNU-stack, "", @progbits
