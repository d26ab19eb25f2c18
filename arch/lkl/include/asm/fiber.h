/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Switching stacks.
 *
 * A fiber that does not run is a stack pointer, on top of whose stack lie the
 * address to go on at and the frame pointer.  All other registers are given up
 * around a switch, which is what they are around any call.
 *
 * This is inline and jumps, rather than a function that returns: a return on
 * another stack goes where the processor's return predictor does not expect it,
 * and so does every later one.  As it is, calls and returns stay paired on each
 * stack, and a system call costs half.
 */
#ifndef _ASM_LKL_FIBER_H
#define _ASM_LKL_FIBER_H

#include <linux/stddef.h>
#include <asm/cpu.h>

/* What lies on top of the stack of a fiber that does not run. */
struct lkl_fiber_frame {
	void *ip;
	unsigned long *bp;
};

/**
 * struct lkl_fiber_start_frame - what a new fiber finds on its stack
 * @ip: lkl_fiber_start
 * @fn: function to call
 * @arg: its argument
 * @end: where backtraces end; an even number, for the alignment that calls want; aligns the stack as calls of host functions want
 */
struct lkl_fiber_start_frame {
	void *ip;
	void *fn;
	void *arg;
	unsigned long end[2];
};

void lkl_fiber_start(void);
void lkl_fiber_boot(void);

/**
 * lkl_fiber_switch - leave this fiber for another, or for the host thread
 * @save: where to keep this one's stack pointer
 * @load: stack pointer of the other
 * @val: value that the other's lkl_fiber_switch() returns
 *
 * Another virtual CPU may be the one that comes back.
 *
 * Return: @val of the fiber that switches back
 */
static __always_inline void *lkl_fiber_switch(void **save, void *load,
					      void *val)
{
	asm volatile("pushq	%%rbp\n\t"
		     "leaq	1f(%%rip), %%rcx\n\t"
		     "pushq	%%rcx\n\t"
		     "movq	%%rsp, (%[save])\n\t"
		     "movq	%[load], %%rsp\n\t"
		     "popq	%%rcx\n\t"
		     "jmp	*%%rcx\n"
		     "1:\tpopq	%%rbp"
		     : "+a" (val), [save] "+D" (save), [load] "+S" (load),
		       "+r" (lkl_this)
		     :
		     : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12",
		       "r13", "r14", "memory", "cc");
	return val;
}

/**
 * lkl_fiber_enter - switch from a host thread's stack to a fiber
 * @cpu: virtual CPU that the thread holds
 * @load: stack pointer of the fiber
 *
 * Return: the value that the fiber gives when it switches to the host's stack
 */
static __always_inline void *lkl_fiber_enter(struct lkl_vcpu *cpu, void *load)
{
	void *val = NULL;

	asm volatile("pushq	%%r15\n\t"
		     "pushq	%%rbp\n\t"
		     "leaq	1f(%%rip), %%rcx\n\t"
		     "pushq	%%rcx\n\t"
		     "movq	%[cpu], %%r15\n\t"
		     "movq	%%rsp, %c[host_sp](%%r15)\n\t"
		     "movq	%[load], %%rsp\n\t"
		     "popq	%%rcx\n\t"
		     "jmp	*%%rcx\n"
		     "1:\tpopq	%%rbp\n\t"
		     "popq	%%r15"
		     : "+a" (val), [cpu] "+D" (cpu), [load] "+S" (load)
		     : [host_sp] "i" (offsetof(struct lkl_vcpu, host_sp))
		     : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12",
		       "r13", "r14", "memory", "cc");
	return val;
}

#endif /* _ASM_LKL_FIBER_H */
