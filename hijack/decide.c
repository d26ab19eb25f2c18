// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets that are of both sides, and how they become one side's.
 *
 * Where there are rules, a socket exists on both sides under one number until
 * an address is known.  Then all descriptors of it become the host's or the
 * library's: duplicates, too, which are known by the inode of the host's
 * socket. Where it is in an epoll's set it moves to the host's along with its
 * events. That is done after the call that decides, as an epoll tells of a
 * socket that is not connected.  Threads that wait for the library's socket are
 * woken, and find that it is the host's now.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "internal.h"

/* So many entries wait for the call.  What is more does not. */
#define ENTRIES 32

static unsigned long inode_of(long fd)
{
	struct stat st;

	return own_call3(SYS_fstat, fd, &st, 0) ? 0 : st.st_ino;
}

/* One more descriptor of the library's socket @fd. */
static void join(long fd, long other)
{
	long flags = own_call3(SYS_fcntl, other, F_GETFD, 0);

	fd_set_word(other, fd_word(other) & ~FD_OPEN);
	own_call3(SYS_dup3, fd, other, flags & FD_CLOEXEC ? SOCK_CLOEXEC : 0);
}

/* The host's socket @fd; returns how many entries there are now. */
static unsigned int move(long fd, struct epoll_entry *entries, unsigned int n)
{
	n += wait_epoll_withdraw(fd, entries + n, ENTRIES - n);
	fd_decide(fd, true);
	return n;
}

static unsigned int decide(long fd, bool host, struct epoll_entry *entries)
{
	unsigned long inode = inode_of(fd);
	unsigned int n = 0;
	int other;

	if (host)
		n = move(fd, entries, n);
	else
		fd_decide(fd, false);
	for (other = fd_next_open(0); inode && other >= 0;
	     other = fd_next_open(other + 1)) {
		if (inode_of(other) != inode)
			continue;
		if (host)
			n = move(other, entries, n);
		else
			join(fd, other);
	}
	return n;
}

static void enter(const struct epoll_entry *entries, unsigned int n)
{
	while (n--)
		wait_epoll_enter(entries++);
}

/**
 * decide_side - a socket that was of both sides is of one
 * @fd: the descriptor
 * @host: it is the host's
 */
void decide_side(long fd, bool host)
{
	struct epoll_entry entries[ENTRIES];

	enter(entries, decide(fd, host, entries));
}

/* What the rules say, unless a process that has the socket, too, has decided.
 */
static bool is_hosts(long fd, long kfd, enum policy_way way, const void *addr,
		     unsigned long len)
{
	int type = 0, size = sizeof(type), none = 0;

	if (!host3(SYS_getpeername, fd, &none, &none))
		return true;
	if (!lkl3(SYS_getpeername, kfd, &none, &none))
		return false;
	lkl6(SYS_getsockopt, kfd, SOL_SOCKET, SO_TYPE, (long)&type, (long)&size,
	     0);
	return policy_is_host(way, type, addr, len);
}

/**
 * decide_call - make a call that decides which kernel has a socket
 * @nr: the call, with
 * @a: its arguments, of which the first is the descriptor
 * @way: what the socket is used for
 * @user: an address of the program's, or 0
 * @len: its length
 *
 * Return: what the call returns
 */
long decide_call(long nr, const long *a, enum policy_way way, long user,
		 unsigned long len)
{
	struct epoll_entry entries[ENTRIES];
	uint32_t word = fd_word(a[0]);
	struct sockaddr_in6 addr;
	unsigned int n;
	long ret;

	if (!(word & FD_OPEN))
		return fd_call(nr, a);
	if (len > sizeof(addr))
		len = sizeof(addr);
	if (!user)
		len = 0;
	/* An error decides nothing. */
	if (!user_get(&addr, user, len))
		return fd_call(nr, a);
	n = decide(
		a[0],
		is_hosts(a[0], fd_number(word), way, len ? &addr : NULL, len),
		entries);
	ret = fd_call(nr, a);
	enter(entries, n);
	return ret;
}
