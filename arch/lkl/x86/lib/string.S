/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copying and filling memory.  KASAN has its own functions of the plain names.
 *
 * Short blocks are moved with two overlapping loads, long ones with the string
 * instructions, which every x86-64 of the last decade runs at full width.
 */
#include <linux/export.h>
#include <linux/linkage.h>

	.text

/* void *memcpy(void *to, const void *from, size_t n) */
SYM_FUNC_START(__memcpy)
	movq	%rdi, %rax
	cmpq	$16, %rdx
	jb	.Lcpy_short
	cmpq	$64, %rdx
	ja	.Lcpy_long
	/* 16 to 64: from both ends, all loads before any store */
	movq	(%rsi), %r8
	movq	8(%rsi), %r9
	movq	-16(%rsi,%rdx), %r10
	movq	-8(%rsi,%rdx), %r11
	cmpq	$32, %rdx
	jbe	.Lcpy_ends
	pushq	%rbx
	pushq	%r12
	movq	16(%rsi), %rbx
	movq	24(%rsi), %r12
	movq	-32(%rsi,%rdx), %rcx
	movq	-24(%rsi,%rdx), %rsi
	movq	%rbx, 16(%rdi)
	movq	%r12, 24(%rdi)
	movq	%rcx, -32(%rdi,%rdx)
	movq	%rsi, -24(%rdi,%rdx)
	popq	%r12
	popq	%rbx
.Lcpy_ends:
	movq	%r8, (%rdi)
	movq	%r9, 8(%rdi)
	movq	%r10, -16(%rdi,%rdx)
	movq	%r11, -8(%rdi,%rdx)
	ret
.Lcpy_long:
	movq	%rdx, %rcx
	rep movsb
	ret
.Lcpy_short:
	cmpl	$8, %edx
	jae	.Lcpy_8
	cmpl	$4, %edx
	jae	.Lcpy_4
	testl	%edx, %edx
	jz	.Lcpy_done
	/* 1 to 3: first, middle and last byte may coincide */
	movzbl	(%rsi), %r8d
	movzbl	-1(%rsi,%rdx), %r9d
	movq	%rdx, %rcx
	shrq	$1, %rcx
	movzbl	(%rsi,%rcx), %r10d
	movb	%r8b, (%rdi)
	movb	%r10b, (%rdi,%rcx)
	movb	%r9b, -1(%rdi,%rdx)
	ret
.Lcpy_8:
	movq	(%rsi), %r8
	movq	-8(%rsi,%rdx), %r9
	movq	%r8, (%rdi)
	movq	%r9, -8(%rdi,%rdx)
	ret
.Lcpy_4:
	movl	(%rsi), %r8d
	movl	-4(%rsi,%rdx), %r9d
	movl	%r8d, (%rdi)
	movl	%r9d, -4(%rdi,%rdx)
.Lcpy_done:
	ret
SYM_FUNC_END(__memcpy)
EXPORT_SYMBOL(__memcpy)
SYM_FUNC_ALIAS_WEAK(memcpy, __memcpy)
EXPORT_SYMBOL(memcpy)

/* void *memmove(void *to, const void *from, size_t n) */
SYM_FUNC_START(__memmove)
	movq	%rdi, %rax
	subq	%rsi, %rax
	cmpq	%rdx, %rax
	jae	__memcpy
	cmpq	$64, %rdx
	jbe	__memcpy	/* loads before it stores */
	/* The target overlaps the end of the source: go backwards. */
	movq	%rdi, %rax
.Lmove_32:
	movq	-8(%rsi,%rdx), %r8
	movq	-16(%rsi,%rdx), %r9
	movq	-24(%rsi,%rdx), %r10
	movq	-32(%rsi,%rdx), %r11
	movq	%r8, -8(%rdi,%rdx)
	movq	%r9, -16(%rdi,%rdx)
	movq	%r10, -24(%rdi,%rdx)
	movq	%r11, -32(%rdi,%rdx)
	subq	$32, %rdx
	cmpq	$32, %rdx
	jae	.Lmove_32
	pushq	%rax
	call	__memcpy
	popq	%rax
	ret
SYM_FUNC_END(__memmove)
EXPORT_SYMBOL(__memmove)
SYM_FUNC_ALIAS_WEAK(memmove, __memmove)
EXPORT_SYMBOL(memmove)

/* void *memset(void *to, int c, size_t n) */
SYM_FUNC_START(__memset)
	movq	%rdi, %rax
	movzbl	%sil, %ecx
	movabsq	$0x0101010101010101, %r8
	imulq	%rcx, %r8
	cmpq	$64, %rdx
	ja	.Lset_long
	cmpl	$8, %edx
	jb	.Lset_short
	movq	%r8, -8(%rdi,%rdx)
.Lset_8:
	movq	%r8, (%rdi)
	addq	$8, %rdi
	subq	$8, %rdx
	ja	.Lset_8_more
	ret
.Lset_8_more:
	cmpq	$8, %rdx
	jae	.Lset_8
	ret
.Lset_short:
	testl	%edx, %edx
	jz	.Lset_done
	movb	%r8b, -1(%rdi,%rdx)
	movb	%r8b, (%rdi)
	cmpl	$3, %edx
	jb	.Lset_done
	movw	%r8w, 1(%rdi)
	cmpl	$4, %edx
	jbe	.Lset_done
	movl	%r8d, -4(%rdi,%rdx)
	movl	%r8d, (%rdi)
.Lset_done:
	ret
.Lset_long:
	movq	%rax, %r9
	movl	%r8d, %eax
	movq	%rdx, %rcx
	rep stosb
	movq	%r9, %rax
	ret
SYM_FUNC_END(__memset)
EXPORT_SYMBOL(__memset)
SYM_FUNC_ALIAS_WEAK(memset, __memset)
EXPORT_SYMBOL(memset)
