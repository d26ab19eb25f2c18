// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stack traces, by frame pointers.
 */
#include <linux/kallsyms.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/task_stack.h>
#include <linux/stacktrace.h>

void arch_stack_walk(stack_trace_consume_fn consume, void *cookie,
		     struct task_struct *task, struct pt_regs *regs)
{
	unsigned long base, *bp;

	task = task ?: current;
	base = (unsigned long)task_stack_page(task);
	if (task == current)
		bp = __builtin_frame_address(0);
	else
		bp = ((unsigned long **)task->thread.sp)[5];

	while ((unsigned long)bp >= base &&
	       (unsigned long)bp <= base + THREAD_SIZE - 2 * sizeof(*bp)) {
		unsigned long *next = (unsigned long *)bp[0];

		if (!bp[1] || !consume(cookie, bp[1]))
			return;
		if (next <= bp)
			return;
		bp = next;
	}
}

static bool lkl_print_entry(void *loglvl, unsigned long addr)
{
	printk("%s %pS\n", (const char *)loglvl, (void *)addr);
	return true;
}

void show_stack(struct task_struct *task, unsigned long *sp, const char *loglvl)
{
	printk("%sCall trace:\n", loglvl);
	arch_stack_walk(lkl_print_entry, (void *)loglvl, task, NULL);
}
