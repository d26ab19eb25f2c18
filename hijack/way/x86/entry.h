/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the assembly of both ways: how the program's registers are kept, and what
 * signal handlers and calls of the host begin with.
 */
#include <asm/errno.h>
#include <asm/unistd.h>
#include "../way.h"

#define SIG_SETMASK 2

#define DW_CFA_def_cfa_expression 0x0f
#define DW_CFA_expression 0x10
#define DW_OP_deref 0x06
#define DW_OP_dup 0x12
#define DW_OP_drop 0x13
#define DW_OP_plus_uconst 0x23
#define DW_OP_bra 0x28
#define DW_OP_skip 0x2f
#define DW_OP_breg6 0x76
#define DW_OP_breg7 0x77
#define DW_OP_breg11 0x7b

/* In DWARF: where the program's REG is, in the struct way_regs RBP points to. */
.macro	saved reg, offset
	.cfi_escape DW_CFA_expression, \reg, 3, DW_OP_breg6, \offset % 128 + 128, \offset / 128
.endm

/*
 * In DWARF: RBP points to a struct way_regs, and the program goes on at
 * site->resume, or at RCX; so gdb and perf see through.
 */
.macro	regs_cfi
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
.endm

/*
 * On our stack, whose first word is the program's RSP: a struct way_regs.  The
 * flags take long to restore, and where @flags is 0 they are not.
 */
.macro	push_regs flags=1
	pushq	%rcx
	.if	\flags
	pushfq
	.else
	pushq	$0
	.endif
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
	regs_cfi
.endm

/* All but RCX, R11, the flags, which RSP points to, and RSP. */
.macro	pop_regs
	movq	%rbp, %rsp
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
.endm

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

/*
 * long host_syscall(nr, a, b, c, d, e, f on the stack)
 *
 * A signal that comes before the instruction, or in it when it would be made
 * again, has it return -WAY_RESTART, if it is a call that can wait.  The macro
 * if_pending jumps to its argument if there is one, and may use RCX.
 */
.macro	define_host_syscall
	.globl	host_syscall
	.globl	way_host_check, way_host_insn, way_host_done
	.hidden	host_syscall, way_host_check, way_host_insn, way_host_done
	.type	host_syscall, @function
host_syscall:
	.cfi_startproc
	as_syscall
way_host_check:
	if_pending 1f
way_host_insn:
	syscall
way_host_done:
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
	call	way_may_block
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
2:	movq	$-WAY_RESTART, %rax
	ret
	.cfi_endproc
	.size	host_syscall, . - host_syscall
.endm

/*
 * Calls by which the program's filters act (filter.c): where they are made tells
 * the host what to do.
 */
.macro	define_filter_call name, done
	.globl	\name, \done
	.hidden	\name, \done
	.type	\name, @function
\name:
	as_syscall
	syscall
\done:
	ret
	.size	\name, . - \name
.endm

.macro	define_filter_calls
	define_filter_call way_ask, way_asked
	define_filter_call way_kill_thread, way_kill_thread_done
	define_filter_call way_kill_process, way_kill_process_done
.endm

/*
 * The program returns from a handler.  What it looks like tells unwinders that
 * have nothing else that RSP points to a context.
 */
.macro	define_sigreturn
	.globl	way_sigreturn
	.hidden	way_sigreturn
	.type	way_sigreturn, @function
way_sigreturn:
	movq	$__NR_rt_sigreturn, %rax
	syscall
	.size	way_sigreturn, . - way_sigreturn
.endm

/*
 * A struct way_entry, in RAX and RDX: block what is to be when the handler is
 * called, which is from here on at the mercy of signals.  RAX stays.
 */
.macro	mask_handler
	testq	%rax, %rax
	jz	77f
	cmpq	$-1, %rdx
	je	77f
	pushq	%rax
	pushq	%rdx
	movl	$SIG_SETMASK, %edi
	movq	%rsp, %rsi
	xorl	%edx, %edx
	movl	$WAY_MASK_SIZE, %r10d
	movl	$__NR_rt_sigprocmask, %eax
	syscall
	popq	%rdx
	popq	%rax
77:
.endm

/*
 * Signal handlers, as the kernel calls them; RSP points to the frame, whose
 * first word is the address to return to.  What they call returns the program's
 * handler, or 0.
 */
.macro	define_handler name, function
	.globl	\name
	.hidden	\name
	.type	\name, @function
\name:
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	call	\function
	mask_handler
	popq	%rdx
	popq	%rsi
	popq	%rdi
	testq	%rax, %rax
	jz	way_handled
	jmp	*%rax
	.size	\name, . - \name
.endm

.macro	define_handlers
	define_handler way_on_signal, way_signal
	define_handler way_on_fault, way_fault
way_handled:
	addq	$8, %rsp
	movl	$__NR_rt_sigreturn, %eax
	syscall
.endm

/* The handler of the trap: RBX is its stack, R12 to R14 are its arguments. */
.macro	trap_begin
	.globl	way_on_trap
	.hidden	way_on_trap
	.type	way_on_trap, @function
way_on_trap:
	movq	%rsp, %rbx
	movq	%rdi, %r12
	movq	%rsi, %r13
	movq	%rdx, %r14
.endm

/* RAX: the program's handler, or 0. */
.macro	trap_end
	mask_handler
	testq	%rax, %rax
	jz	way_handled
	movq	%r12, %rdi
	movq	%r13, %rsi
	movq	%r14, %rdx
	jmp	*%rax
	.size	way_on_trap, . - way_on_trap
.endm
