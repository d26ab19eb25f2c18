// SPDX-License-Identifier: GPL-2.0-only
/* Tasks as fibers: how they start, switch and end, and what runs when none does. */
#include <linux/cpu.h>
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <asm/call.h>
#include <asm/cpu.h>
#include <asm/host_ops.h>
#include <asm/switch_to.h>
#include <asm/valgrind.h>
#include "contend.h"
#include "request.h"
#include "task.h"
#include "vlock.h"

/*
 * Signal handlers of the application may run on a stack.  One that needs more than
 * there is must not write to what lies below.  If the host cannot make the lowest
 * page inaccessible, as the process has too many mappings, that is not ensured.
 */
static void lkl_guard_stack(struct task_struct *task, bool on)
{
	lkl_ops->protect((unsigned long)task_stack_page(task),
			 LKL_HOST_PAGE, on);
}

/*
 * In a snapshot, no stack is guarded.  It takes the host longer to guard all of them
 * than to map the rest, and most tasks never run: so it is done when one does.  Here
 * the task that may go on without being switched to keeps its guard.
 */
void lkl_unguard_stacks(void)
{
	struct task_struct *process, *task;

	for_each_process_thread(process, task) {
		if (task != lkl_cpu.task)
			lkl_guard_stack(task, false);
		set_tsk_thread_flag(task, TIF_UNGUARDED);
	}
}

static void lkl_guard_again(struct task_struct *task)
{
	clear_tsk_thread_flag(task, TIF_UNGUARDED);
	lkl_guard_stack(task, true);
}

void lkl_guard_first(void)
{
	if (test_tsk_thread_flag(lkl_cpu.task, TIF_UNGUARDED))
		lkl_guard_again(lkl_cpu.task);
}

struct task_struct *__switch_to(struct task_struct *prev,
				struct task_struct *next)
{
	/* There is more to do. */
	if (!is_idle_task(next))
		lkl_wake_sleeper(lkl_this);
	if (prev->thread.active && !task_is_running(prev)) {
		prev->thread.active->waited = true;
		lkl_combiner_calls = 0;
		lkl_this->blocked = prev;
	}
	/*
	 * Other threads cannot see that it is blocked before this one lets them; but
	 * another CPU may run it next, and have it blocked there.
	 */
	if (prev->thread.active && prev->thread.active == lkl_this->driving &&
	    (lkl_vcpus_up > 1 || !task_is_running(prev)))
		lkl_hold_signals(lkl_this->driving);
	if (unlikely(test_tsk_thread_flag(next, TIF_UNGUARDED)))
		lkl_guard_again(next);
	lkl_this->task = next;
	return lkl_fiber_switch(&prev->thread.sp, next->thread.sp, prev);
}

int copy_thread(struct task_struct *p, const struct kernel_clone_args *args)
{
	struct lkl_fiber_start_frame *frame = task_stack_page(p) + THREAD_SIZE;

	/* A task without a host thread would have nothing to run on. */
	if (!args->fn)
		return -ENOSYS;

	frame--;
	memset(frame, 0, sizeof(*frame));
	frame->ip = lkl_fiber_start;
	frame->fn = args->fn;
	frame->arg = args->fn_arg;
	memset(&p->thread, 0, sizeof(p->thread));
	p->thread.sp = frame;
	/* Before it runs, as halt looks for requests here. */
	if (args->fn == lkl_host_task)
		p->thread.active = args->fn_arg;
	lkl_valgrind_stack(task_stack_page(p));
	lkl_guard_stack(p, true);
	return 0;
}

/*
 * The host thread that made this task has waited until it is gone.  A task that could
 * not be made ends here as well, and another one tells the host thread.
 */
void exit_thread(struct task_struct *tsk)
{
	struct lkl_call *call = tsk->thread.active;
	struct lkl_vcpu *cpu;

	lkl_guard_stack(tsk, false);
	lkl_bias_exit(lkl_kernel_boots(), tsk);
	for (cpu = lkl_vcpus; cpu < lkl_vcpus + lkl_vcpus_up; cpu++)
		if (cpu->blocked == tsk)
			cpu->blocked = NULL;
	tsk->thread.active = NULL;
	if (call && tsk == current)
		lkl_complete(call, 0);
}

void flush_thread(void)
{
}

void show_regs(struct pt_regs *regs)
{
	show_regs_print_info(KERN_DEFAULT);
}

unsigned long __get_wchan(struct task_struct *p)
{
	struct lkl_fiber_frame *frame = p->thread.sp;
	unsigned long base = (unsigned long)task_stack_page(p);
	unsigned long ip = (unsigned long)frame->ip;
	unsigned long *bp = frame->bp;

	while (in_sched_functions(ip)) {
		if ((unsigned long)bp < base ||
		    (unsigned long)bp >= base + THREAD_SIZE - 16)
			return 0;
		ip = bp[1];
		bp = (unsigned long *)bp[0];
	}
	return ip;
}

void arch_cpu_idle(void)
{
	if (!lkl_this_pending())
		lkl_leave(LKL_LEFT_IDLE);
}
