/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the program and us.
 *
 * A thread is in our code when its selector is 0.  Signals that come then wait
 * until it leaves.  What is executed with the selector at 1, before it is
 * cleared and after it is set, keeps its state in registers only, so that a
 * signal can be delivered there as if the program were at the system call, or
 * behind it (signal.c).  All of it is in one section: the range that the host
 * does not trap.
 */
#include <asm/prctl.h>
#include <asm/unistd.h>
#include "run.h"

#define DW_CFA_def_cfa_expression 0x0f
#define DW_CFA_expression 0x10
#define DW_OP_deref 0x06
#define DW_OP_dup 0x12
#define DW_OP_drop 0x13
#define DW_OP_plus_uconst 0x23
#define DW_OP_bra 0x28
#define DW_OP_skip 0x2f
#define DW_OP_breg6 0x76

/* In DWARF: where the program's REG is, in the struct run_regs RBP points to. */
.macro	saved reg, offset
	.cfi_escape DW_CFA_expression, \reg, 3, DW_OP_breg6, \offset % 128 + 128, \offset / 128
.endm

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
	movb	$0, %gs:RUN_SELECTOR
	movq	%rsp, %gs:RUN_USER_SP
	movq	%gs:RUN_STACK, %rsp
	pushq	%gs:RUN_USER_SP
	pushq	%rcx
	pushfq
	cld
	pushq	%rax
	pushq	%r11
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%rbp
	pushq	%rbx
	pushq	%r9
	pushq	%r8
	pushq	%r10
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	movq	%rsp, %rbp
	/*
	 * It goes on at site->resume, or at RCX; so gdb and perf see through.
	 */
	.cfi_escape DW_CFA_def_cfa_expression, 4, DW_OP_breg6, 128 + 0, 1, DW_OP_deref
	.cfi_escape DW_CFA_expression, 16, 17, DW_OP_breg6, 128 + 96, 0, DW_OP_deref, \
		DW_OP_dup, DW_OP_bra, 7, 0, DW_OP_drop, DW_OP_breg6, 128 + 120, 0, \
		DW_OP_skip, 2, 0, DW_OP_plus_uconst, SITE_RESUME
	saved	3, 48
	saved	6, 56
	saved	12, 64
	saved	13, 72
	saved	14, 80
	saved	15, 88
	cmpb	$0, run_has_fsgsbase(%rip)
	je	2f
	rdfsbase %rax
	movq	%rax, %gs:RUN_USER_FS
	movq	%gs:RUN_HOST_FS, %rax
	wrfsbase %rax
1:	movq	%rsp, %rdi
	call	run_call
run_leave:
	/* RBP: struct run_regs, RAX: the result */
	movq	%gs:RUN_USER_FS, %rcx
	cmpb	$0, run_has_fsgsbase(%rip)
	je	3f
	wrfsbase %rcx
4:	movq	%rbp, %rsp
	.cfi_endproc
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%r10
	popq	%r8
	popq	%r9
	popq	%rbx
	popq	%rbp
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	addq	$16, %rsp
	movq	(%rsp), %r11
	popfq
	movq	%gs:RUN_USER_SP, %rsp
	movq	%gs:RUN_RESUME, %rcx
	movb	$1, %gs:RUN_SELECTOR
	.globl	run_out_jump
run_out_jump:
	jmp	*%gs:RUN_OUT
	.globl	run_out_now
run_out_now:
	jmp	*%rcx

2:	movq	%gs:RUN_HOST_FS, %rdi
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
	movq	%rsp, RUN_BACK(%rdi)
	cmpq	$0, RUN_STACK(%rdi)
	jne	1f
	leaq	-8(%rsp), %rax
	movq	%rax, RUN_STACK(%rdi)
1:
	movq	%rsi, %rbp
	movq	8*13(%rsi), %rax
	jmp	run_leave
	.size	run_go, . - run_go

	.globl	run_back
	.type	run_back, @function
run_back:
	movq	%gs:RUN_BACK, %rsp
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

/*
 * long host_syscall(nr, a, b, c, d, e, f on the stack)
 *
 * A signal that comes before the instruction, or in it when it would be made
 * again, has it return -RUN_RESTART, if it is a call that can wait.
 */
	.globl	host_syscall, hijack_host_text, hijack_host_text_end
	.globl	run_host_check, run_host_insn, run_host_done
	.type	host_syscall, @function
host_syscall:
	.cfi_startproc
hijack_host_text:
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	movq	%r9, %r8
	movq	8(%rsp), %r9
run_host_check:
	cmpb	$0, %gs:RUN_PENDING
	jne	1f
run_host_insn:
	syscall
run_host_done:
	ret
1:	pushq	%rax
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%r10
	pushq	%r8
	pushq	%r9
	.cfi_adjust_cfa_offset 56
	movq	%rax, %rdi
	call	run_may_block
	movl	%eax, %ecx
	popq	%r9
	popq	%r8
	popq	%r10
	popq	%rdx
	popq	%rsi
	popq	%rdi
	popq	%rax
	.cfi_adjust_cfa_offset -56
	testb	%cl, %cl
	jne	2f
	syscall
	ret
2:	movq	$-RUN_RESTART, %rax
	ret
hijack_host_text_end:
	.cfi_endproc
	.size	host_syscall, . - host_syscall

/*
 * long run_exempt(nr, a, b, c, d): a system call with the selector at 1
 */
	.globl	run_exempt
	.type	run_exempt, @function
run_exempt:
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	syscall
	ret
	.size	run_exempt, . - run_exempt

/*
 * Signal handlers, as the kernel calls them; RSP points to the frame, whose
 * first word is the address to return to.
 */
	.globl	run_on_signal
	.type	run_on_signal, @function
run_on_signal:
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	call	run_signal
	popq	%rdx
	popq	%rsi
	popq	%rdi
	testq	%rax, %rax
	jz	run_handled
	jmp	*%rax
run_handled:
	addq	$8, %rsp
	movl	$__NR_rt_sigreturn, %eax
	syscall
	.size	run_on_signal, . - run_on_signal

	.globl	run_on_fault
	.type	run_on_fault, @function
run_on_fault:
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	call	run_fault
	popq	%rdx
	popq	%rsi
	popq	%rdi
	testq	%rax, %rax
	jz	run_handled
	jmp	*%rax
	.size	run_on_fault, . - run_on_fault

/* All signals are blocked.  The stack may be a small one: ours is free. */
	.globl	run_on_sigsys
	.type	run_on_sigsys, @function
run_on_sigsys:
	movq	%rsp, %rbx
	movq	%rdi, %r12
	movq	%rsi, %r13
	movq	%rdx, %r14
	movzbl	%gs:RUN_SELECTOR, %ecx
	testl	%ecx, %ecx
	jz	1f
	movb	$0, %gs:RUN_SELECTOR
	movq	%gs:RUN_STACK, %rsp
1:	movl	%ecx, %ebp
	andq	$-16, %rsp
	call	run_sigsys
	movq	%rbx, %rsp
	movb	%bpl, %gs:RUN_SELECTOR
	testq	%rax, %rax
	jz	run_handled
	movq	%r12, %rdi
	movq	%r13, %rsi
	movq	%r14, %rdx
	jmp	*%rax
	.size	run_on_sigsys, . - run_on_sigsys

/*
 * void run_sigreturn(unsigned long sp): the program returns from a handler.
 *
 * With the selector at 1 either a signal is pending and all are blocked, or
 * one may come and finds a stack of the program's.
 */
	.globl	run_sigreturn
	.type	run_sigreturn, @function
run_sigreturn:
	leaq	run_out_now(%rip), %rax
	movq	%rdi, %rsp
	movb	$1, %gs:RUN_SELECTOR
	movb	$0, %gs:RUN_PENDING
	movq	%rax, %gs:RUN_OUT
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
	.globl	run_out_trap, run_out_trapped
	.type	run_out_trap, @function
run_out_trap:
	syscall
run_out_trapped:
	.size	run_out_trap, . - run_out_trap

	.section .note.GNU-stack, "", @progbits
