// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors: one number space for those of the host and of the library.
 *
 * A file of the library's kernel occupies a descriptor of the host, too, a
 * placeholder open on nothing (O_PATH), so that the host hands out, limits and
 * inherits numbers as always, and whoever uses one without us gets -EBADF.  A
 * table of words says whose a number is.
 *
 * Ours (RAM, devices, events) are out of the program's way at high numbers; it
 * cannot close them, as programs do that close all they do not know.
 *
 * The table is changed when a number is certainly ours to change: after the
 * host has given it to us, and before we give it back.  The child of a vfork()
 * uses the same table as its parent, but has descriptors of its own, so
 * whatever it does to them is left to the host alone.
 */
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lkl/asm/areas.h>

#include "internal.h"

uint32_t hijack_fds[FD_MAX];

/* How many descriptors the library opens, at most. */
#define OWN_MAX 128

/* What placeholders are made of. */
static int placeholder;
/* What fd_reserve() has found open. */
static bool was_open[512 + OWN_MAX];
/* Where our own descriptors begin. */
static int own_base;
/* Highest number with a word in the table. */
static int fd_top;
/* In a page that is empty after a fork(). */
static long *owner_pid;
static bool had_sockets;

static void set_word(int fd, uint32_t word)
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

static uint32_t take_word(long fd)
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

/**
 * fd_own - move a descriptor of ours out of the program's way
 * @fd: descriptor or a negative error number
 *
 * Return: its new number, or a negative error number
 */
long fd_own(long fd)
{
	long own;

	if (fd < 0)
		return fd;
	own = own_call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, own_base);
	/* The program may have lowered its limit since. */
	if (own < 0)
		own = fd;
	else
		host1(SYS_close, fd);
	if (own >= FD_MAX) {
		host1(SYS_close, own);
		own = -EMFILE;
	}
	if (own >= 0)
		set_word(own, FD_OWN);
	return own;
}

/**
 * fd_forget - close a descriptor of ours
 * @fd: what fd_own() returned
 */
void fd_forget(long fd)
{
	take_word(fd);
	host1(SYS_close, fd);
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
	long fd = own_call3(SYS_fcntl, placeholder,
			    cloexec ? F_DUPFD_CLOEXEC : F_DUPFD, 0);

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
	set_word(fd, FD_RESERVED);
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
		take_word(fd);
		host1(SYS_close, fd);
		return kfd;
	}
	set_word(fd, FD_LKL | kfd);
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
	if (fd < 0)
		lkl1(SYS_close, kfd);
	else
		set_word(fd, FD_LKL | kfd);
	return fd;
}

/**
 * fd_set_word - say what a number that the host has handed out stands for
 */
void fd_set_word(long fd, uint32_t word)
{
	set_word(fd, word);
}

/**
 * fd_decide - a socket that was of both sides is of one
 * @fd: the descriptor
 * @host: it is the host's
 */
void fd_decide(long fd, bool host)
{
	uint32_t word = fd_word(fd);
	long flags;

	if (host) {
		put_word(take_word(fd));
		return;
	}
	set_word(fd, word & ~FD_OPEN);
	flags = own_call3(SYS_fcntl, fd, F_GETFD, 0);
	host3(SYS_dup3, placeholder, fd, flags & FD_CLOEXEC ? O_CLOEXEC : 0);
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
	put_word(take_word(a[0]));
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
			put_word(take_word(fd));
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
			put_word(take_word(fd));
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
			set_word(fd, change(fd_word(fd)));
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
	set_word(fd, copy);
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
	gone = take_word(new);
	if (copy)
		set_word(new, copy);
	put_word(gone);
	return ret;
}

long fd_dup2(long nr, const long *a)
{
	/* dup3() minds that they are the same. */
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
	long arg = a[2];

	if (likely(!word))
		return host3(nr, a[0], a[1], a[2]);
	if (word & FD_OWN)
		return -EBADF;
	switch (a[1]) {
	case F_GETFD:
	case F_SETFD:
		return host3(nr, a[0], a[1], a[2]);
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if (hijack_in_vfork())
			return host3(nr, a[0], a[1], a[2]);
		return finish_dup(host3(nr, a[0], a[1], a[2]), word);
	case F_SETOWN:
		/* The program is process 1 of the library's kernel. */
		if (labs((int)arg) == *owner_pid)
			arg = 1;
		break;
	case F_SETFL:
		if (word & FD_OPEN)
			host3(nr, a[0], a[1], a[2]);
		break;
	}
	if (!(word & FD_LKL))
		return host3(nr, a[0], a[1], a[2]);
	return lkl3(nr, fd_number(word), a[1], arg);
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

	for (fd = 0; fd <= fd_top; fd++)
		if (fd_word(fd) == FD_RESERVED)
			fd_forget(fd);
}

/**
 * fd_init - find out where descriptors of ours are
 *
 * Return: 0 or a negative error number
 */
int fd_init(void)
{
	struct rlimit limit;

	if (!owner_pid) {
		owner_pid = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (owner_pid == MAP_FAILED ||
		    madvise(owner_pid, 4096, MADV_WIPEONFORK))
			return -errno;
	}
	*owner_pid = getpid();
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	own_base = limit.rlim_cur < 1024 ? limit.rlim_cur / 2 : 512;
	if (!placeholder)
		placeholder = fd_own(host2(SYS_open, "/", O_PATH | O_CLOEXEC));
	return placeholder < 0 ? placeholder : 0;
}

/**
 * fd_reserve - have all descriptors that are opened from here on be high ones
 *
 * Until fd_own_opened() the low ones are taken.
 *
 * Return: 0 or a negative error number
 */
int fd_reserve(void)
{
	int fd, err = fd_init();

	if (err)
		return err;
	for (fd = 0; fd < own_base + OWN_MAX; fd++)
		was_open[fd] = !(fcntl(fd, F_GETFD) < 0);
	for (fd = 0; fd < own_base; fd++)
		if (!was_open[fd])
			own_call3(SYS_fcntl, placeholder, F_DUPFD_CLOEXEC, fd);
	return 0;
}

/**
 * fd_own_opened - what has been opened since fd_reserve() is ours
 */
void fd_own_opened(void)
{
	int fd;

	for (fd = 0; fd < own_base + OWN_MAX; fd++) {
		if (was_open[fd])
			continue;
		if (fd < own_base)
			host1(SYS_close, fd);
		else if (!(own_call3(SYS_fcntl, fd, F_GETFD, 0) < 0))
			set_word(fd, FD_OWN);
	}
}

/**
 * fd_disown - what was ours has been closed by the library
 */
void fd_disown(void)
{
	int fd;

	for (fd = own_base; fd < own_base + OWN_MAX; fd++)
		if (fd_word(fd) & FD_OWN &&
		    own_call3(SYS_fcntl, fd, F_GETFD, 0) < 0)
			take_word(fd);
}

/**
 * fd_close_own - in a forked child: close our descriptors
 * @is_mine: whether one is not to be
 */
void fd_close_own(bool (*is_mine)(long fd))
{
	int fd;

	for (fd = 0; fd <= fd_top; fd++)
		if (fd_word(fd) & FD_OWN && fd != placeholder && !is_mine(fd))
			fd_forget(fd);
}
