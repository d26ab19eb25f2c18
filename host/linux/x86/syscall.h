/* SPDX-License-Identifier: GPL-2.0-only */
/* Linux's system calls, by the processor's instruction. */
#ifndef LINUX_X86_SYSCALL_H
#define LINUX_X86_SYSCALL_H

/* A system call without the C library: negative errno on failure. */
static inline long raw_syscall(long nr, long a, long b, long c, long d, long e,
			       long f)
{
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = e;
	register long r9 asm("r9") = f;
	long ret;

	asm volatile("syscall"
		     : "=a"(ret)
		     : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
		       "r"(r9)
		     : "rcx", "r11", "memory");
	return ret;
}

/* The same with the stack pointer @sp while the host has the thread. */
static inline long raw_syscall_elsewhere(void *sp, long nr, long a, long b)
{
	long ret;

	asm volatile("movq	%%rsp, %%rbx\n\t"
		     "movq	%[sp], %%rsp\n\t"
		     "syscall\n\t"
		     "movq	%%rbx, %%rsp"
		     : "=a"(ret)
		     : "0"(nr), "D"(a), "S"(b), [sp] "r"(sp)
		     : "rbx", "rcx", "r11", "memory");
	return ret;
}

#endif /* LINUX_X86_SYSCALL_H */
