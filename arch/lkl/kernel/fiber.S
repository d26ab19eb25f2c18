/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Switching stacks.  A fiber is a stack pointer: what the C calling convention
 * keeps over a call lies on top of the stack it points to.
 */
#include <linux/linkage.h>

	.text

/*
 * void *lkl_fiber_switch(void **save, void *load, void *ret)
 *
 * Leave the running fiber in *save, go on with the one at load, for which this
 * looks like a return from its own lkl_fiber_switch() with the value ret.
 */
SYM_FUNC_START(lkl_fiber_switch)
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	movq	%rdx, %rax
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
SYM_FUNC_END(lkl_fiber_switch)

/*
 * Where a new fiber starts: rax is the task switched from, rbx the function,
 * r12 its argument.  A function that returns has entered "user mode".
 */
SYM_FUNC_START(lkl_fiber_start)
	movq	%rax, %rdi
	call	schedule_tail
	movq	%r12, %rdi
	call	*%rbx
	call	lkl_user_mode
	ud2
SYM_FUNC_END(lkl_fiber_start)

/* The first fiber of all: nothing was switched from. */
SYM_FUNC_START(lkl_fiber_boot)
	call	*%rbx
	ud2
SYM_FUNC_END(lkl_fiber_boot)

/*
 * Kernel code has touched a page that is not there.  The signal handler has
 * pushed the instruction's address, the page's and whether it was a write; all
 * registers but rsp are those of the interrupted code.  rsp was moved down by
 * the red zone and is moved back by the final ret.
 */
SYM_FUNC_START(lkl_fault_thunk)
	pushfq
	pushq	%rbp
	movq	%rsp, %rbp
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
	popfq
	leaq	16(%rsp), %rsp
	ret	$128
SYM_FUNC_END(lkl_fault_thunk)
