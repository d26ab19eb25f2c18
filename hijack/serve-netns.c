// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network namespaces of the threads that make calls of other processes.
 */
#include <lkl/asm/netns.h>
#include <lkl_host.h>

#include "server.h"

/**
 * serve_open_netns - open the network namespace of a process
 * @pid: the process, as the host says: this one, or one that it serves
 *
 * Return: number in the calling thread's table, or a negative error number
 */
long serve_open_netns(long pid)
{
	struct lkl_netns_file file = { 0 };
	unsigned int i;

	if (pid <= 0)
		return -ESRCH;
	if (pid == own_call3(SYS_getpid, 0, 0, 0))
		file.tid = pid;
	for (i = 0; i < servers_top && !file.tid && !file.thread; i++)
		if (__atomic_load_n(&servers[i].runs, __ATOMIC_SEQ_CST) &&
		    server_pid(&servers[i]) == pid)
			file.thread = &servers[i].kernel;
	return lkl_kernel_call(lkl_netns_open, &file);
}

/**
 * serve_set_netns - SHARE_NETNS of a thread
 * @s: its server
 * @a: which
 *
 * Return: 0 or a negative error number
 */
long serve_set_netns(struct server *s, const long *a)
{
	long ns;

	if (a[0] == SHARE_FOLLOW)
		return lkl_kernel_call(lkl_share_follow, &s->kernel);
	if (a[0] == SHARE_OTHER)
		return cred_same_pids(server_pid(s)) ? serve_open_netns(a[1])
						     : -ESRCH;
	ns = lkl_kernel_call(lkl_netns_new, NULL);
	if (ns < 0)
		return ns;
	return lkl_kernel_call(
		lkl_netns_put,
		__atomic_exchange_n(&s->next, (void *)ns, __ATOMIC_SEQ_CST));
}

/**
 * serve_netns_of - the network namespace of a thread
 * @process: number of its process
 * @from: its link + 1, as a message says, or 0
 *
 * Return: the namespace, or NULL for the process's
 */
void *serve_netns_of(int process, unsigned int from)
{
	struct server *s = from ? server_find(process, from - 1) : NULL;
	long ns = s ? lkl_kernel_call(lkl_netns_get, &s->kernel) : 0;

	return ns > 0 ? (void *)ns : NULL;
}

/**
 * serve_netns - the network namespace of a process that is forked
 * @process: number of the process that forks
 * @from: the link + 1 of the thread that does, or 0
 *
 * Return: the namespace, or NULL for the process's
 */
void *serve_netns(int process, unsigned int from)
{
	struct server *s = from ? server_find(process, from - 1) : NULL;
	void *next = s ? __atomic_exchange_n(&s->next, NULL, __ATOMIC_SEQ_CST)
		       : NULL;

	return next ?: serve_netns_of(process, from);
}

/**
 * serve_follow - new threads of a process begin where one of them is
 * @process: number of the process
 * @from: the link + 1 of that thread, or 0
 */
void serve_follow(int process, unsigned int from)
{
	struct server *s = from ? server_find(process, from - 1) : NULL;

	if (s)
		lkl_kernel_call(lkl_share_follow, &s->kernel);
}
