// SPDX-License-Identifier: GPL-2.0-only
/*
 * The side of the process that has the kernel, for those that were forked and
 * go on using its network (child.c has theirs).
 *
 * At a fork the table of descriptors of the library's kernel is copied, as the
 * host does with its own.  The child's calls are made by threads of ours that
 * use the copy (lkl/asm/share.h), one for each of its threads that makes any:
 * so a call that waits does what it would do for a thread of this process, and
 * holds nobody up.  An idle server sleeps in a futex.
 *
 * One more thread, the keeper, listens to the processes' sockets.  A socket's
 * end is that of the process, or of its being ours, by exec: then its servers
 * are told, and when the last has left, its files are closed.  A program that
 * it executes and that goes on with the sockets has the files, but other
 * threads.
 */
#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <lkl/asm/share.h>
#include <lkl_host.h>

#include "share.h"

struct share *share;
long share_fd;

/* What there is to each link here; the host finds the futex by it. */
static struct server {
	void *thread;
	bool runs;
	struct robust_list_head robust;
} servers[SHARE_LINKS];

/* And to each process: our end of its socket, + 1, and its files. */
static struct process {
	long fd;
	struct lkl_share files;
} processes[SHARE_PROCESSES];
/* There have been none beyond. */
static int top, link_top;

/* What the keeper waits for. */
static long events;

/* The library's kernel has something for a thread's poll(). */
static void notify(struct lkl_watch *watch)
{
	static const uint64_t one = 1;
	struct share_link *link =
		(void *)((char *)watch - offsetof(struct share_link, watch));

	own_call3(SYS_write, link->bell, &one, sizeof(one));
}

/* Make a call in the child's name. */
static long make(struct share_link *link)
{
	struct lkl_watch *watch;
	long ret;

	switch (link->nr) {
	case SHARE_WATCH:
		watch = (void *)link->arg[1];
		watch->notify = watch == &link->watch ? notify : wait_notify;
		return lkl_kernel_call(link->arg[0] == 0   ? lkl_watch_start
				       : link->arg[0] == 1 ? lkl_watch_always
							   : lkl_watch_stop,
				       watch);
	case SHARE_FORGET:
		fd_forget(link->arg[0]);
		return 0;
	}
	/* An interruption that came too late may have hit the next call. */
	do {
		ret = lkl_syscall(link->nr, link->arg);
	} while (ret == -EINTR &&
		 __atomic_load_n(&link->interrupt, __ATOMIC_SEQ_CST) !=
			 link->number &&
		 !__atomic_load_n(&link->gone, __ATOMIC_SEQ_CST));
	return ret;
}

static void serve(void *arg)
{
	struct share_link *link = arg;
	int index = link - share->link;
	struct server *s = &servers[index];
	uint32_t idle = host0(SYS_gettid), word;
	long handle;

	s->robust = (struct robust_list_head){
		.list.next = (void *)&link->robust,
		.futex_offset = offsetof(struct share_link, word) -
				offsetof(struct share_link, robust),
	};
	link->robust = &s->robust.list;
	host2(SYS_set_robust_list, &s->robust, sizeof(s->robust));
	handle = lkl_kernel_call(lkl_share_use,
				 &processes[link->process - 1].files);
	/* A kernel's address, or an error. */
	if (handle < 0 && handle > -4096)
		idle = FUTEX_OWNER_DIED;
	else
		link->handle = handle;
	__atomic_store_n(&link->word, idle, __ATOMIC_SEQ_CST);
	share_wake(&link->word);
	while (idle != FUTEX_OWNER_DIED &&
	       !__atomic_load_n(&link->gone, __ATOMIC_SEQ_CST)) {
		word = __atomic_load_n(&link->word, __ATOMIC_SEQ_CST);
		if (!(word & FUTEX_WAITERS)) {
			share_wait(&link->word, word, NULL);
			continue;
		}
		if (link->nr == SHARE_END)
			break;
		link->ret = make(link);
		__atomic_store_n(&link->word, idle, __ATOMIC_SEQ_CST);
		share_wake(&link->word);
	}
	__atomic_store_n(&link->handle, 0, __ATOMIC_SEQ_CST);
	lkl_thread_exit();
	fd_forget(link->bell);
	madvise(share->data[index], sizeof(share->data[index]), MADV_REMOVE);
	__atomic_store_n(&s->runs, false, __ATOMIC_SEQ_CST);
	/* Else the child does it, when it has seen that there is no server. */
	if (idle != FUTEX_OWNER_DIED)
		share_free_link(link);
}

static void start_server(int index, long bell)
{
	struct share_link *link = &share->link[index];
	struct server *s = &servers[index];

	/* The one before has ended, or is about to. */
	if (s->thread)
		lkl_host_ops.thread_join(s->thread);
	if (index >= link_top)
		link_top = index + 1;
	s->thread = NULL;
	link->bell = bell;
	s->runs = bell >= 0;
	if (s->runs)
		s->thread = lkl_host_ops.thread_create(serve, link);
	if (s->thread)
		return;
	s->runs = false;
	fd_forget(bell);
	__atomic_store_n(&link->word, FUTEX_OWNER_DIED, __ATOMIC_SEQ_CST);
	share_wake(&link->word);
}

/**
 * share_take_process - there will be another process
 * @index: its number
 * @fd: our end of its socket, which is closed on failure
 * @from: number of the process that forks, or -1 for this one
 *
 * Uses no libc, and is called with the lock held.
 *
 * Return: 0 or a negative error number
 */
int share_take_process(int index, long fd, int from)
{
	struct process *p = &processes[index];
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = index };
	long err;

	p->files.from = from < 0 ? NULL : &processes[from].files;
	err = lkl_kernel_call(lkl_share_copy, &p->files);
	if (!err) {
		err = host4(SYS_epoll_ctl, events, EPOLL_CTL_ADD, fd, &ev);
		if (err)
			lkl_kernel_call(lkl_share_put, &p->files);
	}
	if (err) {
		fd_forget(fd);
	} else {
		p->fd = fd + 1;
		if (index >= top)
			top = index + 1;
	}
	__atomic_store_n(&share->process[index],
			 err ? SHARE_FAILED : SHARE_READY, __ATOMIC_SEQ_CST);
	share_wake(&share->process[index]);
	return err;
}

/**
 * share_close_processes - in a child, which has inherited our ends
 */
void share_close_processes(void)
{
	int i;

	for (i = 0; i < top; i++) {
		if (processes[i].fd)
			fd_forget(processes[i].fd - 1);
		processes[i].fd = 0;
	}
}

/* The threads of a process have ended: tell who waits for them. */
static void threads_gone(int index)
{
	bool alone = true;
	int i;

	for (i = 0; i < top; i++)
		alone &= !processes[i].fd;
	wait_process_gone(index, alone);
	for (i = 0; i < link_top; i++) {
		struct share_link *link = &share->link[i];

		if (link->process != index + 1)
			continue;
		__atomic_store_n(&link->gone, 1, __ATOMIC_SEQ_CST);
		__atomic_fetch_or(&link->word, FUTEX_WAITERS, __ATOMIC_SEQ_CST);
		share_wake(&link->word);
	}
}

static void process_gone(int index)
{
	/* A child that was forked just now may still have it open. */
	host4(SYS_epoll_ctl, events, EPOLL_CTL_DEL, processes[index].fd - 1, 0);
	fd_forget(processes[index].fd - 1);
	processes[index].fd = 0;
	__atomic_store_n(&share->process[index], SHARE_GONE, __ATOMIC_SEQ_CST);
	threads_gone(index);
}

/*
 * Interrupt who is to be interrupted, and forget processes without servers.
 * Returns whether somebody has not left his call yet.
 */
static bool interrupt_all(void)
{
	bool used[SHARE_PROCESSES] = { false }, more = false;
	int i;

	for (i = 0; i < link_top; i++) {
		struct share_link *link = &share->link[i];
		int process = __atomic_load_n(&link->process, __ATOMIC_SEQ_CST);

		if (!process)
			continue;
		if (link->gone &&
		    !__atomic_load_n(&servers[i].runs, __ATOMIC_SEQ_CST)) {
			share_free_link(link);
			continue;
		}
		used[process - 1] = true;
		if (!link->gone &&
		    (!(__atomic_load_n(&link->word, __ATOMIC_SEQ_CST) &
		       FUTEX_WAITERS) ||
		     link->interrupt != link->number))
			continue;
		more = true;
		lkl_kernel_call(lkl_share_interrupt, &link->handle);
	}
	for (i = 0; i < top; i++) {
		if (share->process[i] != SHARE_GONE)
			continue;
		if (used[i]) {
			more = true;
			continue;
		}
		lkl_kernel_call(lkl_share_put, &processes[i].files);
		__atomic_store_n(&share->process[i], SHARE_FREE,
				 __ATOMIC_SEQ_CST);
	}
	return more;
}

/* A message of a process; returns whether there was one, or an error number. */
static long hear(int index)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct share_message message;
	struct iovec iov = { &message, sizeof(message) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	long ret, fd = -1;

	/* A fork now would take the descriptor along. */
	share_lock();
	ret = host3(SYS_recvmsg, processes[index].fd - 1, &msg,
		    MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (ret > 0 && msg.msg_controllen)
		fd = fd_own(*(int *)CMSG_DATA(&control.header));
	if (ret > 0 && message.what == SHARE_FORK)
		share_take_process(message.index, fd, index);
	if (ret == 0)
		process_gone(index);
	if (ret > 0 && message.what == SHARE_ADOPT) {
		threads_gone(index);
		__atomic_store_n(&share->process[index], SHARE_READY,
				 __ATOMIC_SEQ_CST);
		share_wake(&share->process[index]);
	}
	share_unlock();
	if (ret <= 0)
		return ret;
	if (message.what == SHARE_OPEN)
		start_server(message.index, fd);
	else if (message.what == SHARE_BELL)
		wait_set_bell(message.index, fd);
	return 1;
}

static void keep(void *unused)
{
	struct epoll_event ev[16];
	int wait = -1;
	long i, n;

	(void)unused;
	for (;;) {
		n = host4(SYS_epoll_wait, events, ev, array_size(ev), wait);
		for (i = 0; i < n; i++)
			while (hear(ev[i].data.u32) > 0)
				;
		/* Sleep for longer and longer while somebody takes his time. */
		if (!interrupt_all())
			wait = -1;
		else
			wait = n > 0 || wait < 0 ? 1
			       : wait < 64	 ? 2 * wait
						 : wait;
	}
}

/**
 * share_map - have the shared memory in its place
 *
 * Return: 0 or a negative error number
 */
long share_map(void)
{
	long map = host6(
		SYS_mmap, SHARE_BASE, sizeof(*share), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_NORESERVE | MAP_FIXED_NOREPLACE, share_fd, 0);

	if (map < 0 && map > -4096)
		return map;
	madvise(SHARE_BASE, sizeof(*share), MADV_DONTDUMP);
	return 0;
}

/**
 * share_prepare - the program is about to fork: be ready to serve the child
 *
 * Uses libc.  Without success children have no network.
 */
void share_prepare(void)
{
	share_lock();
	if (share)
		goto out;
	share_fd = fd_own(host2(SYS_memfd_create, "lkl-share", MFD_CLOEXEC));
	if (share_fd < 0)
		goto out;
	if (host2(SYS_ftruncate, share_fd, sizeof(*share)) || share_map())
		goto close;
	events = fd_own(host1(SYS_epoll_create1, EPOLL_CLOEXEC));
	if (events < 0)
		goto unmap;
	share = SHARE_BASE;
	if (lkl_host_ops.thread_create(keep, NULL))
		goto out;
	share = NULL;
	fd_forget(events);
unmap:
	host2(SYS_munmap, SHARE_BASE, sizeof(*share));
close:
	fd_forget(share_fd);
out:
	share_unlock();
}
