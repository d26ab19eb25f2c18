/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the program and us.
 *
 * A thread is in our code when its selector is 0.  Signals that come then wait
 * until it leaves.  What is executed with the selector at 1, before it is
 * cleared and after it is set, keeps its state in registers only, so that a
 * signal can be delivered there as if the program were at the system call, or
 * behind it (../way/signal.c).  All of it is in one section: the range that the host
 * does not trap.
 */
#include <asm/prctl.h>
#include "../way/entry.h"
#include "run.h"

	.section .text.run, "ax", @progbits
	.globl	run_text
run_text:

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
run_leave:
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

2:	movq	%gs:WAY_HOST_FS, %rdi
	call	run_set_fs
	jmp	1b
3:	movq	%rax, %rbx
	movq	%rcx, %rdi
	call	run_set_fs
	movq	%rbx, %rax
	jmp	4b
	.size	run_enter, . - run_enter

	.globl	run_set_fs
	.type	run_set_fs, @function
run_set_fs:
	cmpb	$0, run_has_fsgsbase(%rip)
	je	1f
	wrfsbase %rdi
	ret
1:	movq	%rdi, %rsi
	movl	$ARCH_SET_FS, %edi
	movl	$__NR_arch_prctl, %eax
	syscall
	ret
	.size	run_set_fs, . - run_set_fs

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

/*
 * long run_clone(flags, stack, ptid, ctid, tls, fn, arg on the stack)
 */
	.globl	run_clone
	.type	run_clone, @function
run_clone:
	movq	8(%rsp), %rax
	andq	$-16, %rsi
	subq	$16, %rsi
	movq	%r9, (%rsi)
	movq	%rax, 8(%rsi)
	movq	%rcx, %r10
	movl	$__NR_clone, %eax
	syscall
	testq	%rax, %rax
	jz	1f
	ret
1:	xorl	%ebp, %ebp
	popq	%rax
	popq	%rdi
	call	*%rax
	hlt
	.size	run_clone, . - run_clone

	.macro	if_pending label
	cmpb	$0, %gs:WAY_PENDING
	jne	\label
	.endm
	define_host_syscall
	define_filter_calls

/*
 * long way_exempt(nr, a, b, c, d): a system call with the selector at 1
 */
	.globl	way_exempt
	.type	way_exempt, @function
way_exempt:
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	syscall
	ret
	.size	way_exempt, . - way_exempt

	define_handlers

/* All signals are blocked.  The stack may be a small one: ours is free. */
	.globl	way_on_trap
	.type	way_on_trap, @function
way_on_trap:
	movq	%rsp, %rbx
	movq	%rdi, %r12
	movq	%rsi, %r13
	movq	%rdx, %r14
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
	testq	%rax, %rax
	jz	way_handled
	movq	%r12, %rdi
	movq	%r13, %rsi
	movq	%r14, %rdx
	jmp	*%rax
	.size	way_on_trap, . - way_on_trap

/*
 * void run_sigreturn(unsigned long sp): the program returns from a handler.
 *
 * With the selector at 1 either a signal is pending and all are blocked, or
 * one may come and finds a stack of the program's.
 */
	.globl	run_sigreturn
	.type	run_sigreturn, @function
run_sigreturn:
	leaq	way_out_now(%rip), %rax
	movq	%rdi, %rsp
	movb	$1, %gs:WAY_SELECTOR
	movb	$0, %gs:WAY_PENDING
	movq	%rax, %gs:WAY_OUT
	movl	$__NR_rt_sigreturn, %eax
	syscall
	.size	run_sigreturn, . - run_sigreturn

/* What counts is the address behind an instruction. */
	ud2
	.globl	run_text_end
run_text_end:

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
