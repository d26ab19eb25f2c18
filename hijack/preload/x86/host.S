/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls of the host.
 */
#include "entry.h"

	.text
	.macro	if_pending label
	movq	preload_thread@gottpoff(%rip), %rcx
	cmpb	$0, %fs:WAY_PENDING(%rcx)
	jne	\label
	.endm
	define_host_syscall
	define_filter_calls
	define_sigreturn

	.section .note.GNU-stack, "", @progbits
