/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a rewritten system call instruction to the core; leave.S is the way back.
 *
 * A trampoline jumps here with struct rewrite_site in R11 and all else as it
 * was before the instruction.  What programs expect to be preserved is: all
 * registers but RAX, RCX, R11 and the flags, and the stack, of which no byte is used: that
 * of a goroutine, or of a signal handler, has no room.  The core runs on a stack
 * of ours, which a thread gets with its first call.
 *
 * Before the selector is cleared and after it is set all state is in registers,
 * so a signal can be delivered there as if the program were at the system call,
 * or behind it (../way/signal.c).  The unwinding information says that the
 * instruction was a call, so debuggers see through.
 */
#include "entry.h"

#define SITE_END 24

#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PROT_RW 3
#define MAP_STACK_OF_OURS 0x4022 /* private, anonymous, without reserve */

	.text
	.globl	preload_entry
	.hidden	preload_entry
	.type	preload_entry, @function
	.balign	64
preload_entry:
	.cfi_startproc
	/* The stacks are not in order, as with a signal. */
	.cfi_signal_frame
	.cfi_def_cfa %rsp, 0
	.cfi_escape DW_CFA_expression, 16, 2, DW_OP_breg11, SITE_RESUME
	get_thread
	cmpb	$0, WAY_SELECTOR(%rcx)
	je	of_ours
	cmpq	$0, WAY_STACK(%rcx)
	je	make_stack
have_stack:
	movb	$0, WAY_SELECTOR(%rcx)
	movq	%rsp, WAY_USER_SP(%rcx)
	movq	WAY_STACK(%rcx), %rsp
	pushq	WAY_USER_SP(%rcx)
	push_regs flags=0
	movq	%rsp, %rdi
	call	preload_call
	jmp	preload_leave
	.cfi_endproc

/* A call that our own code makes through the C library. */
of_ours:
	cmpl	$__NR_rt_sigreturn, %eax
	je	in_place
	cmpl	$__NR_clone, %eax
	je	in_place
	cmpl	$__NR_clone3, %eax
	je	in_place
	cmpl	$__NR_vfork, %eax
	je	in_place
	leaq	-128(%rsp), %rsp
	pushq	%r11
	syscall
	popq	%r11
	leaq	128(%rsp), %rsp
	jmp	*SITE_RESUME(%r11)

/* With the program's own registers, at the end of the trampoline. */
in_place:
	jmp	*SITE_END(%r11)

/* The first call of a thread, as a rule set_robust_list(). */
make_stack:
	leaq	-128(%rsp), %rsp
	pushq	%rcx
	pushq	%r11
	pushq	%rax
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%r10
	pushq	%r8
	pushq	%r9
	xorl	%edi, %edi
	movl	$WAY_STACK_SIZE, %esi
	movl	$PROT_RW, %edx
	movl	$MAP_STACK_OF_OURS, %r10d
	movl	$-1, %r8d
	xorl	%r9d, %r9d
	movl	$__NR_mmap, %eax
	syscall
	cmpb	$0, preload_dispatches(%rip)
	je	2f
	pushq	%rax
	movl	$PR_SET_SYSCALL_USER_DISPATCH, %edi
	movl	$1, %esi
	movq	preload_text(%rip), %rdx
	movq	preload_text_size(%rip), %r10
	movq	72(%rsp), %r8
	addq	$WAY_SELECTOR, %r8
	movl	$__NR_prctl, %eax
	syscall
	popq	%rax
2:	movq	%rax, %rcx
	popq	%r9
	popq	%r8
	popq	%r10
	popq	%rdx
	popq	%rsi
	popq	%rdi
	popq	%rax
	popq	%r11
	cmpq	$-4095, %rcx
	jae	1f
	pushq	%rax
	leaq	WAY_STACK_SIZE - 8(%rcx), %rax
	movq	8(%rsp), %rcx
	movq	%rax, WAY_STACK(%rcx)
	popq	%rax
	leaq	128 + 8(%rsp), %rsp
	jmp	have_stack
1:	leaq	128 + 8(%rsp), %rsp
	movq	$-ENOMEM, %rax
	jmp	*SITE_RESUME(%r11)
	.size	preload_entry, . - preload_entry

	.section .note.GNU-stack, "", @progbits
