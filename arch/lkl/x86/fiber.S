/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where fibers start (asm/fiber.h), and where kernel code goes that has touched
 * a page that is not there.
 */
#include <linux/linkage.h>
#include <generated/asm-offsets.h>

	.text
	.cfi_sections .debug_frame

/*
 * For debuggers: what called a fiber is the host thread that drives it.  r15
 * points to struct lkl_vcpu, whose host_sp points to what struct lkl_fiber_frame
 * describes, above which lies the thread's r15.
 */
#define CFI_HOST_STACK							\
	.cfi_escape 0x0f, 6,		/* the stack pointer was */	\
		    0x7f,		/* that at LKL_CPU_HOST_SP(%r15), */ \
		    0x80 | LKL_CPU_HOST_SP, 0x00, 0x06,			\
		    0x23, 0x10;		/* plus 16 */			\
	.cfi_offset %rip, -16;						\
	.cfi_offset %rbp, -8;						\
	.cfi_undefined %rbx;						\
	.cfi_undefined %r12;						\
	.cfi_undefined %r13;						\
	.cfi_undefined %r14;						\
	.cfi_offset %r15, 0

/*
 * A new fiber: rax is the task switched from, on the stack are the function and
 * its argument.  A function that returns has entered "user mode".
 */
SYM_FUNC_START(lkl_fiber_start)
	.cfi_startproc
	.cfi_undefined %rip
	popq	%rbx
	popq	%r12
	CFI_HOST_STACK
	xorl	%ebp, %ebp
	movq	%rax, %rdi
	call	schedule_tail
	movq	%r12, %rdi
	call	*%rbx
	call	lkl_user_mode
	ud2
	.cfi_endproc
SYM_FUNC_END(lkl_fiber_start)

/* The first fiber of all: nothing was switched from. */
SYM_FUNC_START(lkl_fiber_boot)
	.cfi_startproc
	.cfi_undefined %rip
	popq	%rbx
	popq	%rdi
	CFI_HOST_STACK
	xorl	%ebp, %ebp
	call	*%rbx
	ud2
	.cfi_endproc
SYM_FUNC_END(lkl_fiber_boot)

/*
 * Kernel code has touched a page that is not there: lkl_vcpu.fault tells which, and
 * where.  All registers are those of the interrupted code, which may have data
 * in the red zone below its stack pointer.
 */
SYM_FUNC_START(lkl_fault_thunk)
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa %rsp, 0
	.cfi_undefined %rip
	leaq	-128(%rsp), %rsp
	.cfi_adjust_cfa_offset 128
	pushq	LKL_CPU_FAULT(%r15)	/* where to return to */
	.cfi_adjust_cfa_offset 8
	.cfi_offset %rip, -136
	pushfq
	.cfi_adjust_cfa_offset 8
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_offset %rbp, -152
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	movq	LKL_CPU_FAULT(%r15), %rdi
	movq	LKL_CPU_FAULT+8(%r15), %rsi
	movq	LKL_CPU_FAULT+16(%r15), %rdx
	andq	$-16, %rsp
	cld
	call	lkl_kernel_page_fault
	movq	%rax, 16(%rbp)
	leaq	-72(%rbp), %rsp
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	popq	%rbp
	.cfi_restore %rbp
	.cfi_def_cfa %rsp, 144
	popfq
	.cfi_adjust_cfa_offset -8
	ret	$128
	.cfi_endproc
SYM_FUNC_END(lkl_fault_thunk)
