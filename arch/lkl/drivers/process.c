// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes beside process 1: each is one of the host's, whose calls are made by
 * host threads (share.c).
 *
 * Only a task of a process can make another one in it.  So each process has a first
 * task that no host thread has: it makes one for each host thread that is to make
 * calls for the process, keeps the process's number, and has its credentials.
 *
 * The process has the number that it has on the host, unless another task has that.
 */
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/init.h>
#include <linux/idr.h>
#include <linux/init_task.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <uapi/linux/wait.h>
#include <asm/call.h>
#include <asm/cred.h>
#include <asm/process.h>
#include <uapi/asm/netns.h>
#include <uapi/asm/share.h>

/**
 * struct lkl_process - a process
 * @share: what it has
 * @first: its first task
 * @wanted: host threads that want a task
 * @started: the first task runs
 * @ends: there will be no host threads any more
 */
struct lkl_process {
	struct lkl_share *share;
	struct task_struct *first;
	struct list_head wanted;
	struct completion started;
	bool ends;
};

/* A host thread that wants a task, and waits for it with the one that it has. */
struct lkl_newcomer {
	struct list_head list;
	struct lkl_share_thread *thread;
	long host_tid;
	struct completion done;
	int err;
};

static DEFINE_MUTEX(lkl_process_mutex);
/* What processes have may change, and who wants a task. */
static DEFINE_SPINLOCK(lkl_process_lock);

const struct cred *lkl_process_get_cred(struct lkl_share *share)
{
	const struct cred *cred;

	spin_lock(&lkl_process_lock);
	cred = get_cred((const struct cred *)share->cred);
	spin_unlock(&lkl_process_lock);
	return cred;
}

struct nsproxy *lkl_process_get_ns(struct lkl_share *share)
{
	struct nsproxy *ns;

	spin_lock(&lkl_process_lock);
	ns = share->ns;
	get_nsproxy(ns);
	spin_unlock(&lkl_process_lock);
	return ns;
}

void lkl_process_use_cred(struct lkl_share *share)
{
	const struct cred *cred = lkl_process_get_cred(share);

	lkl_cred_use(cred);
	put_cred(cred);
}

/* The first task is to have what the process has. */
static void lkl_process_change(struct lkl_share *share)
{
	struct lkl_process *process = share->process;

	if (process)
		wake_up_process(process->first);
}

void lkl_process_set_cred(struct lkl_share *share, const struct cred *cred)
{
	const struct cred *old;

	spin_lock(&lkl_process_lock);
	old = share->cred;
	share->cred = cred;
	spin_unlock(&lkl_process_lock);
	put_cred(old);
	lkl_process_change(share);
}

void lkl_process_set_ns(struct lkl_share *share, struct nsproxy *ns)
{
	struct nsproxy *old;

	spin_lock(&lkl_process_lock);
	old = share->ns;
	share->ns = ns;
	spin_unlock(&lkl_process_lock);
	put_nsproxy(old);
	lkl_process_change(share);
}

/* First function of a host thread's task. */
static int lkl_process_serve(void *arg)
{
	struct lkl_newcomer *newcomer = arg;
	struct lkl_share_thread *thread = newcomer->thread;

	current->thread.host_tid = newcomer->host_tid;
	lkl_netns_use(thread->ns ?: lkl_process_get_ns(thread->share));
	thread->ns = NULL;
	lkl_process_use_cred(thread->share);
	thread->task = current;
	complete(&newcomer->done);
	lkl_serve();
}

static struct lkl_newcomer *lkl_process_next(struct lkl_process *process)
{
	struct lkl_newcomer *newcomer;

	spin_lock(&lkl_process_lock);
	newcomer = list_first_entry_or_null(&process->wanted,
					    struct lkl_newcomer, list);
	if (newcomer)
		list_del(&newcomer->list);
	spin_unlock(&lkl_process_lock);
	return newcomer;
}

static void lkl_process_make_task(struct lkl_newcomer *newcomer)
{
	int pid = user_mode_thread(lkl_process_serve, newcomer,
				   CLONE_VM | CLONE_FS | CLONE_FILES |
				   CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM);

	if (pid >= 0)
		return;
	newcomer->err = pid;
	complete(&newcomer->done);
}

static void lkl_process_take_files(struct files_struct *files)
{
	struct files_struct *old;

	atomic_inc(&files->count);
	task_lock(current);
	old = current->files;
	current->files = files;
	task_unlock(current);
	put_files_struct(old);
}

static bool lkl_process_is_current(struct lkl_share *share)
{
	return READ_ONCE(share->cred) == current->cred &&
	       READ_ONCE(share->ns) == current->nsproxy;
}

/* First function of a process; it returns when that ends. */
static int lkl_process_run(void *arg)
{
	struct lkl_process *process = arg;
	struct lkl_share *share = process->share;

	/* What is sent to the process, and not to one of its threads. */
	current->thread.host_tid = share->pid > 0 ? -share->pid : INT_MIN;
	lkl_process_take_files(share->files);
	process->first = current;
	complete(&process->started);
	for (;;) {
		struct lkl_newcomer *newcomer;

		if (!lkl_process_is_current(share)) {
			lkl_process_use_cred(share);
			lkl_netns_use(lkl_process_get_ns(share));
		}
		if (read_thread_flags() & _TIF_EXIT_WORK)
			lkl_user_work();
		newcomer = lkl_process_next(process);
		if (newcomer) {
			lkl_process_make_task(newcomer);
			continue;
		}
		set_current_state(lkl_user_state());
		if (READ_ONCE(process->ends))
			break;
		if (list_empty(&process->wanted) &&
		    lkl_process_is_current(share))
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* With the number @pid, unless another task has that. */
static pid_t lkl_process_clone(struct lkl_process *process, pid_t pid)
{
	struct kernel_clone_args args = {
		.flags = CLONE_VM | CLONE_FILES | CLONE_UNTRACED,
		.fn = lkl_process_run,
		.fn_arg = process,
		.set_tid = &pid,
		.set_tid_size = pid > 0,
	};
	const struct cred *old = override_creds(&init_cred);
	pid_t made = kernel_clone(&args);

	if (made == -EEXIST || made == -EINVAL) {
		args.set_tid_size = 0;
		made = kernel_clone(&args);
	}
	revert_creds(old);
	return made;
}

static long lkl_process_make(struct lkl_share *share)
{
	struct lkl_process *process = kzalloc(sizeof(*process), GFP_KERNEL);
	pid_t pid;

	if (!process)
		return -ENOMEM;
	process->share = share;
	INIT_LIST_HEAD(&process->wanted);
	init_completion(&process->started);
	pid = lkl_process_clone(process, share->pid);
	if (pid < 0) {
		kfree(process);
		return pid;
	}
	wait_for_completion(&process->started);
	share->process = process;
	share->number = pid;
	return 0;
}

static long lkl_process_need(struct lkl_share *share)
{
	long err = 0;

	mutex_lock(&lkl_process_mutex);
	if (!share->process)
		err = lkl_process_make(share);
	mutex_unlock(&lkl_process_mutex);
	return err;
}

long lkl_process_join(struct lkl_share_thread *thread)
{
	struct lkl_newcomer newcomer = {
		.thread = thread,
		.host_tid = current->thread.host_tid,
	};
	struct lkl_process *process;
	long err = lkl_process_need(thread->share);

	if (err)
		return err;
	process = thread->share->process;
	init_completion(&newcomer.done);
	spin_lock(&lkl_process_lock);
	list_add_tail(&newcomer.list, &process->wanted);
	spin_unlock(&lkl_process_lock);
	wake_up_process(process->first);
	wait_for_completion(&newcomer.done);
	return newcomer.err;
}

/* The first task ends as the last one: the kernel closes what the process has. */
void lkl_process_end(struct lkl_share *share)
{
	struct lkl_process *process = share->process;
	long ret;

	if (!process)
		return;
	WRITE_ONCE(process->ends, true);
	wake_up_process(process->first);
	do {
		ret = kernel_wait4(share->number, NULL, __WALL, NULL);
		/* A signal is for whom it is sent to. */
		if (ret == -ERESTARTSYS)
			lkl_user_work();
	} while (ret == -ERESTARTSYS);
	share->process = NULL;
	kfree(process);
}

/* The kernel's own tasks have numbers that few processes of the host have. */
static int __init lkl_process_number(void)
{
	pid_max = PID_MAX_LIMIT;
	idr_set_cursor(&init_pid_ns.idr, PID_MAX_LIMIT / 2);
	return 0;
}
early_initcall(lkl_process_number);
