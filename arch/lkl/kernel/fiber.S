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
 * For debuggers: what called a fiber is the host thread that drives it.  r13
 * points to lkl_cpu.host_sp, and that to what struct lkl_fiber_frame describes.
 */
#define CFI_HOST_STACK							\
	.cfi_escape 0x0f, 5,		/* the stack pointer was */	\
		    0x7d, 0x00, 0x06,	/* that at 0(%r13), */		\
		    0x23, 0x10;		/* plus 16 */			\
	.cfi_offset %rip, -16;						\
	.cfi_offset %rbp, -8;						\
	.cfi_undefined %rbx;						\
	.cfi_undefined %r12;						\
	.cfi_undefined %r13;						\
	.cfi_undefined %r14;						\
	.cfi_undefined %r15

/*
 * A new fiber: rax is the task switched from, on the stack are the function and
 * its argument.  A function that returns has entered "user mode".
 */
SYM_FUNC_START(lkl_fiber_start)
	.cfi_startproc
	.cfi_undefined %rip
	popq	%rbx
	popq	%r12
	leaq	lkl_cpu+LKL_CPU_HOST_SP(%rip), %r13
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
	leaq	lkl_cpu+LKL_CPU_HOST_SP(%rip), %r13
	CFI_HOST_STACK
	xorl	%ebp, %ebp
	call	*%rbx
	ud2
	.cfi_endproc
SYM_FUNC_END(lkl_fiber_boot)

/*
 * Kernel code has touched a page that is not there.  The signal handler has
 * pushed the instruction's address, the page's and whether it was a write; all
 * registers but rsp are those of the interrupted code.  rsp was moved down by
 * the red zone and is moved back by the final ret.
 */
SYM_FUNC_START(lkl_fault_thunk)
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa %rsp, 24 + 128
	.cfi_offset %rip, -8 - 128
	pushfq
	.cfi_adjust_cfa_offset 8
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_offset %rbp, -40 - 128
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
	movq	32(%rbp), %rdi		/* instruction */
	movq	24(%rbp), %rsi		/* address */
	movq	16(%rbp), %rdx		/* write */
	andq	$-16, %rsp
	cld
	call	lkl_kernel_page_fault
	movq	%rax, 32(%rbp)
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
	.cfi_def_cfa %rsp, 32 + 128
	popfq
	.cfi_adjust_cfa_offset -8
	leaq	16(%rsp), %rsp
	.cfi_adjust_cfa_offset -16
	ret	$128
	.cfi_endproc
SYM_FUNC_END(lkl_fault_thunk)
