/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copying to and from the application, any byte of which may be missing.
 */
#include <linux/linkage.h>
#include <linux/export.h>

	.text

.macro EXTABLE from, to
	.pushsection __ex_table, "a"
	.balign 4
	.long \from - .
	.long \to - .
	.popsection
.endm

/*
 * unsigned long lkl_copy_user(void *to, const void *from, unsigned long n)
 *
 * Returns how many bytes were not copied.  Where a wider move faults, the rest
 * is tried byte by byte, so that the count is exact.
 */
SYM_FUNC_START(lkl_copy_user)
	movq	%rdx, %rcx
	cmpq	$64, %rdx
	jae	.Lbytes
.Lwords:
	cmpq	$8, %rcx
	jb	.Ltail
1:	movq	(%rsi), %rax
2:	movq	%rax, (%rdi)
	addq	$8, %rsi
	addq	$8, %rdi
	subq	$8, %rcx
	jmp	.Lwords
.Ltail:
	testl	%ecx, %ecx
	jz	4f
3:	movb	(%rsi), %al
5:	movb	%al, (%rdi)
	incq	%rsi
	incq	%rdi
	decq	%rcx
	jmp	.Ltail
.Lbytes:
6:	rep movsb
4:	movq	%rcx, %rax
	ret
	EXTABLE	1b, .Ltail
	EXTABLE	2b, .Ltail
	EXTABLE	3b, 4b
	EXTABLE	5b, 4b
	EXTABLE	6b, 4b
SYM_FUNC_END(lkl_copy_user)
EXPORT_SYMBOL(lkl_copy_user)

/* unsigned long lkl_clear_user(void *to, unsigned long n) */
SYM_FUNC_START(lkl_clear_user)
	movq	%rsi, %rcx
	xorl	%eax, %eax
1:	rep stosb
2:	movq	%rcx, %rax
	ret
	EXTABLE	1b, 2b
SYM_FUNC_END(lkl_clear_user)
EXPORT_SYMBOL(lkl_clear_user)
