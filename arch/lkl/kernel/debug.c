// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of the kernel in text, to find out why it hangs.
 *
 * This runs in a signal handler on any host thread.  If possible it takes the
 * virtual CPU, so that nothing changes meanwhile.  If the CPU is not free for
 * long, perhaps because the handler interrupted the very thread that drives it,
 * the risk of looking at lists that change is better than to wait for ever.
 */
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/kmsg_dump.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/signal.h>
#include <asm/call.h>
#include <asm/cpu.h>
#include <asm/host_ops.h>
#include <asm/stacktrace.h>
#include <asm/ucontext.h>
#include "../x86/fault.h"
#include "vlock.h"

/* How long to wait for the CPU, in nanoseconds. */
#define LKL_DUMP_PATIENCE	50000000
/* Callers to show of the function that a task waits in. */
#define LKL_DUMP_DEPTH		6

/* A line of output. */
struct lkl_dump {
	void (*print)(const char *str, int len);
	char line[240];
	int len;
	int depth;
};

static __printf(2, 3) void lkl_dump_add(struct lkl_dump *d, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	d->len += vscnprintf(d->line + d->len, sizeof(d->line) - d->len, fmt,
			     args);
	va_end(args);
}

static void lkl_dump_end(struct lkl_dump *d)
{
	/* A line that is full loses its last character. */
	d->len = min_t(int, d->len, sizeof(d->line) - 2);
	d->line[d->len++] = '\n';
	d->print(d->line, d->len);
	d->len = 0;
}

static bool lkl_hold_cpu(void)
{
	u64 give_up = lkl_ops->time() + LKL_DUMP_PATIENCE;
	u32 boot = lkl_kernel_boots();

	do {
		lkl_bias_revoke(&lkl_cpu, boot);
		if (lkl_trylock(&lkl_cpu, boot, NULL))
			return true;
		lkl_ops->relax();
	} while (lkl_ops->time() < give_up);
	return false;
}

static void lkl_free_cpu(void)
{
	if (lkl_unlock(&lkl_cpu))
		lkl_kick_any();
}

static bool lkl_dump_entry(void *cookie, unsigned long addr)
{
	struct lkl_dump *d = cookie;

	/* That it sleeps is known. */
	if (!d->depth && in_sched_functions(addr))
		return true;
	/* What follows a call that does not return is another function. */
	lkl_dump_add(d, d->depth ? " < %ps" : " %ps", (void *)addr - 1);
	return ++d->depth < LKL_DUMP_DEPTH;
}

static void lkl_dump_task(struct lkl_dump *d, struct task_struct *t,
			  const struct ucontext *here, bool held)
{
	lkl_dump_add(d, "%6d %c %-15.15s", task_pid_nr(t), task_state_to_char(t),
		     t->comm);
	d->depth = 0;
	if (t->thread.in_user) {
		lkl_dump_add(d, " in the application");
	} else if (t != lkl_cpu.task || held) {
		struct lkl_fiber_frame *frame = t->thread.sp;

		lkl_walk_frames(lkl_dump_entry, d, t, (unsigned long)frame->bp);
	} else if (here) {
		lkl_dump_entry(d, lkl_ucontext_ip(here) + 1);
		lkl_walk_frames(lkl_dump_entry, d, t, lkl_ucontext_bp(here));
	} else {
		lkl_dump_add(d, " running");
	}
	lkl_dump_end(d);
}

static noinline void lkl_dump(void *ucontext, void (*print)(const char *str, int len))
{
	const struct ucontext *here = ucontext;
	struct lkl_dump d = { .print = print };
	struct task_struct *process, *t;
	struct kmsg_dump_iter iter;
	static const char none[] = "lkl: no kernel runs\n";
	static char messages[4096];
	size_t len;
	bool held;

	if (!lkl_kernel_boots()) {
		print(none, sizeof(none) - 1);
		return;
	}
	if (!lkl_is_kernel_ip(lkl_ucontext_ip(here)))
		here = NULL;
	held = !here && lkl_hold_cpu();

	lkl_dump_add(&d, "lkl: the kernel %s; its last messages:",
		     held ? "is at rest" : "is running");
	lkl_dump_end(&d);
	kmsg_dump_rewind(&iter);
	if (kmsg_dump_get_buffer(&iter, false, messages, sizeof(messages), &len))
		print(messages, len);

	lkl_dump_add(&d, "lkl: its tasks, and where they wait:");
	lkl_dump_end(&d);
	for_each_process_thread(process, t)
		lkl_dump_task(&d, t, here, held);

	if (held)
		lkl_free_cpu();
}

/* Some of what prints asks for data of a CPU. */
void lkl_kernel_dump(void *ucontext, void (*print)(const char *str, int len))
{
	struct lkl_vcpu *was = lkl_this;

	lkl_this = &lkl_cpu;
	lkl_dump(ucontext, print);
	lkl_this = was;
}
