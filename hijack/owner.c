// SPDX-License-Identifier: GPL-2.0-only
/*
 * The side of the process that has the kernel, for those that were forked and
 * go on using its network (child.c has theirs).
 *
 * At a fork the table of descriptors of the library's kernel is copied, as the
 * host does with its own.  The child's calls are made by threads of ours that
 * use the copy (serve.c), one for each of its threads that makes any.
 *
 * One more thread, the keeper, listens to the processes' sockets.  A socket's
 * end is that of the process: then its servers are told, and when the last has
 * left, its files are closed.  A program that it executes has the files, but
 * other threads.
 */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <lkl/asm/cred.h>
#include <lkl_host.h>

#include "child.h"
#include "parcel.h"

struct share_process share_processes[SHARE_PROCESSES];

/* There have been no processes beyond. */
static int top;

/*
 * Processes that have joined, and those that they have forked, but for
 * ancestors that wait for a process.
 */
static uint32_t joined;

/* What the keeper waits for; -1 before there is one. */
static long events = -1;

bool share_serves(void)
{
	return events >= 0;
}

/*
 * Is there a process that has joined, or one that was @forked and has not left
 * yet?
 */
bool share_used(bool forked)
{
	int i;

	for (i = 0; i < top && forked; i++)
		if (share_processes[i].area)
			return true;
	return joined;
}

/**
 * share_hear_from - have the keeper listen to a socket
 * @fd: the socket
 * @id: what it is
 *
 * Return: 0 or a negative error number
 */
long share_hear_from(long fd, unsigned int id)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = id };

	return host4(SYS_epoll_ctl, events, EPOLL_CTL_ADD, fd, &ev);
}

/**
 * share_hear_no_more - have it not listen any more
 * @fd: the socket
 */
void share_hear_no_more(long fd)
{
	host4(SYS_epoll_ctl, events, EPOLL_CTL_DEL, fd, 0);
}

/* Memory in common with one process, which cannot take it away again. */
static long new_area(struct share **area)
{
	long fd = fd_own(host2(SYS_memfd_create, "lkl-share",
			       MFD_CLOEXEC | MFD_ALLOW_SEALING)),
	     err;

	if (fd < 0)
		return fd;
	err = host2(SYS_ftruncate, fd, sizeof(**area));
	if (!err)
		err = own_call3(SYS_fcntl, fd, F_ADD_SEALS,
				F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	if (!err) {
		*area = share_map(fd);
		err = *area ? 0 : -ENOMEM;
	}
	if (err) {
		fd_forget(fd);
		return err;
	}
	/* It is nobody else's. */
	host3(SYS_madvise, *area, sizeof(**area), MADV_DONTFORK);
	return fd;
}

static void free_process(struct share_process *p)
{
	lkl_kernel_call(lkl_share_put, &p->files);
	host2(SYS_munmap, p->area, sizeof(*p->area));
	p->area = NULL;
	__atomic_store_n(&p->gone, false, __ATOMIC_SEQ_CST);
}

/* As share_take_process(); returns its number. */
#define FROM_NOBODY -2
static int take_process(long fd, int from)
{
	struct share_process *p = share_processes;
	long area = -1, err;
	const int one = 1;
	int index;

	while (p->area)
		if (++p == share_processes + SHARE_PROCESSES) {
			fd_forget(fd);
			return -ENFILE;
		}
	p->waits = false;
	p->joined = from == FROM_NOBODY ||
		    (from >= 0 && share_processes[from].joined);
	p->files.from = from < 0 ? NULL : &share_processes[from].files;
	p->files.none = from == FROM_NOBODY;
	err = lkl_kernel_call(lkl_share_copy, &p->files);
	if (err)
		goto close;
	area = new_area(&p->area);
	err = area < 0 ? area : 0;
	if (err)
		goto put;
	index = p - share_processes;
	/* Each message says which process it is of. */
	host6(SYS_setsockopt, fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one),
	      0);
	err = share_hear_from(fd, index);
	if (!err)
		err = share_send(fd, SHARE_READY, index, area);
	fd_forget(area);
	if (err)
		goto unmap;
	p->fd = fd + 1;
	if (index >= top)
		top = index + 1;
	joined += p->joined;
	return index;

unmap:
	host2(SYS_munmap, p->area, sizeof(*p->area));
	p->area = NULL;
put:
	lkl_kernel_call(lkl_share_put, &p->files);
close:
	fd_forget(fd);
	return err;
}

/**
 * share_take_process - there will be another process
 * @fd: our end of its socket, by which it is told so; closed on failure
 * @from: number of the process that forks, or -1 for this one
 *
 * Uses no libc, and is called with the lock held.
 *
 * Return: 0 or a negative error number
 */
int share_take_process(long fd, int from)
{
	int index = take_process(fd, from);

	return index < 0 ? index : 0;
}

/**
 * share_forked - in a child: it serves nobody
 */
void share_forked(void)
{
	int i;

	if (events < 0)
		return;
	admit_close();
	parcel_forked();
	fd_forget(events);
	events = -1;
	joined = 0;
	for (i = 0; i < top; i++)
		share_processes[i] = (struct share_process){ 0 };
}

static void no_more_joined(struct share_process *p)
{
	if (!p->joined || p->waits)
		return;
	__atomic_sub_fetch(&joined, 1, __ATOMIC_SEQ_CST);
	share_wake(&joined);
}

/*
 * It waits for a process, or not any more.  One that is an ancestor of this one
 * may do so for ever.
 */
static void waits(struct share_process *p, bool does, int pid)
{
	does = does && cred_is_ancestor(pid);
	if (does == p->waits)
		return;
	if (does)
		no_more_joined(p);
	p->waits = does;
	if (!does)
		joined += p->joined;
}

static void process_gone(int index)
{
	struct share_process *p = &share_processes[index];
	bool alone = true;
	int i;

	/* A child that was forked just now may still have it open. */
	share_hear_no_more(p->fd - 1);
	fd_forget(p->fd - 1);
	p->fd = 0;
	p->gone = true;
	no_more_joined(p);
	parcel_gone(index);
	for (i = 0; i < top; i++)
		alone &= !share_processes[i].fd;
	serve_end(index);
	if (alone)
		wait_alone();
}

/*
 * Interrupt all servers that are to be, and forget processes without any.
 * Returns whether one has not left its call yet.
 */
static bool interrupt_all(void)
{
	bool used[SHARE_PROCESSES] = { false };
	bool more = serve_interrupt(used);
	int i;

	for (i = 0; i < top; i++) {
		if (!share_processes[i].gone)
			continue;
		if (used[i])
			more = true;
		else
			free_process(&share_processes[i]);
	}
	return more;
}

/* The credentials of a process; without an answer those of no user. */
static void look_at(struct share_process *p, int pid)
{
	static struct lkl_cred cred;
	struct lkl_share_cred set = { &p->files, &cred };

	if (pid <= 0 || !cred_read(pid, &cred))
		cred = (struct lkl_cred){
			.uid = { 65534, 65534, 65534, 65534 },
			.gid = { 65534, 65534, 65534, 65534 },
		};
	lkl_kernel_call(lkl_share_set_cred, &set);
	__atomic_add_fetch(&p->creds, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&p->area->creds, 1, __ATOMIC_SEQ_CST);
	share_wake(&p->area->creds);
}

/**
 * share_admit - have a process that was not forked by this one
 * @fd: our end of its socket; closed on failure
 * @pid: the process, as the host says
 *
 * Called with the lock held, on the keeper's thread.
 */
void share_admit(long fd, int pid)
{
	int index = take_process(fd, FROM_NOBODY);

	if (index >= 0)
		look_at(&share_processes[index], pid);
}

/* Take a message of a process. */
static void hear(int index)
{
	struct share_process *p = &share_processes[index];
	struct share_message message;
	long ret, fd;
	int pid = 0;

	/* A fork now would take the descriptor along. */
	share_lock();
	ret = share_receive(p->fd - 1, &message, &fd, &pid, MSG_DONTWAIT);
	if (ret == -EAGAIN || ret == -EINTR) {
		share_unlock();
		return;
	}
	if (ret < 0) {
		process_gone(index);
	} else if (message.what == SHARE_FORK) {
		if (fd >= 0)
			share_take_process(fd, index);
		fd = -1;
	} else if (message.what == SHARE_CARRIER) {
		parcel_follow(index, message.index, &message.token, fd);
		fd = -1;
	} else if (message.what == SHARE_WAITS) {
		waits(p, message.index, pid);
	} else if (message.what == SHARE_ADOPT) {
		serve_end(index);
		__atomic_store_n(&p->area->adopted, 1, __ATOMIC_SEQ_CST);
		share_wake(&p->area->adopted);
	}
	share_unlock();
	if (ret < 0)
		return;
	if (message.what == SHARE_OPEN)
		serve_link(index, message.index, fd, pid);
	else if (message.what == SHARE_BELL)
		serve_epoll(index, message.index, fd);
	else if (message.what == SHARE_CRED && fd < 0)
		look_at(p, pid);
	else if (fd >= 0)
		fd_forget(fd);
}

/**
 * share_linger - the program ends: stay for those that have joined
 *
 * Nobody who waits for something of the program's but its end has to wait for
 * them; and they do not have to wait for its end.  A signal ends this.
 */
void share_linger(void)
{
	bool closed = false;
	uint32_t n;

	while (!admit_end(false)) {
		if (!closed)
			fd_close_range(SYS_close_range, (long[6]){ 0, ~0U });
		closed = true;
		n = __atomic_load_n(&joined, __ATOMIC_SEQ_CST);
		if (n && host_wait_syscall(SYS_futex, (long)&joined, FUTEX_WAIT,
					   n, 0, 0, 0) == -EINTR)
			return;
	}
}

static void keep(void *unused)
{
	struct epoll_event ev[16];
	int wait = -1;
	long i, n;

	(void)unused;
	for (;;) {
		n = host4(SYS_epoll_wait, events, ev, array_size(ev), wait);
		/* One of each, as one may have no end of them. */
		for (i = 0; i < n; i++)
			if (ev[i].data.u32 >= SHARE_PARCEL)
				parcel_lost(ev[i].data.u32);
			else if (ev[i].data.u32 >= SHARE_PROCESSES)
				admit_hear(ev[i].data.u32);
			else if (share_processes[ev[i].data.u32].fd)
				hear(ev[i].data.u32);
		/* Sleep for longer and longer while one does not leave. */
		if (!interrupt_all())
			wait = -1;
		else
			wait = n > 0 || wait < 0 ? 1
			       : wait < 64	 ? 2 * wait
						 : wait;
	}
}

/**
 * share_prepare - the program is about to fork: be ready to serve the child
 *
 * Uses libc.  Without success children have no network.
 */
void share_prepare(void)
{
	share_lock();
	if (events < 0) {
		events = fd_own(host1(SYS_epoll_create1, EPOLL_CLOEXEC));
		if (events >= 0 && !lkl_host_ops.thread_create(keep, NULL)) {
			fd_forget(events);
			events = -1;
		}
	}
	share_unlock();
}
