/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_PTRACE_H
#define _ASM_LKL_PTRACE_H

#include <uapi/asm/ptrace.h>

#ifndef __ASSEMBLY__

/**
 * struct pt_regs - what interrupted code looked like
 * @ip: program counter, 0 if it was the application
 * @sp: stack pointer
 * @nr: system call number
 * @args: system call arguments
 * @user: it was outside the kernel
 */
struct pt_regs {
	unsigned long ip;
	unsigned long sp;
	long nr;
	const long *args;
	bool user;
};

#define user_mode(regs)			((regs)->user)
#define instruction_pointer(regs)	((regs)->ip)
#define user_stack_pointer(regs)	((regs)->sp)
#define profile_pc(regs)		((regs)->ip)

#endif /* __ASSEMBLY__ */

#endif /* _ASM_LKL_PTRACE_H */
