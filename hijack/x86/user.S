/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * size_t user_copy(void *to, const void *from, size_t len): copy from or to
 * memory that may not be there; returns how many bytes are missing.
 *
 * A fault between user_copy_start and user_copy_end goes on at the latter.
 * Copying by words, it is then tried byte by byte, so that all is copied that is
 * there.  RDX is 0 once that has begun.
 */
	.text
	.globl	user_copy, user_copy_start, user_copy_end
	.hidden	user_copy, user_copy_start, user_copy_end
	.type	user_copy, @function
	.balign	16
user_copy:
	.cfi_startproc
	movq	%rdx, %rcx
	cmpq	$64, %rcx
	jae	3f
user_copy_start:
1:	cmpq	$8, %rcx
	jb	2f
	movq	(%rsi), %rax
	movq	%rax, (%rdi)
	addq	$8, %rsi
	addq	$8, %rdi
	subq	$8, %rcx
	jmp	1b
2:	testq	%rcx, %rcx
	jz	4f
	movb	(%rsi), %al
	movb	%al, (%rdi)
	incq	%rsi
	incq	%rdi
	decq	%rcx
	jmp	2b
3:	xorl	%edx, %edx
	rep movsb
user_copy_end:
	testq	%rdx, %rdx
	jnz	3b
4:	movq	%rcx, %rax
	ret
	.cfi_endproc
	.size	user_copy, . - user_copy

	.section .note.GNU-stack, "", @progbits
