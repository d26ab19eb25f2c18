// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads of the process that has the kernel, each of which makes the calls of
 * one thread of another process, with that one's files (owner.c).
 *
 * So a call that waits does what it would do for a thread of this process, and
 * does not hold up the others.  An idle server sleeps in a futex.
 *
 * The other process may have been taken over, and can write anything into its
 * area at any time.  A request is copied once, and confined to the link's
 * window (confine.c).  All that is known of the process is kept here.
 *
 * When the kernel moves to another process (outlive.c), the threads leave: a
 * call that waits is not answered, and will be made again there by others.
 */
#include <limits.h>
#include <linux/futex.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/mman.h>

#include <lkl/asm/netns.h>
#include <lkl_host.h>

#include "../lib/move.h"
#include "server.h"
#include "parcel.h"

/* As many files can be watched for a thread. */
#define MAX_FILES (SHARE_DATA / sizeof(struct lkl_watch_file))

/* FUTEX_WAITERS is 1 << this. */
#define FUTEX_WAITERS_BIT 31

/* They are to leave, as the kernel moves. */
static bool leaving;

/*
 * Watches
 */

/* The library's kernel has something for a thread's poll(). */
static void notify_thread(struct lkl_watch *watch)
{
	static const uint64_t one = 1;
	struct server *s =
		(void *)((char *)watch - offsetof(struct server, watch));

	own_call3(SYS_write, s->bell, &one, sizeof(one));
}

static void stop_watching(struct server *s)
{
	if (!s->watching)
		return;
	s->watching = false;
	s->watch.count = 0;
	lkl_kernel_call(lkl_watch_stop, &s->watch);
}

static bool have_files(struct server *s)
{
	long map;

	if (s->files)
		return true;
	map = raw_syscall(SYS_mmap, 0, MAX_FILES * sizeof(*s->files),
			  PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	if (map < 0 && map > -4096)
		return false;
	s->files = (void *)map;
	return true;
}

/* SHARE_WATCH: what to do, and how many files there are in the window. */
static long watch_files(struct server *s, const long *a)
{
	struct lkl_watch_file *theirs = (void *)(s->window + SHARE_HEAD);
	unsigned long count = a[1], i;
	long ret;

	if (count > MAX_FILES)
		return -EFAULT;
	if (a[0] == SHARE_START) {
		stop_watching(s);
		if (!have_files(s))
			return -ENOMEM;
		copy(s->files, theirs, count * sizeof(*s->files));
		s->watch = (struct lkl_watch){ .notify = notify_thread,
					       .files = s->files,
					       .count = count };
		ret = lkl_kernel_call(lkl_watch_start, &s->watch);
		s->watching = !ret;
	} else {
		if (!s->watching)
			return 0;
		s->watching = false;
		count = least(count, s->watch.count);
		s->watch.count = count;
		ret = lkl_kernel_call(lkl_watch_stop, &s->watch);
	}
	for (i = 0; i < count; i++)
		theirs[i].revents = s->files[i].revents;
	return ret;
}

/*
 * Calls
 */

static bool is_interrupted(struct server *s, struct share_link *link)
{
	return __atomic_load_n(&link->interrupt, __ATOMIC_SEQ_CST) ==
		       s->number ||
	       __atomic_load_n(&s->gone, __ATOMIC_SEQ_CST);
}

/*
 * Make a call of the library.  An interruption that came too late may have hit
 * the next one.
 */
static long make_plain(struct server *s, struct share_link *link,
		       const struct confined *c)
{
	long ret;

	do {
		ret = lkl_syscall(c->nr, (long *)c->a);
	} while (ret == -EINTR && !is_interrupted(s, link) &&
		 !__atomic_load_n(&leaving, __ATOMIC_SEQ_CST));
	return ret;
}

/* Send data by MSG_ZEROCOPY, which is copied. */
static long make_copy(struct server *s, struct share_link *link,
		      const struct confined *c)
{
	struct lkl_share_copy copy = { .fd = c->a[0] };
	long ret = lkl_kernel_call(lkl_share_copy_begin, &copy);

	if (ret)
		return ret;
	ret = make_plain(s, link, c);
	copy.sent = ret > 0;
	if (copy.notification)
		lkl_kernel_call(lkl_share_copy_end, &copy);
	return ret;
}

/* SHARE_COPIED: such data has been sent already. */
static long tell_copied(long fd)
{
	struct lkl_share_copy copy = { .fd = fd, .sent = true };
	long err = lkl_kernel_call(lkl_share_copy_begin, &copy);

	if (!err && copy.notification)
		lkl_kernel_call(lkl_share_copy_end, &copy);
	return err;
}

/* Make a call in the child's name. */
static long make(struct server *s, struct share_link *link)
{
	struct lkl_share_open open;
	long nr = __atomic_load_n(&link->nr, __ATOMIC_RELAXED), a[6], ret;
	unsigned int creds = __atomic_load_n(&share_processes[s->process].creds,
					     __ATOMIC_SEQ_CST);
	struct confined c;

	if (unlikely(s->creds != creds)) {
		lkl_kernel_call(lkl_share_use_cred, &s->kernel);
		s->creds = creds;
	}
	copy(a, link->arg, sizeof(a));
	switch (nr) {
	case SHARE_WATCH:
		return watch_files(s, a);
	case SHARE_EPOLL:
		return bells_watch(s->process, a);
	case SHARE_INODE:
		return inode_name(server_pid(s), a);
	case SHARE_NETNS:
		return serve_set_netns(s, a);
	case SHARE_PARK:
		return parcel_park(s->process, a[0],
				   (struct share_token){ { a[1], a[2] } });
	case SHARE_CLAIM:
		return parcel_claim((struct share_token){ { a[0], a[1] } });
	case SHARE_ASYNC:
		return async_serve(s->process, a);
	case SHARE_COPIED:
		return tell_copied(a[0]);
	}
	ret = confine(&c, nr, a, s->window);
	if (ret)
		return ret;
	if (nr == SYS_openat) {
		open = (struct lkl_share_open){
			.dir = c.a[0],
			.name = (const char *)c.a[1],
			.flags = c.a[2],
		};
		return lkl_kernel_call(lkl_share_open, &open);
	}
	ret = c.copies ? make_copy(s, link, &c) : make_plain(s, link, &c);
	if (ret >= 0)
		confined_end(&c);
	if (!ret && nr == SYS_ioctl && (unsigned int)a[1] == SIOCGIFCONF)
		ret = c.conf.len;
	return ret;
}

/*
 * Take FUTEX_WAITERS away and wake the thread, in one system call: if we are
 * killed between the two, the host finds a futex that has nobody to be woken.
 */
static void answer(struct share_link *link, uint32_t idle)
{
	const unsigned int clear =
		(unsigned int)(FUTEX_OP_ANDN | FUTEX_OP_OPARG_SHIFT) << 28 |
		FUTEX_OP_CMP_EQ << 24 | FUTEX_WAITERS_BIT << 12;

	if (raw_syscall(SYS_futex, (long)&link->word, FUTEX_WAKE_OP, 1, 0,
			(long)&link->word, clear) >= 0)
		return;
	/* A filter of the program's does not let us. */
	__atomic_store_n(&link->word, idle, __ATOMIC_SEQ_CST);
	share_wake(&link->word);
}

/* Make all calls of the link; true when it is closed. */
static bool serve_calls(struct server *s, uint32_t idle)
{
	struct share_link *link = server_link(s);
	long ret;

	while (!__atomic_load_n(&s->gone, __ATOMIC_SEQ_CST)) {
		uint32_t word = __atomic_load_n(&link->word, __ATOMIC_SEQ_CST);

		if (__atomic_load_n(&leaving, __ATOMIC_SEQ_CST))
			return false;

		if (!(word & FUTEX_WAITERS)) {
			share_wait(&link->word, word, NULL);
			continue;
		}
		if (link->nr == SHARE_END)
			return true;
		s->number = link->number;
		s->raised = 0;
		ret = make(s, link);
		if (ret == -EINTR &&
		    __atomic_load_n(&leaving, __ATOMIC_SEQ_CST) &&
		    !is_interrupted(s, link))
			return false;
		link->ret = ret;
		link->raised = s->raised;
		answer(link, idle);
	}
	return true;
}

/* Have the link say whose it is, with the call that it may have. */
static void take_link(struct share_link *link, uint32_t tid)
{
	uint32_t word = __atomic_load_n(&link->word, __ATOMIC_SEQ_CST);

	while (!__atomic_compare_exchange_n(&link->word, &word,
					    (word & FUTEX_WAITERS) | tid, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	share_wake(&link->word);
}

/*
 * The thread ends, and another one will take its place.  Until then nothing
 * tells the child of the owner's end but its socket.
 */
static void leave(struct server *s)
{
	lkl_thread_leave();
	take_link(server_link(s), 0);
	s->robust.list_op_pending = NULL;
	__atomic_store_n(&s->left, true, __ATOMIC_SEQ_CST);
}

/* Be a thread of the process, or take the place of one. */
static long take_task(struct server *s)
{
	if (!s->kernel.task) {
		long err = lkl_kernel_call(lkl_share_use, &s->kernel);

		if (err)
			return err;
		lkl_thread_exit();
	}
	lkl_thread_replace(s->kernel.task);
	return 0;
}

static void serve(void *arg)
{
	struct server *s = arg;
	struct share_link *link = server_link(s);
	uint32_t idle = host0(SYS_gettid);
	long err;

	__atomic_store_n(&s->tid, idle, __ATOMIC_SEQ_CST);
	/*
	 * Nothing is in the list but what the operation in progress is on: so
	 * the host follows no pointer that the other process can write.
	 */
	s->robust = (struct robust_list_head){
		.list.next = &s->robust.list,
		.list_op_pending = (void *)link,
		.futex_offset = offsetof(struct share_link, word),
	};
	host2(SYS_set_robust_list, &s->robust, sizeof(s->robust));
	err = take_task(s);
	take_link(link, err ? FUTEX_OWNER_DIED : idle);
	if (!err && !serve_calls(s, idle)) {
		leave(s);
		return;
	}

	stop_watching(s);
	__atomic_store_n(&s->kernel.task, NULL, __ATOMIC_SEQ_CST);
	lkl_kernel_call(lkl_netns_put, s->kernel.ns);
	lkl_kernel_call(lkl_netns_put,
			__atomic_exchange_n(&s->next, NULL, __ATOMIC_SEQ_CST));
	lkl_thread_exit();
	fd_forget(s->bell);
	if (s->files)
		own_call3(SYS_munmap, s->files, MAX_FILES * sizeof(*s->files),
			  0);
	s->files = NULL;
	madvise(s->window, SHARE_WINDOW, MADV_REMOVE);
	s->robust.list_op_pending = NULL;
	__atomic_store_n(&s->ending, true, __ATOMIC_SEQ_CST);
	/* Else the child does it, when it has seen that there is no server. */
	if (!err) {
		link->word = 0;
		__atomic_store_n(&link->used, 0, __ATOMIC_SEQ_CST);
	}
	__atomic_store_n(&s->runs, false, __ATOMIC_SEQ_CST);
}

static struct server *start_server(int process, unsigned int index, long bell,
				   void *ns)
{
	struct server *s = servers;

	while (__atomic_load_n(&s->runs, __ATOMIC_SEQ_CST))
		if (++s == servers + SHARE_LINKS)
			return NULL;
	/* The one before has ended, or is about to. */
	if (s->handle)
		lkl_host_ops.thread_join(s->handle);
	*s = (struct server){
		.runs = true,
		.process = process,
		.index = index,
		.window = share_processes[process].area->data[index],
		.bell = bell,
		.kernel = { .share = &share_processes[process].files,
			    .ns = ns },
	};
	if (s - servers >= servers_top)
		servers_top = s - servers + 1;
	s->handle = lkl_host_ops.thread_create(serve, s);
	if (s->handle)
		return s;
	s->runs = false;
	return NULL;
}

/**
 * serve_link - have a server for a link
 * @process: number of the process
 * @index: of the link
 * @bell: eventfd of its thread, or -1
 * @who: the process, as the host says, or 0
 * @from: the link + 1 of the thread in whose network namespace its calls begin,
 *	or 0
 */
void serve_link(int process, unsigned int index, long bell,
		const struct ucred *who, unsigned int from)
{
	struct server *old = server_find(process, index);
	struct share_process *p = &share_processes[process];
	struct share_link *link;
	void *ns;

	if (index >= SHARE_LINKS || (old && !old->ending)) {
		fd_forget(bell);
		return;
	}
	if (old) {
		lkl_host_ops.thread_join(old->handle);
		old->handle = 0;
	}
	/* It keeps its number when it executes a program. */
	if (!p->files.pid)
		p->files.pid = who->pid;
	p->user = who->uid;
	ns = serve_netns_of(process, from);
	if (bell >= 0 && start_server(process, index, bell, ns))
		return;
	lkl_kernel_call(lkl_netns_put, ns);
	fd_forget(bell);
	link = &p->area->link[index];
	__atomic_store_n(&link->word, FUTEX_OWNER_DIED, __ATOMIC_SEQ_CST);
	share_wake(&link->word);
}

/**
 * serve_end - have all servers of a process end, and forget its epolls
 * @process: number of the process
 */
void serve_end(int process)
{
	unsigned int i;

	bells_end(process);
	for (i = 0; i < servers_top; i++) {
		struct server *s = &servers[i];
		struct share_link *link;

		if (!s->runs || s->process != process)
			continue;
		link = server_link(s);
		__atomic_store_n(&s->gone, 1, __ATOMIC_SEQ_CST);
		__atomic_fetch_or(&link->word, FUTEX_WAITERS, __ATOMIC_SEQ_CST);
		share_wake(&link->word);
	}
}

/**
 * serve_leave - have all servers leave, and end
 *
 * Their links, and calls that they do not answer, are for serve_return().
 */
void serve_leave(void)
{
	const struct timespec pause = { .tv_nsec = 20000 };
	unsigned int i;

	__atomic_store_n(&leaving, true, __ATOMIC_SEQ_CST);
	for (i = 0; i < servers_top; i++) {
		struct server *s = &servers[i];

		while (__atomic_load_n(&s->runs, __ATOMIC_SEQ_CST) &&
		       !__atomic_load_n(&s->left, __ATOMIC_SEQ_CST)) {
			lkl_kernel_call(lkl_share_interrupt, &s->kernel);
			raw_syscall(SYS_futex, (long)server_link(s), FUTEX_WAKE,
				    INT_MAX, 0, 0, 0);
			own_call3(SYS_nanosleep, &pause, 0, 0);
		}
		if (s->handle)
			lkl_host_ops.thread_join(s->handle);
		s->handle = 0;
	}
}

/**
 * serve_return - have others in their place
 * @able: or say that there are none
 */
void serve_return(bool able)
{
	unsigned int i;

	__atomic_store_n(&leaving, false, __ATOMIC_SEQ_CST);
	for (i = 0; i < servers_top; i++) {
		struct server *s = &servers[i];

		if (!s->runs)
			continue;
		if (s->left && able) {
			s->left = false;
			s->handle = lkl_host_ops.thread_create(serve, s);
		}
		if (!able || !s->handle)
			take_link(server_link(s), FUTEX_OWNER_DIED);
	}
}
