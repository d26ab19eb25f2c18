// SPDX-License-Identifier: GPL-2.0-only
/*
 * The keeper: a thread that listens to the sockets of the processes that this
 * one's kernel serves (owner.c), of relatives that want to join (admit.c), and
 * of what is on its way between them (parcel.c).
 *
 * A socket's end is that of the process: then its servers are told, and when
 * the last has left, its files are closed.  A program that it executes has the
 * files, but other threads.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <lkl_host.h>

#include "child.h"
#include "parcel.h"

static lkl_thread_t keeper;

/**
 * share_forked - in a child: it serves nobody
 */
void share_forked(void)
{
	int i;

	if (share_events < 0)
		return;
	admit_close();
	parcel_forked();
	fd_forget(share_events);
	share_events = -1;
	share_joined = 0;
	for (i = 0; i < share_top; i++)
		share_processes[i] = (struct share_process){ 0 };
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
	if (index == share_former)
		share_former = -1;
	owner_no_more_joined(p);
	parcel_gone(index);
	for (i = 0; i < share_top; i++)
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

	for (i = 0; i < share_top; i++) {
		if (!share_processes[i].gone)
			continue;
		if (used[i])
			more = true;
		else
			owner_free_process(&share_processes[i]);
	}
	return more;
}

/*
 * A process ends.  The last one waits until we have ended, too: then devices
 * are free, and what it has sent has arrived.
 */
static void take_leave(int index)
{
	if (share_is_last(index))
		fd_own(own_call3(SYS_dup, share_processes[index].fd - 1, 0, 0));
	process_gone(index);
}

/* Take a message of a process. */
static void hear(int index)
{
	struct share_process *p = &share_processes[index];
	struct share_message message;
	long ret, fd;
	struct ucred who = { 0 };

	/* A fork now would take the descriptor along. */
	share_lock();
	ret = share_receive(p->fd - 1, &message, &fd, &who, MSG_DONTWAIT);
	if (ret == -EAGAIN || ret == -EINTR) {
		share_unlock();
		return;
	}
	if (ret < 0) {
		process_gone(index);
	} else if (message.what == SHARE_BYE) {
		take_leave(index);
	} else if (message.what == SHARE_FORK) {
		if (fd >= 0)
			share_take_process(fd, index,
					   serve_netns(index, message.index));
		fd = -1;
	} else if (message.what == SHARE_CARRIER) {
		parcel_follow(index, message.index, &message.token, fd);
		fd = -1;
	} else if (message.what == SHARE_WAITS) {
		owner_waits(p, message.index, who.pid);
	} else if (message.what == SHARE_ADOPT) {
		serve_follow(index, message.index);
		serve_end(index);
		__atomic_store_n(&p->area->adopted, 1, __ATOMIC_SEQ_CST);
		share_wake(&p->area->adopted);
	}
	share_unlock();
	if (ret < 0)
		return;
	if (message.what == SHARE_OPEN)
		serve_link(index, message.index, fd, &who, message.from);
	else if (message.what == SHARE_BELL)
		bells_add(index, message.index, fd);
	else if (message.what == SHARE_CRED && fd < 0)
		owner_look_at(p, who.pid);
	else if (fd >= 0)
		fd_forget(fd);
}

/**
 * share_linger - the program ends: stay for those that have joined
 *
 * A process that waits for anything of the program's but its end does not wait
 * for them, and they do not wait for its end.  A signal ends this.
 */
void share_linger(void)
{
	bool closed = false;
	uint32_t n;

	while (!admit_end(false)) {
		if (!closed)
			fd_close_range(SYS_close_range, (long[6]){ 0, ~0U });
		closed = true;
		n = __atomic_load_n(&share_joined, __ATOMIC_SEQ_CST);
		if (n && host_wait_syscall(SYS_futex, (long)&share_joined,
					   FUTEX_WAIT, n, 0, 0, 0) == -EINTR)
			return;
	}
}

static void keep(void *unused)
{
	struct epoll_event ev[16];
	/* It may take the place of another one, which had something to do. */
	int wait = 1;
	long i, n;

	(void)unused;
	for (;;) {
		n = host4(SYS_epoll_wait, share_events, ev, array_size(ev),
			  wait);
		/* One of each, as one may have no end of them. */
		for (i = 0; i < n; i++)
			if (ev[i].data.u32 == SHARE_LEAVE)
				return;
			else if (ev[i].data.u32 >= SHARE_PARCEL)
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
 * keeper_leave - have the keeper end
 *
 * What it listens to remains open.  Uses libc.
 *
 * Return: whether it has
 */
bool keeper_leave(void)
{
	long fd = fd_own(host2(SYS_eventfd2, 1, EFD_CLOEXEC));
	bool told;

	if (fd < 0)
		return false;
	told = !share_hear_from(fd, SHARE_LEAVE);
	if (told)
		lkl_host_ops.thread_join(keeper);
	fd_forget(fd);
	return told;
}

/**
 * keeper_return - have another one in its place
 *
 * Uses libc.
 *
 * Return: whether there is one
 */
bool keeper_return(void)
{
	keeper = lkl_host_ops.thread_create(keep, NULL);
	return keeper;
}

/**
 * share_prepare - the program is about to fork: be ready to serve the child
 *
 * Uses libc.  Without success children have no network.
 */
void share_prepare(void)
{
	share_lock();
	if (share_events < 0) {
		share_events = fd_own(host1(SYS_epoll_create1, EPOLL_CLOEXEC));
		if (share_events >= 0 && !keeper_return()) {
			fd_forget(share_events);
			share_events = -1;
		}
	}
	share_unlock();
}

/**
 * share_leave - there is no kernel here any more: the keeper ends
 *
 * Uses libc.
 */
void share_leave(void)
{
	if (share_events < 0 || !keeper_leave())
		return;
	fd_forget(share_events);
	share_events = -1;
}
