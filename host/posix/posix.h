/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LKL_POSIX_H
#define LKL_POSIX_H

#include <signal.h>

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

/* Put the kernel before whoever handles SIGSEGV and SIGBUS; 0 or -errno. */
int posix_faults_install(void);

/* Give the handlers back. */
void posix_faults_remove(void);

/**
 * lkl_fault_action - sigaction() for SIGSEGV and SIGBUS
 * @sig: one of them
 * @new: who handles what is not the kernel's, or NULL
 * @was: where to store who did, or NULL
 */
void lkl_fault_action(int sig, const struct sigaction *new,
		      struct sigaction *was);

#endif /* LKL_POSIX_H */
