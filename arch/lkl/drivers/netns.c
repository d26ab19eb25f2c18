// SPDX-License-Identifier: GPL-2.0-only
/* Network namespaces of host threads: they are in their task's nsproxy. */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/proc_ns.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <uapi/asm/netns.h>
#include <uapi/asm/share.h>

long lkl_netns_get(void *arg)
{
	struct lkl_share_thread *thread = arg;
	struct task_struct *task = thread ? READ_ONCE(thread->task) : current;
	struct nsproxy *ns;

	if (!task)
		return -ESRCH;
	task_lock(task);
	ns = task->nsproxy;
	if (ns)
		get_nsproxy(ns);
	task_unlock(task);
	return ns ? (long)ns : -ESRCH;
}

static struct task_struct *lkl_netns_task(const struct lkl_netns_file *file)
{
	struct lkl_share_thread *thread = file->thread;
	struct task_struct *task, *found = NULL;

	if (thread) {
		found = READ_ONCE(thread->task);
		return found ? get_task_struct(found) : NULL;
	}
	rcu_read_lock();
	/* The program is process 1, also for those whose calls are made here. */
	for_each_thread(init_pid_ns.child_reaper, task) {
		if (file->tid && task->thread.host_tid == file->tid)
			found = get_task_struct(task);
		if (found)
			break;
	}
	rcu_read_unlock();
	return found;
}

/* As for what a user may look at in /proc; whether it can be dumped is the host's. */
static bool lkl_netns_may_open(struct task_struct *task)
{
	const struct cred *cred = current_cred(), *other;
	bool same;

	rcu_read_lock();
	other = __task_cred(task);
	same = uid_eq(cred->fsuid, other->uid) &&
	       uid_eq(cred->fsuid, other->euid) &&
	       uid_eq(cred->fsuid, other->suid);
	rcu_read_unlock();
	return same || capable(CAP_SYS_PTRACE);
}

long lkl_netns_open(void *arg)
{
	struct task_struct *task = lkl_netns_task(arg);
	struct file *file;
	struct path path;
	int fd, err;

	if (!task)
		return -ESRCH;
	err = -EACCES;
	if (lkl_netns_may_open(task))
		err = ns_get_path(&path, task, &netns_operations);
	put_task_struct(task);
	if (err)
		return err;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		goto put;
	file = dentry_open(&path, O_RDONLY, current_cred());
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		fd = PTR_ERR(file);
	} else {
		fd_install(fd, file);
	}
put:
	path_put(&path);
	return fd;
}

long lkl_netns_new(void *unused)
{
	struct nsproxy *ns;
	int err = unshare_nsproxy_namespaces(CLONE_NEWNET, &ns, NULL, NULL);

	return err ?: (long)ns;
}

long lkl_netns_use(void *ns)
{
	switch_task_namespaces(current, ns);
	return 0;
}

long lkl_netns_put(void *ns)
{
	if (ns)
		put_nsproxy(ns);
	return 0;
}
