/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The registers of code that a fault has interrupted.  POSIX says nothing of
 * them, so each system has a file of its own that finds them: SYSTEM.c.
 */
#ifndef X86_REGISTERS_H
#define X86_REGISTERS_H

#include <stdbool.h>

/**
 * struct registers - what the host's handler of faults needs of them
 * @linux_context: all of them, as Linux hands them to a handler.  What is
 *	changed there is so when the code goes on
 * @sp: stack pointer
 * @write: the access was a write
 */
struct registers {
	void *linux_context;
	unsigned long sp;
	bool write;
};

/* Those of a handler's ucontext_t. */
struct registers registers_of(void *ucontext);

/* Run fn(arg) below the red zone of code whose stack pointer is @sp. */
static inline long registers_call_below(unsigned long sp, long (*fn)(void *arg),
					void *arg)
{
	long ret;

	/* Aligned for a call. */
	sp = (sp - 128) & -16UL;
	asm volatile("movq	%%rsp, %%rbx\n\t"
		     "movq	%[sp], %%rsp\n\t"
		     "call	*%[fn]\n\t"
		     "movq	%%rbx, %%rsp"
		     : "=a"(ret), "+D"(arg)
		     : [sp] "r"(sp), [fn] "r"(fn)
		     : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11",
		       "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
		       "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
		       "xmm13", "xmm14", "xmm15", "memory", "cc");
	return ret;
}

#endif /* X86_REGISTERS_H */
