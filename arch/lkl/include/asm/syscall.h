/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_SYSCALL_H
#define _ASM_LKL_SYSCALL_H

#include <linux/sched.h>
#include <uapi/linux/audit.h>

typedef asmlinkage long (*lkl_syscall_fn)(long, long, long, long, long, long);

asmlinkage long lkl_kill(long pid, long sig, long c, long d, long e, long f);

extern const lkl_syscall_fn lkl_syscall_table[];
extern const unsigned long lkl_nr_syscalls;

static inline int syscall_get_nr(struct task_struct *task, struct pt_regs *regs)
{
	return task->thread.regs.nr;
}

static inline int syscall_get_arch(struct task_struct *task)
{
	return AUDIT_ARCH_X86_64;
}

#endif /* _ASM_LKL_SYSCALL_H */
