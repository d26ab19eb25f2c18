/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_STACKTRACE_H
#define _ASM_LKL_STACKTRACE_H

#include <linux/stacktrace.h>
#include <asm/sections.h>

static inline bool lkl_is_kernel_ip(unsigned long ip)
{
	return ip >= (unsigned long)_stext && ip < (unsigned long)_einittext;
}

/* kernel/traps.c */
void lkl_walk_frames(stack_trace_consume_fn consume, void *cookie,
		     struct task_struct *task, unsigned long bp);
void lkl_show_frames(const char *loglvl, unsigned long ip, unsigned long bp);

#endif /* _ASM_LKL_STACKTRACE_H */
