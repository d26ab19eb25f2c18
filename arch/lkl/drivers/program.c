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
	int err;

	sock = sockfd_lookup(inode->fd, &err);
	if (!sock)
		return err;
	/* No table has it: sockfs makes inodes that are not hashed. */
	SOCK_INODE(sock)->i_ino = inode->ino;
	sockfd_put(sock);
	return 0;
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
