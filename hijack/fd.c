// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors: one number space for those of the host and of the library.
 *
 * A file of the library's kernel occupies a descriptor of the host, too, a
 * placeholder, so that the host hands out, limits and inherits numbers as
 * always.  A table of words says which kernel a number belongs to (table.c).
 *
 * A placeholder is a socket of the host that is connected to nothing: it leads
 * to no file; to read or write it past the interception is an error. Each
 * file has one of its own, whose inode number the library's socket takes over.
 * So /proc/PID/fd, kcmp() and F_DUPFD_QUERY are the host's to answer, for other
 * processes, too, and tell the same as the library's /proc/net/tcp.
 *
 * Ours (RAM, devices, events) are above the program's limit, which is raised
 * while they are opened: so they neither take numbers of the program's nor
 * count among what it may have.  It cannot close them, as programs do that
 * close all they do not know.
 */
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <lkl/asm/program.h>

#include "internal.h"

/* Newer than the C library. */
#ifndef F_DUPFD_QUERY
#define F_DUPFD_QUERY (F_LINUX_SPECIFIC_BASE + 3)
#endif
#ifndef F_LINUX_SPECIFIC_BASE
#define F_LINUX_SPECIFIC_BASE 1024
#endif

/* A reference to what a word stands for has gone. */
static void put_word(uint32_t word)
{
	if (word & FD_LKL)
		lkl1(SYS_close, fd_number(word));
	else if (word & FD_EPOLL)
		wait_epoll_put(word);
}

/* The library's socket has the inode number of the host's. */
static void name_socket(long fd, long kfd)
{
	struct lkl_program_inode inode = { .fd = kfd };
	struct stat st;

	if (numbers_is_sandboxed() || own_call3(SYS_fstat, fd, &st, 0))
		return;
	inode.ino = st.st_ino;
	if (lkl_kernel_call(lkl_program_set_inode, &inode) == -ENOSYS &&
	    !lkl_kernel_boots())
		share_name_socket(kfd, fd);
}

/**
 * fd_reserve_number - take a number for a descriptor of the library's
 * @cloexec: it is closed on exec
 *
 * To be followed by fd_fill().
 *
 * Return: the number or a negative error number
 */
long fd_reserve_number(bool cloexec)
{
	long fd = numbers_placeholder(cloexec);

	if (fd < FD_MAX)
		return fd;
	host1(SYS_close, fd);
	return -EMFILE;
}

/**
 * fd_hold - nobody shall find a reserved number before fd_fill()
 * @fd: what fd_reserve_number() returned
 */
void fd_hold(long fd)
{
	fd_set_word(fd, FD_RESERVED);
}

/**
 * fd_fill - say what a reserved number stands for
 * @fd: what fd_reserve_number() returned
 * @kfd: number in the library's kernel, or a negative error number
 *
 * Return: the number, or @kfd's error number, and @fd is free then
 */
long fd_fill(long fd, long kfd)
{
	if (kfd < 0) {
		fd_take_word(fd);
		host1(SYS_close, fd);
		return kfd;
	}
	name_socket(fd, kfd);
	fd_set_word(fd, FD_LKL | kfd);
	return fd;
}

/**
 * fd_install - give the program a descriptor for one of the library's kernel
 * @kfd: number in the library's kernel, which is closed on failure; or a
 *	negative error number, which is returned
 * @cloexec: it is closed on exec
 *
 * Return: the program's number, or a negative error number
 */
long fd_install(long kfd, bool cloexec)
{
	long fd;

	if (kfd < 0)
		return kfd;
	fd = fd_reserve_number(cloexec);
	if (fd < 0) {
		lkl1(SYS_close, kfd);
		return fd;
	}
	return fd_fill(fd, kfd);
}

/**
 * fd_decide - a socket that was of both sides is of one
 * @fd: the descriptor
 * @host: it is the host's
 */
void fd_decide(long fd, bool host)
{
	uint32_t word = fd_word(fd);
	long flags, own;

	if (host) {
		fd_take_word(fd);
		/* A thread that waits for it looks at the word again. */
		lkl2(SYS_shutdown, fd_number(word), SHUT_RDWR);
		put_word(word);
		return;
	}
	fd_set_word(fd, word & ~FD_OPEN);
	flags = own_call3(SYS_fcntl, fd, F_GETFD, 0);
	own = numbers_placeholder(true);
	own_call3(SYS_dup3, own < 0 ? numbers_shared() : own, fd,
		  flags & FD_CLOEXEC ? O_CLOEXEC : 0);
	if (own >= 0) {
		own_call3(SYS_close, own, 0, 0);
		name_socket(fd, fd_number(word));
	}
}

long fd_close(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);

	if (likely(!word) || hijack_in_vfork())
		return host1(nr, a[0]);
	if (word & FD_OWN)
		return -EBADF;
	/* Of several threads that close it, one does. */
	put_word(fd_take_word(a[0]));
	return host1(nr, a[0]);
}

long fd_close_range(long nr, const long *a)
{
	unsigned int first = a[0], last = a[1], flags = a[2], fd, from;
	unsigned int top = fd_last();
	long ret;

	if (flags & CLOSE_RANGE_CLOEXEC || first > last || hijack_in_vfork())
		return host_call(nr, a);
	for (fd = from = first; fd <= last && fd <= top; fd++) {
		uint32_t word = fd_word(fd);

		if (!word)
			continue;
		if (word & FD_OWN) {
			if (from < fd) {
				ret = host3(nr, from, fd - 1, flags);
				if (ret)
					return ret;
			}
			from = fd + 1;
		} else {
			put_word(fd_take_word(fd));
		}
	}
	return from <= last ? host3(nr, from, last, flags) : 0;
}

/**
 * fd_close_all - close all that is the library's: the process ends
 */
void fd_close_all(void)
{
	int fd, top = fd_last();

	for (fd = 0; fd <= top; fd++)
		if (fd_is_lkl(fd))
			put_word(fd_take_word(fd));
}

/* A second reference to what a word stands for, or a negative error number. */
static long get_word(uint32_t word)
{
	long kfd;

	if (word & FD_EPOLL) {
		wait_epoll_get(word);
		return word;
	}
	/* A forked child that could not be served has but the placeholder. */
	if (!lkl_kernel_boots() && share_process() < 0)
		return word;
	kfd = lkl3(SYS_fcntl, fd_number(word), F_DUPFD_CLOEXEC, 0);
	return kfd < 0 ? kfd
		       : (long)(FD_LKL | (word & (FD_OPEN | FD_ROUTE)) | kfd);
}

/* The host has made @fd from one with @word, or failed to. */
static long finish_dup(long fd, uint32_t word)
{
	long copy;

	if (fd < 0)
		return fd;
	if (fd >= FD_MAX) {
		host1(SYS_close, fd);
		return -EMFILE;
	}
	copy = get_word(word);
	if (copy < 0) {
		host1(SYS_close, fd);
		return copy;
	}
	fd_set_word(fd, copy);
	return fd;
}

long fd_dup(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);

	if (likely(!word) || hijack_in_vfork())
		return host1(nr, a[0]);
	if (word & FD_OWN)
		return -EBADF;
	return finish_dup(host1(nr, a[0]), word);
}

static long dup_to(long old, long new, int flags)
{
	uint32_t word = fd_word(old), gone = fd_word(new);
	long copy = 0, ret;

	if ((!word && !gone) || hijack_in_vfork())
		return host3(SYS_dup3, old, new, flags);
	if ((word | gone) & FD_OWN)
		return !(word & FD_OWN) && gone == FD_RESERVED ? -EBUSY
							       : -EBADF;
	if (word) {
		if ((unsigned long)new >= FD_MAX)
			return -EBADF;
		copy = get_word(word);
		if (copy < 0)
			return copy;
	}
	ret = host3(SYS_dup3, old, new, flags);
	if (ret < 0) {
		put_word(copy);
		return ret;
	}
	gone = fd_take_word(new);
	if (copy)
		fd_set_word(new, copy);
	put_word(gone);
	return ret;
}

long fd_dup2(long nr, const long *a)
{
	/* dup3() refuses the same number twice. */
	if ((int)a[0] == (int)a[1])
		return host2(nr, a[0], a[1]);
	return dup_to((int)a[0], (int)a[1], 0);
}

long fd_dup3(long nr, const long *a)
{
	if ((int)a[0] == (int)a[1] || a[2] & ~O_CLOEXEC)
		return host_call(nr, a);
	return dup_to((int)a[0], (int)a[1], a[2]);
}

long fd_fcntl(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);

	if (likely(!word))
		return host3(nr, a[0], a[1], a[2]);
	if (word & FD_OWN)
		return -EBADF;
	switch (a[1]) {
	case F_GETFD:
	case F_SETFD:
	/* Both placeholders are the same exactly if the files are. */
	case F_DUPFD_QUERY:
		return host3(nr, a[0], a[1], a[2]);
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if (hijack_in_vfork())
			return host3(nr, a[0], a[1], a[2]);
		return finish_dup(host3(nr, a[0], a[1], a[2]), word);
	case F_SETOWN:
	case F_GETOWN:
	case F_SETOWN_EX:
	case F_GETOWN_EX:
	case F_SETSIG:
		if (word & FD_LKL)
			return async_owner(fd_number(word), a[1], a[2]);
		break;
	case F_SETFL:
		if (word & FD_LKL && a[2] & O_ASYNC)
			async_arm(fd_number(word), a[0]);
		if (word & FD_OPEN)
			host3(nr, a[0], a[1], a[2]);
		break;
	}
	if (!(word & FD_LKL))
		return host3(nr, a[0], a[1], a[2]);
	return lkl3(nr, fd_number(word), a[1], a[2]);
}

/**
 * fd_forked - in a forked child: what calls of the parent's would have filled
 */
void fd_forked(void)
{
	int fd;

	numbers_forked();
	for (fd = 0; fd <= fd_last(); fd++)
		if (fd_word(fd) == FD_RESERVED)
			fd_forget(fd);
}

/**
 * fd_close_own - in a forked child: close our descriptors
 * @is_mine: whether one is not to be
 */
void fd_close_own(bool (*is_mine)(long fd))
{
	int fd;

	for (fd = 0; fd <= fd_last(); fd++)
		if (fd_word(fd) & FD_OWN && fd != numbers_shared() &&
		    !is_mine(fd))
			fd_forget(fd);
}
