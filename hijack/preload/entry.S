/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a rewritten system call instruction to the core and back.
 *
 * A trampoline jumps here with struct rewrite_site in R11 and all else as it
 * was before the instruction.  What a system call preserves is preserved: all
 * registers but RAX, RCX and R11, and the red zone.  The unwinding information
 * says that the instruction was a call, so debuggers see through.
 */
#include <asm/errno.h>
#include <asm/unistd.h>

#include "preload.h"

#define SITE_ADDRESS 0
#define SITE_RESUME 8
#define SITE_KIND 32
#define KIND_BEFORE 1

	.text
	.globl	preload_entry
	.hidden	preload_entry
	.type	preload_entry, @function
	.balign	64
preload_entry:
	.cfi_startproc
	.cfi_undefined %rip
	cmpl	$__NR_rt_sigreturn, %eax
	je	in_place
	leaq	-128(%rsp), %rsp
	pushq	SITE_RESUME(%r11)
	pushq	%rbp
	movq	%rsp, %rbp
	.cfi_def_cfa %rbp, 16
	.cfi_offset %rip, -8
	.cfi_offset %rbp, -16
	.cfi_val_offset %rsp, 128
	pushq	%r11
	pushq	%rax
	pushq	%r9
	pushq	%r8
	pushq	%r10
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	/* RDI and RSI: number, arguments */
	movq	%rsp, %rsi
	movl	%eax, %edi
	subq	$256, %rsp
	andq	$-16, %rsp
	movups	%xmm0, (%rsp)
	movups	%xmm1, 16(%rsp)
	movups	%xmm2, 32(%rsp)
	movups	%xmm3, 48(%rsp)
	movups	%xmm4, 64(%rsp)
	movups	%xmm5, 80(%rsp)
	movups	%xmm6, 96(%rsp)
	movups	%xmm7, 112(%rsp)
	movups	%xmm8, 128(%rsp)
	movups	%xmm9, 144(%rsp)
	movups	%xmm10, 160(%rsp)
	movups	%xmm11, 176(%rsp)
	movups	%xmm12, 192(%rsp)
	movups	%xmm13, 208(%rsp)
	movups	%xmm14, 224(%rsp)
	movups	%xmm15, 240(%rsp)
	cld
	call	preload_syscall
	movups	(%rsp), %xmm0
	movups	16(%rsp), %xmm1
	movups	32(%rsp), %xmm2
	movups	48(%rsp), %xmm3
	movups	64(%rsp), %xmm4
	movups	80(%rsp), %xmm5
	movups	96(%rsp), %xmm6
	movups	112(%rsp), %xmm7
	movups	128(%rsp), %xmm8
	movups	144(%rsp), %xmm9
	movups	160(%rsp), %xmm10
	movups	176(%rsp), %xmm11
	movups	192(%rsp), %xmm12
	movups	208(%rsp), %xmm13
	movups	224(%rsp), %xmm14
	movups	240(%rsp), %xmm15
	leaq	-64(%rbp), %rsp
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%r10
	popq	%r8
	popq	%r9
	popq	%rcx
	popq	%r11
	popq	%rbp
	.cfi_def_cfa %rsp, 8
	.cfi_restore %rbp
	leaq	8 + 128(%rsp), %rsp
	.cfi_def_cfa_offset 0
	cmpq	$PRELOAD_IN_PLACE, %rax
	je	1f
	jmp	*SITE_RESUME(%r11)
1:	movq	%rcx, %rax
	.cfi_endproc
in_place:
	/* The instruction is still there, behind the jump that led here. */
	cmpl	$KIND_BEFORE, SITE_KIND(%r11)
	jne	3f
	jmp	*SITE_ADDRESS(%r11)
3:	movq	$-38, %rax
	jmp	*SITE_RESUME(%r11)
	.size	preload_entry, . - preload_entry

/* From a C function's arguments to a system call's. */
	.macro	as_syscall
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	movq	%r9, %r8
	movq	8(%rsp), %r9
	.endm

/* long host_syscall(nr, a, b, c, d, e, f on the stack) */
	.globl	host_syscall
	.hidden	host_syscall
	.type	host_syscall, @function
host_syscall:
	.cfi_startproc
	as_syscall
	syscall
	ret
	.cfi_endproc
	.size	host_syscall, . - host_syscall

/*
 * long host_wait_syscall(nr, a, b, c, d, e, f on the stack)
 *
 * Our signal handler makes it end with -EINTR if it comes between the two labels.
 */
	.globl	host_wait_syscall
	.globl	preload_wait_check, preload_wait_insn, preload_wait_done
	.hidden	host_wait_syscall
	.hidden	preload_wait_check, preload_wait_insn, preload_wait_done
	.type	host_wait_syscall, @function
host_wait_syscall:
	.cfi_startproc
	as_syscall
	movq	preload_pending@gottpoff(%rip), %rcx
preload_wait_check:
	cmpb	$0, %fs:(%rcx)
	jne	1f
preload_wait_insn:
	syscall
preload_wait_done:
	ret
1:	movq	$-EINTR, %rax
	ret
	.cfi_endproc
	.size	host_wait_syscall, . - host_wait_syscall

	.section .note.GNU-stack, "", @progbits
