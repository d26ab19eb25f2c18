// SPDX-License-Identifier: GPL-2.0-only
/*
 * No task of this kernel runs a program that could be traced.
 */
#include <linux/ptrace.h>

long arch_ptrace(struct task_struct *child, long request, unsigned long addr,
		 unsigned long data)
{
	return -EIO;
}

void ptrace_disable(struct task_struct *child)
{
}
