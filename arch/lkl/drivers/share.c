// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host threads whose calls are those of a forked process: with files of their
 * own, and interrupted when that process is.
 */
#include <linux/fdtable.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <asm/call.h>
#include <uapi/asm/share.h>

long lkl_share_copy(void *arg)
{
	struct lkl_share *share = arg;
	struct files_struct *from = share->from ? share->from->files :
						  current->files;
	struct files_struct *files = dup_fd(from, NULL);

	if (IS_ERR(files))
		return PTR_ERR(files);
	share->files = files;
	return 0;
}

long lkl_share_use(void *arg)
{
	struct lkl_share *share = arg;
	struct files_struct *old;

	atomic_inc(&((struct files_struct *)share->files)->count);
	task_lock(current);
	old = current->files;
	current->files = share->files;
	task_unlock(current);
	put_files_struct(old);
	return (long)current;
}

long lkl_share_put(void *arg)
{
	struct lkl_share *share = arg;

	put_files_struct(share->files);
	return 0;
}

long lkl_share_interrupt(void *arg)
{
	struct task_struct *task = *(struct task_struct **)arg;
	struct lkl_call *call = task ? task->thread.active : NULL;

	if (!call)
		return -EAGAIN;
	call->interrupted = 1;
	lkl_interrupt_call(call);
	return 0;
}
