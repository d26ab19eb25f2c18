// SPDX-License-Identifier: GPL-2.0-only
/*
 * The numbers by which a program of the host knows its sockets and threads.
 */
#include <linux/file.h>
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <net/sock.h>
#include <uapi/asm/program.h>

long lkl_program_set_inode(void *arg)
{
	struct lkl_program_inode *inode = arg;
	struct socket *sock;
	struct inode *node;
	int err;

	sock = sockfd_lookup(inode->fd, &err);
	if (!sock)
		return err;
	node = SOCK_INODE(sock);
	if (inode->once && node->i_generation) {
		err = -EEXIST;
	} else {
		/* No table has it: sockfs makes inodes that are not hashed. */
		node->i_ino = inode->ino;
		/* sockfs does not use it: its inodes have no handles. */
		node->i_generation = 1;
		err = 0;
	}
	sockfd_put(sock);
	return err;
}

long lkl_program_arm(void *arg)
{
	const struct lkl_program_async *async = arg;
	struct file *file = fget(async->fd);
	int err = 0;

	if (!file)
		return -EBADF;
	if (!(file->f_flags & FASYNC) && file->f_op->fasync)
		err = file->f_op->fasync(async->number, file, 1);
	fput(file);
	return min(err, 0);
}

long lkl_program_find_thread(void *arg)
{
	struct lkl_program_thread *thread = arg;
	struct task_struct *task;
	long err = -ESRCH;

	rcu_read_lock();
	for_each_thread(current->group_leader, task) {
		if (thread->kernel ? task_pid_vnr(task) != thread->kernel :
				     task->thread.host_tid != thread->host)
			continue;
		thread->kernel = task_pid_vnr(task);
		thread->host = task->thread.host_tid;
		err = 0;
		break;
	}
	rcu_read_unlock();
	return err;
}
