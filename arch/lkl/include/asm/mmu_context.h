/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_MMU_CONTEXT_H
#define _ASM_LKL_MMU_CONTEXT_H

#include <linux/mm_types.h>

/* There is one set of user addresses, the application's own. */
static inline void switch_mm(struct mm_struct *prev, struct mm_struct *next,
			     struct task_struct *tsk)
{
}

/*
 * For kernel/fork.c: do not clear kernel stacks.  Clearing hides what a task has
 * left there from an attacker that makes the kernel show it, but all of this memory
 * is the program's own; and it took a quarter of the time in which a task is made, and
 * 32 KiB of the host's memory for each one that uses 8.
 */
#undef THREADINFO_GFP
#define THREADINFO_GFP	GFP_KERNEL_ACCOUNT

#include <asm-generic/mm_hooks.h>
#include <asm-generic/mmu_context.h>

#endif /* _ASM_LKL_MMU_CONTEXT_H */
