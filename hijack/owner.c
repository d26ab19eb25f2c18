// SPDX-License-Identifier: GPL-2.0-only
/*
 * The side of the process that has the kernel, for those that were forked and
 * go on using its network (child.c has theirs).
 *
 * At a fork the table of descriptors of the library's kernel is copied, as the
 * host does with its own.  With its first call the child becomes a process of
 * that kernel, which has the copy, and by the same number.  Its calls are made
 * by threads of ours, which have tasks of that process (serve.c), one for each
 * of its threads that makes any.
 *
 * One more thread listens to the processes' sockets (keeper.c).
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <lkl/asm/cred.h>
#include <lkl/asm/netns.h>
#include <lkl_host.h>

#include "child.h"

struct share_process share_processes[SHARE_PROCESSES];

/* There have been no processes beyond. */
int share_top;

/*
 * Processes that have joined, and those that they have forked, but for
 * ancestors that wait for a process.
 */
uint32_t share_joined;

/* Processes that have left. */
uint32_t share_left;

bool share_apart;
int share_former = -1;

/* What the keeper waits for; -1 before there is one. */
long share_events = -1;

bool share_serves(void)
{
	return share_events >= 0;
}

/*
 * Is there a process that has joined, or one that was @forked and has not
 * left yet?
 */
bool share_used(bool forked)
{
	int i;

	for (i = 0; i < share_top && forked; i++)
		if (share_processes[i].area)
			return true;
	return share_joined;
}

static bool is_there(const struct share_process *p)
{
	struct pollfd fd = { p->fd - 1, 0, 0 };

	return p->fd && raw_syscall(SYS_poll, (long)&fd, 1, 0, 0, 0, 0) <= 0;
}

/**
 * share_has_forked - is there a process that has not joined, and has not ended?
 */
bool share_has_forked(void)
{
	int i;

	for (i = 0; i < share_top; i++)
		if (!share_processes[i].joined && is_there(&share_processes[i]))
			return true;
	return false;
}

/**
 * share_is_last - is there no other process any more?
 * @index: number of the process
 */
bool share_is_last(int index)
{
	int i;

	for (i = 0; i < share_top; i++)
		if (i != index && is_there(&share_processes[i]))
			return false;
	return true;
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

	return host4(SYS_epoll_ctl, share_events, EPOLL_CTL_ADD, fd, &ev);
}

/**
 * share_hear_no_more - have it not listen any more
 * @fd: the socket
 */
void share_hear_no_more(long fd)
{
	host4(SYS_epoll_ctl, share_events, EPOLL_CTL_DEL, fd, 0);
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

void owner_free_process(struct share_process *p)
{
	lkl_kernel_call(lkl_share_put, &p->files);
	host2(SYS_munmap, p->area, sizeof(*p->area));
	p->area = NULL;
	__atomic_store_n(&p->gone, false, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&share_left, 1, __ATOMIC_SEQ_CST);
	share_wake(&share_left);
}

/* As share_take_process(); returns its number. */
#define FROM_NOBODY -2
static int owner_take_process(long fd, int from, void *ns)
{
	struct share_process *p = share_processes;
	long area = -1, err;
	const int one = 1;
	int index;

	while (p->area)
		if (++p == share_processes + SHARE_PROCESSES) {
			lkl_kernel_call(lkl_netns_put, ns);
			fd_forget(fd);
			return -ENFILE;
		}
	p->waits = false;
	p->joined = from == FROM_NOBODY ||
		    (from >= 0 && share_processes[from].joined);
	p->files.from = from < 0 ? NULL : &share_processes[from].files;
	p->files.none = from == FROM_NOBODY;
	p->files.pid = 0;
	p->files.ns = ns;
	err = lkl_kernel_call(lkl_share_copy, &p->files);
	if (err)
		goto close;
	area = new_area(&p->area);
	err = area < 0 ? area : 0;
	if (err)
		goto put;
	p->area->apart = share_apart;
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
	if (index >= share_top)
		share_top = index + 1;
	share_joined += p->joined;
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
 * @ns: network namespace for it, which is not the caller's any more; NULL is
 *	that of @from
 *
 * Uses no libc, and is called with the lock held.
 *
 * Return: 0 or a negative error number
 */
int share_take_process(long fd, int from, void *ns)
{
	int index = owner_take_process(fd, from, ns);

	return index < 0 ? index : 0;
}

/**
 * share_number - by which the library's kernel knows a process
 * @pid: the process, as the host says
 *
 * Return: the number, or 0
 */
int share_number(int pid)
{
	int i;

	if (pid == own_call3(SYS_getpid, 0, 0, 0))
		return share_apart ? 0 : 1;
	for (i = 0; i < share_top; i++)
		if (share_processes[i].area &&
		    share_processes[i].files.process &&
		    share_processes[i].files.pid == pid)
			return share_processes[i].files.number;
	return 0;
}

/**
 * share_host_pid - the other way round
 * @number: by which the library's kernel knows a process
 *
 * Return: what the host says, or 0
 */
int share_host_pid(int number)
{
	int i;

	if (number == 1 && share_former >= 0)
		return share_processes[share_former].files.pid;
	if (number == 1)
		return share_apart ? 0 : own_call3(SYS_getpid, 0, 0, 0);
	for (i = 0; i < share_top; i++)
		if (share_processes[i].area &&
		    share_processes[i].files.process &&
		    share_processes[i].files.number == number)
			return share_processes[i].files.pid;
	return 0;
}

void owner_no_more_joined(struct share_process *p)
{
	if (!p->joined || p->waits)
		return;
	__atomic_sub_fetch(&share_joined, 1, __ATOMIC_SEQ_CST);
	share_wake(&share_joined);
}

/*
 * It waits for a process, or not any more.  One that is an ancestor of this one
 * may do so for ever.
 */
void owner_waits(struct share_process *p, bool does, int pid)
{
	does = does && cred_is_ancestor(pid);
	if (does == p->waits)
		return;
	if (does)
		owner_no_more_joined(p);
	p->waits = does;
	if (!does)
		share_joined += p->joined;
}

/* The credentials of a process; without an answer those of no user. */
void owner_look_at(struct share_process *p, int pid)
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
	int index = owner_take_process(fd, FROM_NOBODY, NULL);

	/* Without rights on the host, all are who this process is here. */
	if (index >= 0 && cred_had_rights())
		owner_look_at(&share_processes[index], pid);
}
