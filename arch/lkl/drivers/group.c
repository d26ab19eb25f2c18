// SPDX-License-Identifier: GPL-2.0-only
/*
 * Process groups of the host that own files (F_SETOWN).
 *
 * Which processes are in a group the host knows.  Here each such group has one task, a
 * stand-in, which hands the signals that it is sent to the host.  It leads a group of
 * its own, so that the kernel's own code finds it, and is whoever made the group an
 * owner, so that this code lets it have signals.  It stays until no file refers to it.
 */
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/workqueue.h>
#include <asm/call.h>
#include <asm/cred.h>
#include <asm/host_ops.h>
#include <uapi/asm/program.h>

/**
 * struct lkl_group - a stand-in
 * @list: of all
 * @host: the group, as the host knows it
 * @user: which of its processes may have signals: for the host
 * @cred: of whoever made it an owner
 * @task: the stand-in
 * @pid: its number
 * @ends: no file refers to it
 */
struct lkl_group {
	struct list_head list;
	int host;
	unsigned int user;
	const struct cred *cred;
	struct task_struct *task;
	struct pid *pid;
	bool ends;
	struct work_struct work;
	struct completion started;
	int err;
};

static LIST_HEAD(lkl_groups);
static DEFINE_MUTEX(lkl_group_mutex);

static void lkl_group_forward(struct lkl_group *group)
{
	kernel_siginfo_t info;
	enum pid_type type;
	int sig;

	for (;;) {
		spin_lock_irq(&current->sighand->siglock);
		sig = dequeue_signal(&current->blocked, &info, &type);
		recalc_sigpending();
		spin_unlock_irq(&current->sighand->siglock);
		if (!sig)
			return;
		lkl_ops->signal_group(group->host, group->user, sig, &info);
	}
}

/* First function of a stand-in. */
static int lkl_group_run(void *arg)
{
	struct lkl_group *group = arg;

	lkl_catch_signals();
	lkl_cred_use(group->cred);
	ksys_setsid();
	group->task = current;
	group->pid = task_pid(current);
	complete(&group->started);
	for (;;) {
		if (task_sigpending(current))
			lkl_group_forward(group);
		set_current_state(lkl_user_state());
		if (READ_ONCE(group->ends))
			break;
		/* Not if there is a signal. */
		schedule();
		__set_current_state(TASK_RUNNING);
	}
	__set_current_state(TASK_RUNNING);
	put_cred(group->cred);
	kfree(group);
	return 0;
}

/* It is a child of the task that made this worker, which waits for no children. */
static void lkl_group_start(struct work_struct *work)
{
	struct lkl_group *group = container_of(work, struct lkl_group, work);
	int pid = user_mode_thread(lkl_group_run, group,
				   CLONE_PARENT | CLONE_FS | CLONE_FILES | SIGCHLD);

	if (pid >= 0)
		return;
	group->err = pid;
	complete(&group->started);
}

static struct lkl_group *lkl_group_make(int host, unsigned int user)
{
	struct lkl_group *group = kzalloc(sizeof(*group), GFP_KERNEL);
	int err;

	if (!group)
		return ERR_PTR(-ENOMEM);
	group->host = host;
	group->user = user;
	group->cred = get_current_cred();
	init_completion(&group->started);
	INIT_WORK(&group->work, lkl_group_start);
	schedule_work(&group->work);
	wait_for_completion(&group->started);
	err = group->err;
	if (err) {
		put_cred(group->cred);
		kfree(group);
		return ERR_PTR(err);
	}
	list_add(&group->list, &lkl_groups);
	return group;
}

/* Those end that no file refers to. */
static void lkl_group_reap(void)
{
	struct lkl_group *group, *next;
	struct task_struct *task;

	list_for_each_entry_safe(group, next, &lkl_groups, list) {
		if (refcount_read(&group->pid->count) > 1)
			continue;
		list_del(&group->list);
		task = get_task_struct(group->task);
		WRITE_ONCE(group->ends, true);
		wake_up_process(task);
		put_task_struct(task);
	}
}

static struct lkl_group *lkl_group_need(int host, unsigned int user)
{
	struct lkl_group *group;

	list_for_each_entry(group, &lkl_groups, list)
		if (group->host == host && group->user == user &&
		    uid_eq(group->cred->uid, current_uid()) &&
		    uid_eq(group->cred->euid, current_euid()))
			return group;
	lkl_group_reap();
	return lkl_group_make(host, user);
}

long lkl_program_set_group(void *arg)
{
	const struct lkl_program_group *owner = arg;
	struct file *file = fget(owner->fd);
	struct lkl_group *group;
	long err;

	if (!file)
		return -EBADF;
	mutex_lock(&lkl_group_mutex);
	group = lkl_group_need(owner->host, owner->user);
	err = IS_ERR(group) ? PTR_ERR(group) : f_setown(file, -pid_nr(group->pid), 1);
	mutex_unlock(&lkl_group_mutex);
	fput(file);
	return err;
}

long lkl_program_find_group(void *arg)
{
	struct lkl_program_group *owner = arg;
	struct lkl_group *group;
	long err = -ESRCH;

	mutex_lock(&lkl_group_mutex);
	list_for_each_entry(group, &lkl_groups, list) {
		if (pid_nr(group->pid) != owner->number)
			continue;
		owner->host = group->host;
		owner->user = group->user;
		err = 0;
	}
	mutex_unlock(&lkl_group_mutex);
	return err;
}
