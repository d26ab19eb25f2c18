/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What valgrind must know to follow a program that has a kernel in it.
 *
 * A request is an instruction sequence without effect, which valgrind knows.
 * The numbers are part of its interface.  Elsewhere it costs nothing.
 */
#ifndef _ASM_LKL_VALGRIND_H
#define _ASM_LKL_VALGRIND_H

#include <linux/compiler.h>
#include <linux/sched/task_stack.h>
#include <asm/layout.h>

#define LKL_VALGRIND_RUNNING		0x1001UL
#define LKL_VALGRIND_STACK_REGISTER	0x1501UL
/* memcheck: whether to complain about addresses in a range. */
#define LKL_VALGRIND_WATCH_RANGE	0x4d43000dUL
#define LKL_VALGRIND_IGNORE_RANGE	0x4d43000eUL

static __always_inline unsigned long lkl_valgrind(unsigned long request,
						  unsigned long a, unsigned long b)
{
	unsigned long args[6] = { request, a, b }, ret = 0;

	asm volatile("rolq $3, %%rdi; rolq $13, %%rdi\n\t"
		     "rolq $61, %%rdi; rolq $51, %%rdi\n\t"
		     "xchgq %%rbx, %%rbx"
		     : "+d" (ret) : "a" (args) : "memory", "cc");
	return ret;
}

static inline bool lkl_on_valgrind(void)
{
	return lkl_valgrind(LKL_VALGRIND_RUNNING, 0, 0);
}

/* Else going from one stack to the next looks like a large stack frame. */
static inline void lkl_valgrind_stack(void *stack)
{
	lkl_valgrind(LKL_VALGRIND_STACK_REGISTER, (unsigned long)stack,
		     (unsigned long)stack + THREAD_SIZE - 1);
}

/*
 * The kernel's memory is not the C library's heap: pages are touched before
 * they are mapped, and what was a stack becomes something else.
 */
static inline void lkl_valgrind_memory(unsigned long request)
{
	lkl_valgrind(request, LKL_RAM_BASE, LKL_VMEMMAP_END - LKL_RAM_BASE);
}

/* The same for the first stack, which is in the program's data. */
static inline void lkl_valgrind_init_stack(unsigned long request)
{
	lkl_valgrind(request, (unsigned long)init_stack, THREAD_SIZE);
}

#endif /* _ASM_LKL_VALGRIND_H */
