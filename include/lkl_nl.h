/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libnl-3 for the library's kernel.
 *
 *	struct nl_sock *sk = lkl_nl_socket_alloc();
 *	struct nl_cache *links;
 *
 *	rtnl_link_alloc_cache(sk, AF_UNSPEC, &links);
 *	...
 *	nl_cache_free(links);
 *	lkl_nl_socket_free(sk);
 *
 *	cc file.c $(pkg-config --cflags --libs lkl-nl libnl-route-3.0)
 */
#ifndef LKL_NL_H
#define LKL_NL_H

#include <netlink/netlink.h>

#pragma GCC visibility push(default)

#ifdef __cplusplus
extern "C" {
#endif

/**
 * lkl_nl_socket_alloc - a socket that talks to the library's kernel
 *
 * All functions of libnl that send and receive messages can be used with it.
 * It is connected to NETLINK_ROUTE already, and opened by the first message, in
 * the network namespace of the thread that sends it; or by nl_connect(), for the
 * protocol that is given there.  Memberships and nl_cache_mngr_alloc() work as
 * with sockets of the host, if the program is linked dynamically.
 *
 * Return: the socket, or NULL
 */
struct nl_sock *lkl_nl_socket_alloc(void);

/**
 * lkl_nl_socket_free - free a socket
 * @sk: the socket, or NULL
 *
 * Comes before lkl_sys_halt().  In a program that is linked statically,
 * nl_socket_free() is no substitute: the descriptor in the library's kernel stays
 * open, at least until another socket is allocated at the same address.
 */
void lkl_nl_socket_free(struct nl_sock *sk);

/**
 * lkl_nl_socket_get_fd - descriptor of a socket in the library's kernel
 * @sk: the socket
 * @protocol: NETLINK_*, if it is to be opened
 *
 * For lkl_sys_setsockopt(), lkl_sys_poll() and the like.
 *
 * Return: the descriptor, or a negative error code of libnl
 */
int lkl_nl_socket_get_fd(struct nl_sock *sk, int protocol);

#ifdef __cplusplus
}
#endif

#pragma GCC visibility pop

#endif /* LKL_NL_H */
