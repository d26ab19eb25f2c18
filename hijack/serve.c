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
 */
#include <linux/futex.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/mman.h>

#include <lkl/asm/netns.h>
#include <lkl_host.h>

#include "child.h"
#include "parcel.h"

/* As many files can be watched for a thread. */
#define MAX_FILES (SHARE_DATA / sizeof(struct lkl_watch_file))

/**
 * struct server - a thread, and the link it serves
 * @handle: the thread, until it has been joined
 * @runs: it has not ended
 * @ending: it is about to, and does nothing for the link any more
 * @tid: number of it
 * @raised: a signal that its call has raised, or 0
 * @process: the process that has the link
 * @index: which, of that process
 * @window: of the link
 * @gone: the process has ended
 * @pid: the process, as the host says, or 0
 * @user: whose it was
 * @bell: its thread's eventfd
 * @number: of the call that is being made
 * @creds: how often the process had changed its credentials when it was told
 * @watch: of the thread's poll()
 * @watching: it is in use
 * @files: for @watch; MAX_FILES, or NULL
 * @kernel: as the library's kernel knows the thread
 * @next: network namespace for a process that the thread forks, or NULL
 * @robust: the host finds the link's futex by it when the thread ends
 */
static struct server {
	lkl_thread_t handle;
	bool runs, ending;
	int tid, raised;
	int process;
	unsigned int index;
	char *window;
	int gone;
	int pid;
	unsigned int user;
	long bell;
	unsigned int number;
	unsigned int creds;
	struct lkl_watch watch;
	bool watching;
	struct lkl_watch_file *files;
	struct lkl_share_thread kernel;
	void *next;
	struct robust_list_head robust;
} servers[SHARE_LINKS];

/* There have been none beyond. */
static unsigned int servers_top;

static struct share_link *link_of(const struct server *s)
{
	return &share_processes[s->process].area->link[s->index];
}

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

static struct server *server_by_tid(int tid)
{
	unsigned int i;

	for (i = 0; i < servers_top; i++)
		if (__atomic_load_n(&servers[i].runs, __ATOMIC_SEQ_CST) &&
		    __atomic_load_n(&servers[i].tid, __ATOMIC_SEQ_CST) == tid)
			return &servers[i];
	return NULL;
}

/* Does a thread of this process make calls of a process? */
static bool has(int process, int tid)
{
	struct server *s = server_by_tid(tid);

	return s && s->process == process;
}

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
		    servers[i].pid == pid)
			file.thread = &servers[i].kernel;
	return lkl_kernel_call(lkl_netns_open, &file);
}

/* SHARE_NETNS: which. */
static long set_netns(struct server *s, const long *a)
{
	long ns;

	if (a[0] == SHARE_FOLLOW)
		return lkl_kernel_call(lkl_share_follow, &s->kernel);
	if (a[0] == SHARE_OTHER)
		return cred_same_pids(s->pid) ? serve_open_netns(a[1]) : -ESRCH;
	ns = lkl_kernel_call(lkl_netns_new, NULL);
	if (ns < 0)
		return ns;
	return lkl_kernel_call(
		lkl_netns_put,
		__atomic_exchange_n(&s->next, (void *)ns, __ATOMIC_SEQ_CST));
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
		return inode_name(s->pid, a);
	case SHARE_NETNS:
		return set_netns(s, a);
	case SHARE_PARK:
		return parcel_park(s->process, a[0],
				   (struct share_token){ { a[1], a[2] } });
	case SHARE_CLAIM:
		return parcel_claim((struct share_token){ { a[0], a[1] } });
	case SHARE_ASYNC:
		return async_serve(s->process, a, has);
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
	/* An interruption that came too late may have hit the next call. */
	do {
		ret = lkl_syscall(nr, c.a);
	} while (ret == -EINTR &&
		 __atomic_load_n(&link->interrupt, __ATOMIC_SEQ_CST) !=
			 s->number &&
		 !__atomic_load_n(&s->gone, __ATOMIC_SEQ_CST));
	if (ret >= 0)
		confined_end(&c);
	if (!ret && nr == SYS_ioctl && (unsigned int)a[1] == SIOCGIFCONF)
		ret = c.conf.len;
	return ret;
}

/* Make all calls of the link, until it is closed. */
static void serve_calls(struct server *s, uint32_t idle)
{
	struct share_link *link = link_of(s);

	while (!__atomic_load_n(&s->gone, __ATOMIC_SEQ_CST)) {
		uint32_t word = __atomic_load_n(&link->word, __ATOMIC_SEQ_CST);

		if (!(word & FUTEX_WAITERS)) {
			share_wait(&link->word, word, NULL);
			continue;
		}
		if (link->nr == SHARE_END)
			return;
		s->number = link->number;
		s->raised = 0;
		link->ret = make(s, link);
		link->raised = s->raised;
		__atomic_store_n(&link->word, idle, __ATOMIC_SEQ_CST);
		share_wake(&link->word);
	}
}

static void serve(void *arg)
{
	struct server *s = arg;
	struct share_link *link = link_of(s);
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
	err = lkl_kernel_call(lkl_share_use, &s->kernel);
	__atomic_store_n(&link->word, err ? FUTEX_OWNER_DIED : idle,
			 __ATOMIC_SEQ_CST);
	share_wake(&link->word);
	if (!err)
		serve_calls(s, idle);

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

static struct server *find_server(int process, unsigned int index)
{
	unsigned int i;

	for (i = 0; i < servers_top; i++)
		if (__atomic_load_n(&servers[i].runs, __ATOMIC_SEQ_CST) &&
		    servers[i].process == process && servers[i].index == index)
			return &servers[i];
	return NULL;
}

/*
 * The network namespace of a thread, or NULL if that is its process's; what a
 * message says, which is one more than the link.
 */
static void *netns_of(int process, unsigned int from)
{
	struct server *s = from ? find_server(process, from - 1) : NULL;
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
	struct server *s = from ? find_server(process, from - 1) : NULL;
	void *next = s ? __atomic_exchange_n(&s->next, NULL, __ATOMIC_SEQ_CST)
		       : NULL;

	return next ?: netns_of(process, from);
}

/**
 * serve_follow - new threads of a process begin where one of them is
 * @process: number of the process
 * @from: the link + 1 of that thread, or 0
 */
void serve_follow(int process, unsigned int from)
{
	struct server *s = from ? find_server(process, from - 1) : NULL;

	if (s)
		lkl_kernel_call(lkl_share_follow, &s->kernel);
}

static struct server *start_server(int process, unsigned int index, long bell,
				   const struct ucred *who, void *ns)
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
		.pid = who->pid,
		.user = who->uid,
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
	struct server *old = find_server(process, index);
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
	ns = netns_of(process, from);
	if (bell >= 0 && start_server(process, index, bell, who, ns))
		return;
	lkl_kernel_call(lkl_netns_put, ns);
	fd_forget(bell);
	link = &share_processes[process].area->link[index];
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
		link = link_of(s);
		__atomic_store_n(&s->gone, 1, __ATOMIC_SEQ_CST);
		__atomic_fetch_or(&link->word, FUTEX_WAITERS, __ATOMIC_SEQ_CST);
		share_wake(&link->word);
	}
}

/**
 * serve_raise - a call has raised a signal beside its error
 * @tid: number of the thread that makes it
 * @sig: the signal
 *
 * Return: whether that is a server, whose process gets it with the result
 */
bool serve_raise(int tid, int sig)
{
	struct server *s = server_by_tid(tid);

	if (s)
		s->raised = sig;
	return s;
}

/**
 * serve_signal - the library's kernel sends a signal about a file
 * @tid: number of the thread that it is for
 * @sig: the signal
 * @info: LKL_SIGINFO_SIZE bytes of what comes with it, or NULL
 *
 * Return: whether that is a server: then its process has the signal
 */
bool serve_signal(int tid, int sig, const void *info)
{
	struct server *s = server_by_tid(tid);
	siginfo_t all = { 0 };
	long err = -EINVAL;

	if (!s)
		return false;
	/*
	 * It could be a program with more rights by now, or another process.
	 * With a filter there is no looking.
	 */
	if (s->pid <= 0 || s->gone || numbers_is_sandboxed() ||
	    !cred_is_of_user(s->pid, s->user))
		return true;
	if (info)
		copy(&all, info, LKL_SIGINFO_SIZE);
	if (all.si_code >= POLL_IN && all.si_code <= POLL_HUP) {
		all.si_code = SI_SIGIO;
		err = own_call3(SYS_rt_sigqueueinfo, s->pid, sig, &all);
	}
	if (err)
		own_call3(SYS_kill, s->pid, sig, 0);
	return true;
}

/**
 * serve_interrupt - interrupt all servers that are to be
 * @used: is set to whether each process has servers
 *
 * Return: whether one has not left its call yet
 */
bool serve_interrupt(bool *used)
{
	bool more = false;
	unsigned int i;

	for (i = 0; i < servers_top; i++) {
		struct server *s = &servers[i];
		struct share_link *link;

		if (!__atomic_load_n(&s->runs, __ATOMIC_SEQ_CST))
			continue;
		used[s->process] = true;
		link = link_of(s);
		if (!s->gone &&
		    (!(__atomic_load_n(&link->word, __ATOMIC_SEQ_CST) &
		       FUTEX_WAITERS) ||
		     link->interrupt != link->number))
			continue;
		more = true;
		lkl_kernel_call(lkl_share_interrupt, &s->kernel);
	}
	return more;
}
