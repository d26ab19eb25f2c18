/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_CURRENT_H
#define _ASM_LKL_CURRENT_H

#include <linux/compiler.h>

#ifndef __ASSEMBLY__

#include <asm/cpu.h>

struct task_struct;

static __always_inline struct task_struct *get_current(void)
{
	return lkl_this->task;
}

#define current get_current()

#endif /* __ASSEMBLY__ */

#endif /* _ASM_LKL_CURRENT_H */
