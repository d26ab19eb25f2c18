// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets: which stack they belong to, and the calls that are more than passed
 * on.
 *
 * Families of the network are the library's, the others the host's.  Where
 * there are rules (policy.c), it takes an address to know: until then a socket
 * exists on both sides under one number, options are set on both, and the first
 * bind(), connect(), listen() or sendto() decides.
 */
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "parcel.h"

/*
 * ioctl()s of sockets about interfaces, routes and so on: 0x8910 and up, but
 * for those that are of the protocol.
 */
#define SIOC_FIRST 0x8910
#define SIOC_LAST 0x89ff
#define SIOC_PROTOCOL_LAST 0x89ef

/* The socket that answers them when the program asks one of the host's. */
static long ioctl_socket;

int socket_init(void)
{
	ioctl_socket = lkl3(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return ioctl_socket < 0 ? ioctl_socket : 0;
}

/**
 * socket_adopt - have one that was made by another program
 * @kfd: its number in the library's kernel, or -1
 *
 * Return: the number
 */
long socket_adopt(long kfd)
{
	if (kfd >= 0)
		ioctl_socket = kfd;
	return ioctl_socket;
}

static bool is_inet(int family)
{
	return family == AF_INET || family == AF_INET6;
}

/* What netlink talks about is the network's, or devices and users are. */
static bool is_network(int protocol)
{
	switch (protocol) {
	case NETLINK_ROUTE:
	case NETLINK_NFLOG:
	case NETLINK_SOCK_DIAG:
	case NETLINK_XFRM:
	case NETLINK_FIB_LOOKUP:
	case NETLINK_NETFILTER:
	case NETLINK_GENERIC:
	case NETLINK_SMC:
		return true;
	}
	return false;
}

/* Devices, processes and users of the host are what other families are about.
 */
static bool is_library(const long *a)
{
	switch ((int)a[0]) {
	case AF_INET:
	case AF_INET6:
	case AF_PACKET:
	case AF_APPLETALK:
	case AF_IEEE802154:
	case AF_KCM:
	case AF_KEY:
	case AF_LLC:
	case AF_MCTP:
	case AF_MPLS:
	case AF_PHONET:
	case AF_PPPOX:
	case AF_RDS:
	case AF_RXRPC:
	case AF_SMC:
	case AF_TIPC:
	case AF_X25:
	case AF_XDP:
		return true;
	case AF_NETLINK:
		return is_network(a[2]);
	}
	return false;
}

long socket_socket(long nr, const long *a)
{
	int family = a[0], type = a[1] & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
	long kfd, fd;

	if (!is_library(a))
		return host_call(nr, a);
	fd_expect_socket();
	kfd = lkl_any(nr, a[0], a[1], a[2], 0, 0);
	if (family == AF_NETLINK && (int)a[2] == NETLINK_ROUTE) {
		fd = fd_install(kfd, a[1] & SOCK_CLOEXEC);
		if (fd >= 0)
			fd_set_word(fd, fd_word(fd) | FD_ROUTE);
		return fd;
	}
	if (likely(!policy_exists()) || kfd < 0 || !is_inet(family) ||
	    type == SOCK_RAW)
		return fd_install(kfd, a[1] & SOCK_CLOEXEC);
	fd = host_call(nr, a);
	if (fd < 0)
		return fd_install(kfd, a[1] & SOCK_CLOEXEC);
	fd_set_word(fd, FD_LKL | FD_OPEN | kfd);
	return fd;
}

/*
 * The number comes first, as in any kernel: without one, nothing is accepted.
 * Until something is, it is not there: neither for other threads nor for what
 * they execute.
 */
long socket_accept(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);
	int flags = nr == SYS_accept4 ? a[3] : 0;
	long fd;

	if (!(word & FD_LKL))
		return host_call(nr, a);
	fd = fd_reserve_number(true);
	if (fd < 0)
		return fd;
	fd_hold(fd);
	fd = fd_fill(fd, lkl4(SYS_accept4, fd_number(word), a[1], a[2], flags));
	if (fd >= 0 && !(flags & SOCK_CLOEXEC))
		own_call3(SYS_fcntl, fd, F_SETFD, 0);
	return fd;
}

/* The port of an address, which is at the same place in IPv6, or -1. */
static int port_of(long user, unsigned long len)
{
	struct sockaddr_in in;

	/* Up to the port. */
	if (len < 4 || !user_get(&in, user, 4) || !is_inet(in.sin_family))
		return -1;
	return in.sin_port;
}

long socket_bind(long nr, const long *a)
{
	long err, host_err;

	if (likely(!(fd_word(a[0]) & FD_OPEN)))
		return fd_call(nr, a);
	if (port_of(a[1], a[2]))
		return decide_call(nr, a, POLICY_LISTEN, a[1], a[2]);
	/* A source address: may be one of either side, or of both. */
	err = fd_call(nr, a);
	host_err = host_call(nr, a);
	if (!err != !host_err)
		decide_side(a[0], err);
	return host_err ? err : 0;
}

long socket_connect(long nr, const long *a)
{
	return likely(!(fd_word(a[0]) & FD_OPEN))
		       ? fd_call(nr, a)
		       : decide_call(nr, a, POLICY_CONNECT, a[1], a[2]);
}

long socket_listen(long nr, const long *a)
{
	return likely(!(fd_word(a[0]) & FD_OPEN))
		       ? fd_call(nr, a)
		       : decide_call(nr, a, POLICY_LISTEN, 0, 0);
}

long socket_sendto(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);

	if (likely(!(word & (FD_OPEN | FD_ROUTE))))
		return fd_call(nr, a);
	return word & FD_ROUTE ? netlink_send(nr, a)
			       : decide_call(nr, a, POLICY_CONNECT, a[4], a[5]);
}

/* To a socket of the host's, by which sockets of the library may be passed on.
 */
static long send_host(const long *a, long user, struct msghdr *msg)
{
	struct parcels p;
	long ret = parcel_pack(msg, &p);

	if (ret < 0)
		return ret;
	ret = host_syscall(SYS_sendmsg, a[0], ret ? (long)msg : user, a[2], 0,
			   0, 0);
	parcel_sent(&p);
	return ret;
}

/*
 * A message that cannot be read is for the kernel to refuse.
 */
long socket_sendmsg(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);
	struct msghdr msg;

	if (unlikely(word & FD_ROUTE))
		return netlink_send(nr, a);
	if (likely((word & (FD_LKL | FD_OPEN)) == FD_LKL) ||
	    !user_get(&msg, a[1], sizeof(msg)))
		return fd_call(nr, a);
	if (word & FD_OPEN)
		return decide_call(nr, a, POLICY_CONNECT, (long)msg.msg_name,
				   msg.msg_namelen);
	return word & FD_OWN || !msg.msg_control ? fd_call(nr, a)
						 : send_host(a, a[1], &msg);
}

/*
 * Messages to a socket of the host's that have control data are sent one by
 * one: they may carry sockets of the library's.
 */
static long send_many(const long *a)
{
	unsigned int i, len, n = a[2];
	struct mmsghdr msg;
	long ret = 0;

	for (i = 0; i < n; i++) {
		long user = a[1] + i * sizeof(msg);

		ret = user_get(&msg, user, sizeof(msg))
			      ? send_host((long[6]){ a[0], 0, a[3] }, user,
					  &msg.msg_hdr)
			      : -EFAULT;
		if (ret < 0)
			break;
		len = ret;
		user_put(user + offsetof(struct mmsghdr, msg_len), &len,
			 sizeof(len));
	}
	return i ? (long)i : ret;
}

long socket_sendmmsg(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);
	struct mmsghdr msg;
	unsigned int i, n = a[2];

	for (i = 0; i < n && (word & (FD_LKL | FD_OPEN)) != FD_LKL; i++) {
		if (!user_get(&msg, a[1] + i * sizeof(msg), sizeof(msg)))
			break;
		if (word & FD_OPEN)
			return decide_call(nr, a, POLICY_CONNECT,
					   (long)msg.msg_hdr.msg_name,
					   msg.msg_hdr.msg_namelen);
		if (msg.msg_hdr.msg_control && !(word & FD_OWN))
			return send_many(a);
	}
	return fd_call(nr, a);
}

long socket_setsockopt(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);

	if (unlikely(word & FD_OPEN))
		host_call(nr, a);
	return fd_call(nr, a);
}

/*
 * if_nametoindex() and others ask any socket about interfaces.  One of a family
 * that has none of its own asks about the library's.
 */
static bool asks_network(long fd, unsigned int cmd)
{
	int family, size = sizeof(family);

	return cmd >= SIOC_FIRST && cmd <= SIOC_LAST &&
	       (cmd < SIOCPROTOPRIVATE || cmd > SIOC_PROTOCOL_LAST) &&
	       !host6(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &family, &size,
		      0) &&
	       family == AF_UNIX;
}

/* The library's socket is in the namespace in which the program began. */
static long ask_network(unsigned int cmd, long arg)
{
	long kfd, ret;

	if (likely(!hijack_away))
		return lkl_any(SYS_ioctl, ioctl_socket, cmd, arg, 0, 0);
	kfd = lkl_any(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0);
	if (kfd < 0)
		return kfd;
	ret = lkl3(SYS_ioctl, kfd, cmd, arg);
	lkl1(SYS_close, kfd);
	return ret;
}

long socket_ioctl(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);
	unsigned int cmd = a[1];
	int on;

	if (word & FD_LKL) {
		switch (cmd) {
		case FIOCLEX:
		case FIONCLEX:
			return host3(nr, a[0], a[1], a[2]);
		case FIOSETOWN:
		case SIOCSPGRP:
		case FIOGETOWN:
		case SIOCGPGRP:
			return async_ioctl(fd_number(word), cmd, a[2]);
		case FIOASYNC:
			if (user_get(&on, a[2], sizeof(on)) && on)
				async_arm(fd_number(word), a[0]);
			/* fall through */
		case FIONBIO:
			if (word & FD_OPEN)
				host3(nr, a[0], a[1], a[2]);
			break;
		case SIOCGSKNS:
			return fd_install(lkl3(nr, fd_number(word), cmd, a[2]),
					  true);
		case NS_GET_USERNS:
		case NS_GET_PARENT:
			/* Other namespaces are the host's. */
			return -EPERM;
		}
		return lkl3(nr, fd_number(word), cmd, a[2]);
	}
	if (unlikely(asks_network(a[0], cmd)))
		return ask_network(cmd, a[2]);
	return host3(nr, a[0], a[1], a[2]);
}
