/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets of libnl and their descriptors; nl.c tells more. */
#ifndef NL_H
#define NL_H

#include <stdbool.h>
#include <netlink/netlink.h>

/* libnl's code for a negative error number. */
int nl_error(long err);

bool nl_is_ours(const struct nl_sock *sk);

/* Make a socket that libnl has allocated one of ours; returns whether it is. */
bool nl_adopt(struct nl_sock *sk);

/**
 * nl_open - open a socket in the library's kernel, unless it is open
 * @sk: the socket
 * @protocol: NETLINK_*
 * @connect: it is an error if it is open with another protocol
 *
 * Return: its descriptor there, or a negative error code of libnl
 */
int nl_open(struct nl_sock *sk, int protocol, bool connect);

/**
 * nl_event - descriptor of the host that is readable when there is a message
 * @sk: the socket, which is open
 *
 * Return: the descriptor, which belongs to the socket; or -1
 */
int nl_event(const struct nl_sock *sk);

/* Close what is open of a socket, if it is one of ours. */
void nl_shut(struct nl_sock *sk);

/* It is not one of ours any more. */
void nl_forget(struct nl_sock *sk);

#endif /* NL_H */
