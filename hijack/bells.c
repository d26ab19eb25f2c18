// SPDX-License-Identifier: GPL-2.0-only
/*
 * Epolls of processes that use this one's kernel (owner.c): their shadows are
 * watched here, and an eventfd tells the process that something has come.  So
 * are the files that they have requests to poll for (aio-request.c).
 */
#include <poll.h>

#include <lkl_host.h>

#include "child.h"

/**
 * struct bell - an epoll of a process, whose shadow is watched, or a request
 * @process: whose, + 1; 0 is free
 * @index: which, of that process
 * @fd: its eventfd
 * @watch: on the shadow
 * @watching: it is in use
 * @file: for @watch
 */
static struct bell {
	int process;
	unsigned int index;
	long fd;
	struct lkl_watch watch;
	bool watching;
	struct lkl_watch_file file;
} bells[SHARE_EPOLLS];

/* The library's kernel has something for an epoll, or a request. */
static void notify_epoll(struct lkl_watch *watch)
{
	struct bell *b = (void *)((char *)watch - offsetof(struct bell, watch));
	struct epoll *e =
		&share_processes[b->process - 1].area->epoll[b->index];

	__atomic_store_n(&e->file.revents, b->file.revents, __ATOMIC_RELEASE);
	epoll_ring(e, b->fd);
}

static void free_bell(struct bell *b)
{
	b->watch.count = 0;
	if (b->watching)
		lkl_kernel_call(lkl_watch_stop, &b->watch);
	b->watching = false;
	fd_forget(b->fd);
	__atomic_store_n(&b->process, 0, __ATOMIC_SEQ_CST);
}

static struct bell *find_bell(int process, unsigned int index)
{
	unsigned int i;

	for (i = 0; i < SHARE_EPOLLS; i++)
		if (bells[i].process == process && bells[i].index == index)
			return &bells[i];
	return NULL;
}

/**
 * bells_watch - SHARE_EPOLL of a process
 * @process: number of the process
 * @a: what to do, index, file; what to watch it for, once, or 0
 *
 * Return: 0, what the file is ready for if it is to be watched once, or a
 *	negative error number
 */
long bells_watch(int process, const long *a)
{
	struct bell *b = find_bell(process + 1, a[1]);
	long ret;

	if (!b)
		return -ENOENT;
	if (a[0] != SHARE_START) {
		free_bell(b);
		return 0;
	}
	if (b->watching)
		return -EEXIST;
	b->file =
		(struct lkl_watch_file){ .fd = a[2], .events = a[3] ?: POLLIN };
	b->watch = (struct lkl_watch){ .notify = notify_epoll,
				       .files = &b->file,
				       .count = 1 };
	ret = lkl_kernel_call(a[3] ? lkl_watch_once : lkl_watch_always,
			      &b->watch);
	b->watching = !ret;
	return ret;
}

/**
 * bells_add - an epoll of a process is to have a shadow
 * @process: number of the process
 * @index: of the epoll
 * @fd: its eventfd, or -1
 */
void bells_add(int process, unsigned int index, long fd)
{
	struct bell *b = NULL;
	int *answer, i;

	if (index >= SHARE_EPOLLS || find_bell(process + 1, index)) {
		fd_forget(fd);
		return;
	}
	for (i = 0; i < SHARE_EPOLLS && fd >= 0 && !b; i++)
		if (!bells[i].process)
			b = &bells[i];
	if (b) {
		b->index = index;
		b->fd = fd;
		__atomic_store_n(&b->process, process + 1, __ATOMIC_SEQ_CST);
	} else {
		fd_forget(fd);
	}
	answer = &share_processes[process].area->epoll[index].bell;
	__atomic_store_n(answer, b ? 1 : 0, __ATOMIC_SEQ_CST);
	share_wake(answer);
}

/**
 * bells_end - forget all epolls of a process
 * @process: number of the process
 */
void bells_end(int process)
{
	unsigned int i;

	for (i = 0; i < SHARE_EPOLLS; i++)
		if (bells[i].process == process + 1)
			free_bell(&bells[i]);
}
