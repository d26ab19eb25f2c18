/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From us to the program.  A thread is in our code until its selector is 1; see
 * entry.S.
 */
#include "../../way/x86/entry.h"
#include "../run.h"

	.section run_text, "ax", @progbits

	.globl	run_leave
	.type	run_leave, @function
	.balign	64
run_leave:
	.cfi_startproc
	.cfi_signal_frame
	.cfi_undefined %rip
	regs_cfi
	/* RBP: struct run_regs, RAX: the result */
	movq	%gs:WAY_USER_FS, %rcx
	cmpb	$0, run_has_fsgsbase(%rip)
	je	3f
	wrfsbase %rcx
4:	.cfi_endproc
	pop_regs
	movq	(%rsp), %r11
	popfq
	movq	%gs:WAY_USER_SP, %rsp
	movq	%gs:WAY_RESUME, %rcx
	movb	$1, %gs:WAY_SELECTOR
	.globl	run_out_jump
run_out_jump:
	jmp	*%gs:WAY_OUT
	.globl	way_out_now
way_out_now:
	jmp	*%rcx

3:	movq	%rax, %rbx
	movq	%rcx, %rdi
	call	run_set_fs
	movq	%rbx, %rax
	jmp	4b
	.size	run_leave, . - run_leave

/* void run_go(struct run_thread *t, struct run_regs *regs) */
	.globl	run_go
	.type	run_go, @function
run_go:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	subq	$8, %rsp
	movq	%rsp, WAY_BACK(%rdi)
	cmpq	$0, WAY_STACK(%rdi)
	jne	1f
	leaq	-8(%rsp), %rax
	movq	%rax, WAY_STACK(%rdi)
1:
	movq	%rsi, %rbp
	movq	8*13(%rsi), %rax
	jmp	run_leave
	.size	run_go, . - run_go

	.globl	run_back
	.type	run_back, @function
run_back:
	movq	%gs:WAY_BACK, %rsp
	addq	$8, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
	.size	run_back, . - run_back

/* What counts is the address behind an instruction. */
	ud2

	.text
/*
 * A signal is pending: this traps, and the handler of SIGSYS sends the program
 * on its way.
 */
	.globl	way_out_trap, way_out_trapped
	.type	way_out_trap, @function
way_out_trap:
	syscall
way_out_trapped:
	.size	way_out_trap, . - way_out_trap

	.section .note.GNU-stack, "", @progbits
