/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the program to us; leave.S is the way back.
 *
 * A thread is in our code when its selector is 0.  Signals that come then wait
 * until it leaves.  What is executed with the selector at 1, before it is
 * cleared and after it is set, keeps its state in registers only, so that a
 * signal can be delivered there as if the program were at the system call, or
 * behind it (../way/signal.c).  All of it is in one section, run_text: the range that the
 * host does not trap.
 */
#include <asm/prctl.h>
#include "../../way/x86/entry.h"
#include "../run.h"

	.section run_text, "ax", @progbits

/*
 * From a trampoline: R11 is the struct rewrite_site, everything else as in the
 * system call.  Or R11 is 0 and RCX where the program goes on.
 */
	.globl	run_enter
	.type	run_enter, @function
	.balign	64
run_enter:
	.cfi_startproc
	/* The stacks are not in order, as with a signal. */
	.cfi_signal_frame
	.cfi_undefined %rip
	movb	$0, %gs:WAY_SELECTOR
	movq	%rsp, %gs:WAY_USER_SP
	movq	%gs:WAY_STACK, %rsp
	pushq	%gs:WAY_USER_SP
	push_regs
	cmpb	$0, run_has_fsgsbase(%rip)
	je	2f
	rdfsbase %rax
	movq	%rax, %gs:WAY_USER_FS
	movq	%gs:WAY_HOST_FS, %rax
	wrfsbase %rax
1:	movq	%rsp, %rdi
	call	run_call
	jmp	run_leave

2:	movq	%gs:WAY_HOST_FS, %rdi
	call	run_set_fs
	jmp	1b
	.cfi_endproc
	.size	run_enter, . - run_enter

	.section .note.GNU-stack, "", @progbits
