// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stack traces, by frame pointers.
 */
#include <linux/kallsyms.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/task_stack.h>
#include <asm/fiber.h>
#include <asm/stacktrace.h>

/**
 * lkl_walk_frames - follow frame pointers to the base of a task's stack
 * @consume: called with each return address until it returns false
 * @cookie: its first argument
 * @task: the task
 * @bp: frame pointer to start with
 */
void lkl_walk_frames(stack_trace_consume_fn consume, void *cookie,
		     struct task_struct *task, unsigned long bp)
{
	unsigned long base = (unsigned long)task_stack_page(task);
	unsigned long *frame, next;

	for (; bp >= base && bp <= base + THREAD_SIZE - 16; bp = next) {
		frame = (unsigned long *)bp;
		next = frame[0];
		if (!frame[1] || !consume(cookie, frame[1]) || next <= bp)
			return;
	}
}

void arch_stack_walk(stack_trace_consume_fn consume, void *cookie,
		     struct task_struct *task, struct pt_regs *regs)
{
	void *bp;

	if (!task || task == current)
		bp = __builtin_frame_address(0);
	else
		bp = ((struct lkl_fiber_frame *)task->thread.sp)->bp;
	lkl_walk_frames(consume, cookie, task ?: current, (unsigned long)bp);
}

static bool lkl_print_entry(void *loglvl, unsigned long addr)
{
	printk("%s %pB\n", (const char *)loglvl, (void *)addr);
	return true;
}

void show_stack(struct task_struct *task, unsigned long *sp, const char *loglvl)
{
	printk("%sCall trace:\n", loglvl);
	arch_stack_walk(lkl_print_entry, (void *)loglvl, task, NULL);
}

/**
 * lkl_show_frames - print the call trace of an interrupted fiber
 * @loglvl: level of the messages
 * @ip: where the running task was interrupted
 * @bp: its frame pointer there
 */
void lkl_show_frames(const char *loglvl, unsigned long ip, unsigned long bp)
{
	printk("%sCall trace:\n", loglvl);
	printk("%s %pS\n", loglvl, (void *)ip);
	lkl_walk_frames(lkl_print_entry, (void *)loglvl, current, bp);
}
