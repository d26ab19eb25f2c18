/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls of the host, made where it does not trap them (entry.S).
 */
#include <asm/prctl.h>
#include "../../way/x86/entry.h"
#include "../run.h"

/* Can programs use WRFSBASE? */
	.bss
	.globl	run_has_fsgsbase
run_has_fsgsbase:
	.byte	0

	.section run_text, "ax", @progbits

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
	define_sigreturn

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

	.section .note.GNU-stack, "", @progbits
