/* SPDX-License-Identifier: GPL-2.0-only */
/* The way of asm/spinlock.h to C code, with all registers kept. */
#include <linux/linkage.h>

	.text

/* rdi: the lock */
SYM_FUNC_START(lkl_spin_slow)
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	andq	$-16, %rsp
	call	lkl_spin_wait
	leaq	-64(%rbp), %rsp
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	popq	%rbp
	ret
SYM_FUNC_END(lkl_spin_slow)
