// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors: one number space for those of the host and of the library.
 *
 * A file of the library's kernel occupies a descriptor of the host, too, a
 * placeholder, so that the host hands out, limits and inherits numbers as
 * always.  A table of words says which kernel a number belongs to.
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
 *
 * The table is changed when a number is certainly ours to change: after the
 * host has given it to us, and before we give it back.  The child of a vfork()
 * uses the same table as its parent, but has descriptors of its own, so
 * whatever it does to them is left to the host alone.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lkl/asm/areas.h>
#include <lkl/asm/program.h>

#include "internal.h"
#include "user.h"

/* Newer than the C library. */
#ifndef F_DUPFD_QUERY
#define F_DUPFD_QUERY (F_LINUX_SPECIFIC_BASE + 3)
#endif
#ifndef F_LINUX_SPECIFIC_BASE
#define F_LINUX_SPECIFIC_BASE 1024
#endif

uint32_t hijack_fds[FD_MAX];

/* Highest number with a word in the table. */
static int fd_top;
/* In a page that is empty after a fork(). */
static long *owner_pid;
static bool had_sockets;

/**
 * fd_set_word - say what a number that the host has handed out stands for
 */
void fd_set_word(long fd, uint32_t word)
{
	int top = __atomic_load_n(&fd_top, __ATOMIC_RELAXED);

	while (fd > top &&
	       !__atomic_compare_exchange_n(&fd_top, &top, fd, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	__atomic_store_n(&hijack_fds[fd], word, __ATOMIC_RELEASE);
}

/**
 * fd_expect_socket - the program is about to make its first socket, perhaps
 */
void fd_expect_socket(void)
{
	if (unlikely(!had_sockets))
		__atomic_store_n(&had_sockets, true, __ATOMIC_SEQ_CST);
}

bool hijack_has_sockets(void)
{
	int fd, top = __atomic_load_n(&fd_top, __ATOMIC_RELAXED);

	if (__atomic_load_n(&had_sockets, __ATOMIC_SEQ_CST))
		return true;
	for (fd = 0; fd <= top; fd++)
		if (fd_is_lkl(fd))
			return true;
	return false;
}

/**
 * fd_take_word - a number stands for nothing from here on
 *
 * Return: what it stood for
 */
uint32_t fd_take_word(long fd)
{
	unsigned int n = fd;

	return n < FD_MAX ? __atomic_exchange_n(&hijack_fds[n], 0,
						__ATOMIC_ACQ_REL)
			  : 0;
}

bool hijack_in_vfork(void)
{
	long pid = host0(SYS_getpid);

	/* A forked child has a table of its own, and is first to ask here. */
	if (!*owner_pid)
		*owner_pid = pid;
	return *owner_pid != pid;
}

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

/*
 * A call of the library's has returned -EPIPE.  The signal that comes with it
 * is for us to send: of the network's protocols those of connections have it,
 * and it is of the calls that write, unless they are told not to.
 */
void fd_broken_pipe(long nr, const long *a, long kfd)
{
	int type = 0, size = sizeof(type);

	switch (nr) {
	case SYS_write:
	case SYS_writev:
	case SYS_pwritev2:
	case SYS_sendfile:
	case SYS_splice:
		break;
	case SYS_sendto:
	case SYS_sendmmsg:
		if (a[3] & MSG_NOSIGNAL)
			return;
		break;
	case SYS_sendmsg:
		if (a[2] & MSG_NOSIGNAL)
			return;
		break;
	default:
		return;
	}
	if (!lkl6(SYS_getsockopt, kfd, SOL_SOCKET, SO_TYPE, (long)&type,
		  (long)&size, 0) &&
	    (type == SOCK_STREAM || type == SOCK_SEQPACKET))
		host3(SYS_tgkill, host0(SYS_getpid), host0(SYS_gettid),
		      SIGPIPE);
}

/**
 * fd_call - make a call whose first argument is a descriptor
 */
long fd_call(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);

	long ret;

	if (likely(!(word & (FD_LKL | FD_OWN))))
		return host_call(nr, a);
	if (word & FD_OWN)
		return -EBADF;
	ret = lkl6(nr, fd_number(word), a[1], a[2], a[3], a[4], a[5]);
	if (unlikely(word & FD_OPEN && !fd_word(a[0])))
		return host_call(nr, a);
	if (unlikely(ret == -EPIPE))
		fd_broken_pipe(nr, a, fd_number(word));
	return ret;
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
	unsigned int top = __atomic_load_n(&fd_top, __ATOMIC_RELAXED);
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
	int fd, top = __atomic_load_n(&fd_top, __ATOMIC_RELAXED);

	for (fd = 0; fd <= top; fd++)
		if (fd_is_lkl(fd))
			put_word(fd_take_word(fd));
}

/**
 * fd_change_epolls - in a forked child: replace words
 * @change: makes a new word from that of an epoll
 */
void fd_change_epolls(uint32_t (*change)(uint32_t word))
{
	int fd;

	for (fd = 0; fd <= fd_top; fd++)
		if (fd_word(fd) & FD_EPOLL)
			fd_set_word(fd, change(fd_word(fd)));
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
	return kfd < 0 ? kfd : (long)(FD_LKL | (word & FD_OPEN) | kfd);
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
		if (word & FD_LKL && lkl_kernel_boots())
			return async_owner(fd_number(word), a[1], a[2]);
		break;
	case F_SETFL:
		if (word & FD_OPEN)
			host3(nr, a[0], a[1], a[2]);
		break;
	}
	if (!(word & FD_LKL))
		return host3(nr, a[0], a[1], a[2]);
	return lkl3(nr, fd_number(word), a[1], a[2]);
}

/*
 * mmap(), perhaps of a file of the library's: a ring of packets, say.  Programs
 * that choose addresses at random, as V8 does, do not get the library's.
 */
long fd_mmap(long nr, const long *a)
{
	uint32_t word = a[3] & LKL_MAP_ANONYMOUS ? 0 : fd_word(a[4]);
	unsigned long at = a[0];

	if (unlikely(word & FD_LKL))
		return lkl6(nr, a[0], a[1], a[2], a[3], fd_number(word), a[5]);
	if (likely(at >= LKL_AREA_END || at + a[1] <= LKL_AREA_START))
		return host_call(nr, a);
	if (a[3] & LKL_MAP_FIXED_NOREPLACE)
		return -EEXIST;
	if (a[3] & LKL_MAP_FIXED)
		return -ENOMEM;
	return host6(nr, 0, a[1], a[2], a[3], a[4], a[5]);
}

/* munmap(), mprotect() and so on, of what fd_mmap() returned. */
long fd_memory(long nr, const long *a)
{
	if (likely((unsigned long)a[0] - LKL_AREA_MMAP >= LKL_AREA_MMAP_SIZE))
		return host_call(nr, a);
	return lkl6(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/**
 * fd_next - look for descriptors of the library's
 * @fd: where to begin
 *
 * Return: the next one, or -1
 */
int fd_next(int fd)
{
	int top = __atomic_load_n(&fd_top, __ATOMIC_RELAXED);

	for (; fd <= top; fd++)
		if (fd_is_lkl(fd))
			return fd;
	return -1;
}

/**
 * fd_owner_pid - the process that the table of descriptors is of
 */
int fd_owner_pid(void)
{
	return *owner_pid;
}

/**
 * fd_last - the highest number in the table
 */
int fd_last(void)
{
	return __atomic_load_n(&fd_top, __ATOMIC_RELAXED);
}

/**
 * fd_next_open - look for sockets that are still of both sides
 * @fd: where to begin
 *
 * Return: the next one, or -1
 */
int fd_next_open(int fd)
{
	for (; fd <= fd_top; fd++)
		if ((fd_word(fd) & (FD_LKL | FD_OPEN)) == (FD_LKL | FD_OPEN))
			return fd;
	return -1;
}

/**
 * fd_forked - in a forked child: what calls of the parent's would have filled
 */
void fd_forked(void)
{
	int fd;

	numbers_forked();
	for (fd = 0; fd <= fd_top; fd++)
		if (fd_word(fd) == FD_RESERVED)
			fd_forget(fd);
}

/**
 * fd_init - find out which process this is, and where the library's descriptors
 * are
 *
 * Return: 0 or a negative error number
 */
int fd_init(void)
{
	if (!owner_pid) {
		owner_pid = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (owner_pid == MAP_FAILED ||
		    madvise(owner_pid, 4096, MADV_WIPEONFORK))
			return -errno;
	}
	*owner_pid = getpid();
	return numbers_init();
}

/**
 * fd_close_own - in a forked child: close our descriptors
 * @is_mine: whether one is not to be
 */
void fd_close_own(bool (*is_mine)(long fd))
{
	int fd;

	for (fd = 0; fd <= fd_top; fd++)
		if (fd_word(fd) & FD_OWN && fd != numbers_shared() &&
		    !is_mine(fd))
			fd_forget(fd);
}
