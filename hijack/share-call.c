// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of the library in a process that has no kernel: another makes them
 * (child.c).
 */
#include <linux/futex.h>

#include "child.h"

/* There is no network any more, or there has never been: say so, once. */
static long lost(void)
{
	const char *what =
		child_number < 0
			? "a forked process has no network: "
			: "the process that has the network has ended: ";
	static int said;

	if (!__atomic_exchange_n(&said, 1, __ATOMIC_RELAXED))
		hijack_say(what, "ENETDOWN; see lkl-hijack(1)");
	return -ENETDOWN;
}

/* No link, or no server. */
static bool is_lost(struct hijack_thread *t, long ret)
{
	return ret == -ENETDOWN &&
	       (!t->link || t->link->word & FUTEX_OWNER_DIED);
}

/* As share_call(); @gone is set to whether there is nobody to make it. */
long child_try(long nr, const long *a, bool *gone)
{
	struct hijack_thread *t = hijack_thread();
	long ret;

	*gone = false;
	switch (nr) {
	case SYS_munmap:
	case SYS_mprotect:
	case SYS_mremap:
	case SYS_msync:
	case SYS_madvise:
		/* Of what the parent had mapped. */
		return host_call(nr, a);
	case SYS_mmap:
		/* As for a socket that has nothing to map. */
		return -ENODEV;
	}
	ret = child_enter(t);
	if (!ret)
		ret = child_done(t, child_call(t->link, nr, a));
	*gone = is_lost(t, ret);
	return ret;
}

/**
 * share_call - make a call of the library in a process that has no kernel
 * @nr: number
 * @a: arguments
 *
 * Return: as lkl_syscall(); -ENETDOWN when there is nobody to make it
 */
long share_call(long nr, const long *a)
{
	bool gone;
	long ret = child_try(nr, a, &gone);

	if (likely(!gone))
		return ret;
	/* Nothing is lost with what is closed. */
	if (nr == SYS_close)
		return 0;
	return lost();
}

/**
 * share_watch - watch files as lkl_kernel_call() would
 * @fn: lkl_watch_start, lkl_watch_always, lkl_watch_once or lkl_watch_stop
 * @watch: the thread's, or that of an epoll in the area
 *
 * Return: as @fn
 */
long share_watch(long (*fn)(void *), struct lkl_watch *watch)
{
	struct hijack_thread *t = hijack_thread();
	size_t size = watch->count * sizeof(*watch->files);
	long what = fn == lkl_watch_stop ? SHARE_STOP : SHARE_START;
	struct epoll *e = (void *)watch;
	struct share_link *link;
	long ret;

	if ((unsigned long)watch - (unsigned long)share < sizeof(*share))
		return share_call(
			SHARE_EPOLL,
			(long[6]){ what, e - share->epoll, e->file.fd,
				   fn == lkl_watch_once ? e->file.events : 0 });
	if (size > SHARE_DATA)
		return -ENOMEM;
	ret = child_enter(t);
	if (ret)
		return is_lost(t, ret) ? lost() : ret;
	link = t->link;
	copy(data_of(link), watch->files, size);
	ret = child_done(t, child_transact(link, SHARE_WATCH,
					   (long[6]){ what, watch->count }));
	if (is_lost(t, ret))
		return lost();
	copy(watch->files, data_of(link), size);
	return ret;
}

/**
 * share_give_bell - have the owner know an epoll's eventfd
 * @index: number of the epoll in the area
 *
 * It forgets it when it stops watching the epoll.
 *
 * Return: 0 or a negative error number
 */
long share_give_bell(int index)
{
	struct epoll *e = &share->epoll[index];

	if (share_send(child_control, SHARE_BELL, index, e->event) ||
	    !child_await(&e->bell, -1))
		return lost();
	return e->bell ? 0 : -EMFILE;
}

/**
 * share_async - F_SETOWN and its kind, for a file of the library's
 * @kfd: its number there
 * @cmd: what fcntl() is to do; F_SETFL: signals name descriptor @arg;
 *	F_SETOWN_EX: the owner is thread @arg of this process
 * @arg: its argument; with F_SETOWN the owner is this process, 1, none, 0, or
 *	group -@arg
 *
 * Return: as fcntl(), with a negative error number; F_GETOWN_EX: the owner's
 *	kind in the upper half, and its number or SHARE_ME
 */
long share_async(long kfd, long cmd, long arg)
{
	return share_call(SHARE_ASYNC, (long[6]){ kfd, cmd, arg });
}

/**
 * share_name_socket - give a socket the number of the host's inode
 * @kfd: its number in the library's kernel
 * @fd: the descriptor of the host, by which the owner learns the inode
 */
void share_name_socket(long kfd, long fd)
{
	share_call(SHARE_INODE, (long[6]){ kfd, fd });
}
