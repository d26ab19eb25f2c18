// SPDX-License-Identifier: GPL-2.0-only
/*
 * Process 1.
 *
 * The kernel boots as it does anywhere and at the end executes /init.  That is
 * a file of a format of our own, and executing it means that the application
 * is now process 1: from here on its fiber makes a task for each host thread
 * that wants one.  All of them are threads of process 1 and share its files,
 * directories and address space.
 */
#include <linux/binfmts.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/hardirq.h>
#include <linux/init.h>
#include <linux/init_syscalls.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/stringify.h>
#include <linux/swap.h>
#include <linux/syscalls.h>
#include <linux/sysctl.h>
#include <linux/task_work.h>
#include <net/tcp.h>
#include <asm/call.h>
#include <asm/mirror.h>
#include "request.h"

#define LKL_MAGIC	"\177LKL"

/* Tasks that are made until RCU looks for ended grace periods. */
#define LKL_TASKS_PER_LOOK	2

struct lkl_call *lkl_boot_call;

/* Requests for tasks, oldest first. */
static struct lkl_call *lkl_wanted, **lkl_wanted_end = &lkl_wanted;
/* The one whose task is being made, and is in no list yet. */
static struct lkl_call *lkl_making;
static DEFINE_SPINLOCK(lkl_wanted_lock);
static struct task_struct *lkl_init_task;

void lkl_want_task(struct lkl_call *call)
{
	unsigned long flags;

	if (lkl_adopt_task(call)) {
		lkl_complete(call, 0);
		return;
	}
	call->next = NULL;
	spin_lock_irqsave(&lkl_wanted_lock, flags);
	*lkl_wanted_end = call;
	lkl_wanted_end = &call->next;
	spin_unlock_irqrestore(&lkl_wanted_lock, flags);
	/* Calls made while the kernel boots are served when it has. */
	if (lkl_init_task)
		wake_up_process(lkl_init_task);
}

/* The oldest request for a task, or NULL. */
static struct lkl_call *lkl_next_wanted(void)
{
	struct lkl_call *call;

	spin_lock_irq(&lkl_wanted_lock);
	call = lkl_wanted;
	if (call)
		lkl_wanted = call->next;
	if (!lkl_wanted)
		lkl_wanted_end = &lkl_wanted;
	lkl_making = call;
	spin_unlock_irq(&lkl_wanted_lock);
	return call;
}

/* Halt, or reset: no thread gets a task any more. */
void lkl_refuse_tasks(void)
{
	struct lkl_call *call, *next;

	/* The thread of a call that has ended may be gone. */
	for (call = lkl_wanted; call; call = next) {
		next = call->next;
		lkl_refuse(call, -ESHUTDOWN);
	}
	lkl_wanted = NULL;
	if (lkl_making)
		lkl_refuse(lkl_making, -ESHUTDOWN);
	lkl_making = NULL;
}

/* The task of a request is known as such, and the request belongs to it. */
void lkl_made_task(struct lkl_call *call)
{
	cmpxchg(&lkl_making, call, NULL);
}

/*
 * The memory of tasks that have ended is free after a grace period of RCU, which
 * takes some ticks.  Meanwhile each new task would get memory that is in no cache.
 * So RCU looks at this CPU, which runs no reader here, as often as tasks are made.
 */
static void lkl_hasten_rcu(void)
{
	static unsigned int made;
	unsigned long flags;

	if (++made % LKL_TASKS_PER_LOOK)
		return;
	local_irq_save(flags);
	irq_enter();
	rcu_sched_clock_irq(1);
	irq_exit();
	local_irq_restore(flags);
}

static void __noreturn lkl_init_loop(void)
{
	lkl_init_task = current;
	lkl_complete(lkl_boot_call, 0);
	for (;;) {
		struct lkl_call *call;
		int pid;

		if (read_thread_flags() & _TIF_EXIT_WORK && lkl_user_work())
			lkl_interrupt_driver();
		set_current_state(lkl_user_state());
		if (!READ_ONCE(lkl_wanted)) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		call = lkl_next_wanted();
		pid = user_mode_thread(lkl_host_task, call,
				       CLONE_VM | CLONE_FS | CLONE_FILES |
				       CLONE_SIGHAND | CLONE_THREAD |
				       CLONE_SYSVSEM);
		lkl_made_task(call);
		if (pid < 0)
			lkl_complete(call, pid);
		lkl_hasten_rcu();
	}
}

/* A kernel function that was to become a program has returned. */
void __noreturn lkl_user_mode(void)
{
	if (current->pid != 1)
		do_exit(0);
	lkl_init_loop();
}

static int lkl_load_init(struct linux_binprm *bprm);

static struct linux_binfmt lkl_binfmt = {
	.load_binary = lkl_load_init,
};

/* Whatever is sent to the calling task is for the host to judge. */
void lkl_catch_signals(void)
{
	int sig;

	spin_lock_irq(&current->sighand->siglock);
	for (sig = 0; sig < _NSIG; sig++)
		current->sighand->action[sig].sa.sa_handler =
			(__sighandler_t)&lkl_binfmt;
	spin_unlock_irq(&current->sighand->siglock);
}

static int lkl_load_init(struct linux_binprm *bprm)
{
	int err, fd;

	if (memcmp(bprm->buf, LKL_MAGIC, sizeof(LKL_MAGIC) - 1))
		return -ENOEXEC;
	err = begin_new_exec(bprm);
	if (err)
		return err;
	setup_new_exec(bprm);
	finalize_exec(bprm);
	set_binfmt(&lkl_binfmt);

	/* The application starts with no descriptor open. */
	for (fd = 0; fd < 3; fd++)
		close_fd(fd);

	/*
	 * Process 1 ignores signals it has no handler for.  Those sent to it
	 * are for the host process to judge, so it has one for all of them.
	 */
	lkl_catch_signals();

	return lkl_mm_start(current->mm);
}

/* Threads are limited by memory alone: how many there are the host decides. */
static void __init lkl_no_thread_limit(void)
{
	struct ctl_table table = { .maxlen = sizeof(int), .mode = 0644 };
	char value[] = __stringify(FUTEX_TID_MASK);
	size_t len = strlen(value);
	loff_t pos = 0;

	if (sysctl_max_threads(&table, 1, value, &len, &pos))
		pr_warn("lkl: cannot lift the limit on threads\n");
}

/*
 * TCP's share of the memory is meant to leave most of it to programs.  Those of
 * ours have their own, and it drops what it has received when there is no more.
 */
static void __init lkl_raise_tcp_share(void)
{
	unsigned long pages = nr_free_buffer_pages();

	sysctl_tcp_mem[0] = pages / 4;
	sysctl_tcp_mem[1] = pages / 8 * 3;
	sysctl_tcp_mem[2] = pages / 2;
}

static int __init lkl_make_init(void)
{
	struct file *file;
	loff_t pos = 0;
	ssize_t n;

	register_binfmt(&lkl_binfmt);

	file = filp_open("/init", O_CREAT | O_WRONLY, 0500);
	if (IS_ERR(file))
		panic("cannot create /init: %ld", PTR_ERR(file));
	n = kernel_write(file, LKL_MAGIC, sizeof(LKL_MAGIC), &pos);
	fput(file);
	if (n != sizeof(LKL_MAGIC))
		panic("cannot write /init: %zd", n);
	/* A file that is open for writing cannot be executed. */
	task_work_run();

	lkl_no_thread_limit();
	lkl_raise_tcp_share();
	current->signal->rlim[RLIMIT_NPROC].rlim_cur = RLIM_INFINITY;
	current->signal->rlim[RLIMIT_NPROC].rlim_max = RLIM_INFINITY;

	/* The host adds its own slack to each sleep. */
	current->timer_slack_ns = 1;
	current->default_timer_slack_ns = 1;

	/* There is nothing to kill: a caller that asks for too much gets -ENOMEM. */
	oom_killer_disable(HZ);
	return 0;
}
late_initcall(lkl_make_init);
