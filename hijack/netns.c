// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network namespaces: those of the library's kernel are the program's, all
 * other kinds are the host's.  None of the host's network is entered.
 *
 * A namespace is a thread's, as on any Linux.  In the process that has the
 * kernel, a thread's calls are made by a task of its own, which begins in the
 * kernel's first namespace: a thread of one that is elsewhere takes a reference
 * along, and goes there with its first call.  In another process, a thread's
 * calls are made by a thread of the owner's (serve.c), and the owner knows
 * where new ones of that process begin.  A thread that is elsewhere has the
 * link of a new one opened before that runs, and says from which it is.
 *
 * A process that is made begins where the thread is that makes it, or in a new
 * namespace, which is made before the process: so the call fails in the parent.
 */
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/vfs.h>

#include <lkl/asm/netns.h>

#include "child.h"

/* Newer than the C library. */
#ifndef PID_FS_MAGIC
#define PID_FS_MAGIC 0x50494446
#endif

/**
 * netns_set_away - the program may be in another namespace than the kernel's
 * first
 */
void netns_set_away(void)
{
	__atomic_store_n(&hijack_away, true, __ATOMIC_RELAXED);
	/* The kernel stays. */
	fd_expect_socket();
}

/* The thread is in another namespace now; other threads remain. */
static void moved(void)
{
	struct hijack_thread *t = hijack_thread();

	netns_set_away();
	t->elsewhere = true;
	if (share_process() >= 0 && own_is_single())
		t->elsewhere =
			share_call(SHARE_NETNS, (long[6]){ SHARE_FOLLOW }) < 0;
}

long netns_unshare(long nr, const long *a)
{
	long rest = a[0] & ~(long)CLONE_NEWNET, before = -1, ret;

	if (!(a[0] & (CLONE_NEWNET | CLONE_NEWUSER)))
		return host_call(nr, a);
	/* Its parent's thread would go along. */
	if (hijack_in_vfork())
		return a[0] & CLONE_NEWNET ? -EPERM : host_call(nr, a);
	if (a[0] & CLONE_NEWNET || lkl_kernel_boots())
		hijack_apart();
	if (!(a[0] & CLONE_NEWNET))
		return host_call(nr, a);
	fd_expect_socket();
	if (rest) {
		before = lkl_any(SYS_openat, LKL_AT_FDCWD,
				 (long)"/proc/thread-self/ns/net",
				 LKL_O_RDONLY | LKL_O_CLOEXEC, 0, 0);
		if (before < 0)
			return before;
	}
	ret = lkl_any(nr, CLONE_NEWNET, 0, 0, 0, 0);
	/* Both or none. */
	if (!ret && rest) {
		ret = host1(nr, rest);
		if (ret)
			lkl2(SYS_setns, before, CLONE_NEWNET);
	}
	if (before >= 0)
		lkl1(SYS_close, before);
	if (!ret)
		moved();
	return ret;
}

/* A descriptor of the host's is no namespace of the library's. */
static long enter_host(long nr, const long *a)
{
	struct statfs fs;
	long type = 0, err = host2(SYS_fstatfs, a[0], &fs);

	if (!err && fs.f_type == NSFS_MAGIC)
		type = host3(SYS_ioctl, a[0], NS_GET_NSTYPE, 0);
	if (!(a[1] & CLONE_NEWNET) && type != CLONE_NEWNET)
		return host_call(nr, a);
	if (err)
		return err;
	/* Those of a process. */
	if (fs.f_type == PID_FS_MAGIC)
		return -EPERM;
	return type == CLONE_NEWNET && (!a[1] || a[1] == type) ? -EPERM
							       : -EINVAL;
}

long netns_setns(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);
	long ret;

	if (word & FD_OWN)
		return -EBADF;
	if (!(word & FD_LKL))
		return enter_host(nr, a);
	if (hijack_in_vfork())
		return -EPERM;
	ret = lkl2(nr, fd_number(word), a[1]);
	if (!ret)
		moved();
	return ret;
}

/**
 * netns_open - open the network namespace of a process
 * @pid: the process, as the host says
 *
 * Return: number in the library's kernel; -ESRCH if that does not know it
 */
long netns_open(long pid)
{
	long ret;

	if (__atomic_load_n(&hijack_state, __ATOMIC_ACQUIRE) != HIJACK_UP)
		return -ESRCH;
	if (lkl_kernel_boots())
		return serve_open_netns(pid);
	ret = pid == host0(SYS_getpid)
		      ? lkl_any(SYS_openat, LKL_AT_FDCWD,
				(long)"/proc/thread-self/ns/net",
				LKL_O_RDONLY | LKL_O_CLOEXEC, 0, 0)
		      : share_call(SHARE_NETNS, (long[6]){ SHARE_OTHER, pid });
	return ret;
}

/*
 * Processes
 */

long hijack_fork_netns(void)
{
	struct hijack_thread *t = hijack_thread();
	long ret;

	fd_expect_socket();
	ret = netns_begin() ?: hijack_need();
	if (ret)
		return ret;
	ret = lkl_kernel_call(lkl_netns_new, NULL);
	if (ret == -ENOSYS && !lkl_kernel_boots()) {
		ret = share_call(SHARE_NETNS, (long[6]){ SHARE_NEW });
		t->fork_new = !ret;
	} else if (ret > 0) {
		t->fork_netns = (void *)ret;
		t->fork_new = true;
		share_prepare();
		ret = 0;
	}
	return ret;
}

/*
 * Threads
 */

static struct hijack_thread *thread_at(void *thread_pointer)
{
	char *own = (char *)hijack_thread();

	own += (char *)thread_pointer - (char *)__builtin_thread_pointer();
	return (void *)own;
}

long hijack_netns_pass(struct hijack_netns *n)
{
	struct hijack_thread *t = hijack_thread(), new = { 0 };
	long ret = netns_begin();

	*n = (struct hijack_netns){ 0 };
	if (likely(!t->elsewhere) || ret)
		return ret;
	ret = lkl_kernel_call(lkl_netns_get, NULL);
	if (ret > 0) {
		n->ns = (void *)ret;
		return 0;
	}
	if (ret != -ENOSYS || lkl_kernel_boots() || share_process() < 0)
		return -EAGAIN;
	if (child_open_link(&new, t->link))
		return -EAGAIN;
	n->link = new.link;
	n->eventfd = new.eventfd;
	return 0;
}

void hijack_netns_inherit(void *thread_pointer, const struct hijack_netns *n)
{
	struct hijack_thread *t = thread_at(thread_pointer);

	t->elsewhere = n->ns || n->link;
	t->netns = n->ns;
	t->begins = n->ns;
	t->link = n->link;
	t->eventfd = n->eventfd;
}

void hijack_netns_drop(const struct hijack_netns *n)
{
	struct hijack_thread t = { .link = n->link, .eventfd = n->eventfd };

	if (n->ns)
		lkl_kernel_call(lkl_netns_put, n->ns);
	if (n->link)
		child_close_link(&t);
	if (n->eventfd)
		fd_forget(n->eventfd - 1);
}

/**
 * netns_begin - go where the thread is to begin, if it has not yet
 *
 * Return: 0 or a negative error number
 */
long netns_begin(void)
{
	struct hijack_thread *t = hijack_thread();
	long ret;

	if (likely(!t->begins))
		return 0;
	t->begins = false;
	ret = lkl_kernel_call(lkl_netns_use, t->netns);
	/* Without a kernel all its calls fail. */
	if (ret == -ENOSYS)
		ret = 0;
	t->begins = ret;
	return ret;
}

/**
 * netns_thread_exit - the thread ends
 */
void netns_thread_exit(void)
{
	struct hijack_thread *t = hijack_thread();

	if (unlikely(t->begins))
		lkl_kernel_call(lkl_netns_put, t->netns);
	t->begins = false;
}
