/* SPDX-License-Identifier: GPL-2.0-only */
/* Save the address of the virtual CPU, which is in r15, around what uses r15. */
#include <linux/linkage.h>

.macro entry name, to
SYM_FUNC_START(\name)
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%r15
	subq	$8, %rsp
	call	\to
	addq	$8, %rsp
	popq	%r15
	popq	%rbp
	ret
SYM_FUNC_END(\name)
.endm

	.text

entry curve25519_arch, lkl_curve25519_arch
entry curve25519_base_arch, lkl_curve25519_base_arch
