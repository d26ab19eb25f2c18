// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions of libnl that use a socket's descriptor, for sockets of the
 * library's kernel.
 *
 * libnl would open a socket of the host, join the host's groups, and succeed,
 * but no event of the library's kernel would ever come.  These functions go
 * before libnl's own, in programs and in libnl itself.  Sockets of the host go
 * on to libnl's.
 *
 * libnl's descriptor is one that the host's poll() can wait for.  The library's
 * kernel has another one, so a thread waits there and sets an event of the host
 * as long as there is something to receive.  It starts when the program asks
 * for the descriptor.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

/* They are libnl's to others. */
#pragma GCC visibility push(default)
#include <netlink/cache.h>
#include <netlink/netlink.h>
#pragma GCC visibility pop

#include <lkl.h>
#include <lkl_nl.h>

#include "nl.h"

#define NEXT(name) ((__typeof__(&(name)))next(#name))

static __thread bool adopting;

/* libnl's own function, which is there: it is among what we are linked with. */
static void *next(const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);

	if (!p)
		abort();
	return p;
}

int nl_connect(struct nl_sock *sk, int protocol)
{
	int fd;

	if (!nl_is_ours(sk) && !(adopting && nl_adopt(sk)))
		return NEXT(nl_connect)(sk, protocol);
	fd = nl_open(sk, protocol, true);
	return fd < 0 ? fd : 0;
}

void nl_close(struct nl_sock *sk)
{
	nl_shut(sk);
	NEXT(nl_close)(sk);
}

void nl_socket_free(struct nl_sock *sk)
{
	nl_forget(sk);
	NEXT(nl_socket_free)(sk);
}

int nl_socket_get_fd(const struct nl_sock *sk)
{
	return nl_is_ours(sk) ? nl_event(sk) : NEXT(nl_socket_get_fd)(sk);
}

static int join(struct nl_sock *sk, int option, int group)
{
	long ret, fd = lkl_nl_socket_get_fd(sk, NETLINK_ROUTE);

	if (fd < 0)
		return fd;
	ret = lkl_sys_setsockopt(fd, LKL_SOL_NETLINK, option, (void *)&group,
				 sizeof(group));
	return ret < 0 ? nl_error(ret) : 0;
}

/* libnl's own calls the one for more than one, which would be ours. */
int nl_socket_add_membership(struct nl_sock *sk, int group)
{
	return nl_is_ours(sk) ? join(sk, LKL_NETLINK_ADD_MEMBERSHIP, group)
			      : NEXT(nl_socket_add_memberships)(sk, group, 0);
}

int nl_socket_drop_membership(struct nl_sock *sk, int group)
{
	return nl_is_ours(sk) ? join(sk, LKL_NETLINK_DROP_MEMBERSHIP, group)
			      : NEXT(nl_socket_drop_memberships)(sk, group, 0);
}

/* A list of groups that ends with 0. */
static int each(struct nl_sock *sk, int group, va_list groups,
		int (*fn)(struct nl_sock *sk, int group))
{
	int err = 0;

	for (; group && !err; group = va_arg(groups, int))
		err = group < 0 ? -NLE_INVAL : fn(sk, group);
	return err;
}

int nl_socket_add_memberships(struct nl_sock *sk, int group, ...)
{
	va_list groups;
	int err;

	va_start(groups, group);
	err = each(sk, group, groups, nl_socket_add_membership);
	va_end(groups);
	return err;
}

int nl_socket_drop_memberships(struct nl_sock *sk, int group, ...)
{
	va_list groups;
	int err;

	va_start(groups, group);
	err = each(sk, group, groups, nl_socket_drop_membership);
	va_end(groups);
	return err;
}

int nl_socket_set_nonblocking(const struct nl_sock *sk)
{
	long ret, fd;

	if (!nl_is_ours(sk))
		return NEXT(nl_socket_set_nonblocking)(sk);
	fd = lkl_nl_socket_get_fd((struct nl_sock *)sk, NETLINK_ROUTE);
	if (fd < 0)
		return fd;
	ret = lkl_sys_fcntl(fd, LKL_F_SETFL, LKL_O_NONBLOCK);
	return ret < 0 ? nl_error(ret) : 0;
}

int nl_socket_set_buffer_size(struct nl_sock *sk, int rxbuf, int txbuf)
{
	int sizes[2] = { txbuf > 0 ? txbuf : 32768, rxbuf > 0 ? rxbuf : 32768 };
	static const int options[2] = { LKL_SO_SNDBUF, LKL_SO_RCVBUF };
	long ret, fd;

	if (!nl_is_ours(sk))
		return NEXT(nl_socket_set_buffer_size)(sk, rxbuf, txbuf);
	fd = lkl_nl_socket_get_fd(sk, NETLINK_ROUTE);
	if (fd < 0)
		return fd;
	for (int i = 0; i < 2; i++) {
		ret = lkl_sys_setsockopt(fd, LKL_SOL_SOCKET, options[i],
					 (void *)&sizes[i], sizeof(sizes[i]));
		if (ret < 0)
			return nl_error(ret);
	}
	return 0;
}

/* The manager makes a second socket of its own, which is to be like the first.
 */
int nl_cache_mngr_alloc(struct nl_sock *sk, int protocol, int flags,
			struct nl_cache_mngr **result)
{
	bool ours = sk && nl_is_ours(sk);
	int err;

	adopting = ours;
	err = NEXT(nl_cache_mngr_alloc)(sk, protocol, flags, result);
	adopting = false;
	return err;
}
