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
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "internal.h"

/* ioctl()s of sockets about interfaces, routes and so on: 0x8910 and up. */
#define SIOC_FIRST 0x8910
#define SIOC_LAST 0x89ff

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

long socket_socket(long nr, const long *a)
{
	int family = a[0], type = a[1] & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
	long kfd, fd;

	if (!is_inet(family) && family != AF_NETLINK && family != AF_PACKET)
		return host_call(nr, a);
	fd_expect_socket();
	kfd = lkl_any(nr, a[0], a[1], a[2], 0, 0);
	if (likely(!policy_exists()) || kfd < 0 || !is_inet(family) ||
	    type == SOCK_RAW)
		return fd_install(kfd, a[1] & SOCK_CLOEXEC);
	fd = host_call(nr, a);
	if (fd < 0)
		return fd_install(kfd, a[1] & SOCK_CLOEXEC);
	fd_set_word(fd, FD_LKL | FD_OPEN | kfd);
	return fd;
}

/* The number comes first, as in any kernel: without one, nothing is accepted.
 */
long socket_accept(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);
	int flags = nr == SYS_accept4 ? a[3] : 0;
	long fd;

	if (!(word & FD_LKL))
		return host_call(nr, a);
	fd = fd_reserve_number(flags & SOCK_CLOEXEC);
	if (fd < 0)
		return fd;
	return fd_fill(fd,
		       lkl4(SYS_accept4, fd_number(word), a[1], a[2], flags));
}

/*
 * If a socket is still of both sides, let the rules decide with an address, or
 * without one.  Returns whether it is the host's.
 */
static bool decide(long fd, uint32_t word, enum policy_way way,
		   const void *addr, unsigned long len)
{
	int type = 0, size = sizeof(type);
	bool host;

	if (!(word & FD_OPEN))
		return false;
	lkl6(SYS_getsockopt, fd_number(word), SOL_SOCKET, SO_TYPE, (long)&type,
	     (long)&size, 0);
	host = policy_is_host(way, type, addr, len);
	fd_decide(fd, host);
	return host;
}

static bool has_port(const void *addr, unsigned long len)
{
	const struct sockaddr_in *in = addr;

	/* The port is at the same place in IPv6. */
	return len < 4 || !is_inet(in->sin_family) || in->sin_port;
}

long socket_bind(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);
	long err, host_err;

	if (likely(!(word & FD_OPEN)))
		return fd_call(nr, a);
	if (has_port((void *)a[1], a[2])) {
		decide(a[0], word, POLICY_LISTEN, (void *)a[1], a[2]);
		return fd_call(nr, a);
	}
	/* A source address: may be one of either side, or of both. */
	err = fd_call(nr, a);
	host_err = host_call(nr, a);
	if (!err != !host_err)
		fd_decide(a[0], err);
	return host_err ? err : 0;
}

long socket_connect(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);

	if (unlikely(word & FD_OPEN))
		decide(a[0], word, POLICY_CONNECT, (void *)a[1], a[2]);
	return fd_call(nr, a);
}

long socket_listen(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);

	if (unlikely(word & FD_OPEN))
		decide(a[0], word, POLICY_LISTEN, NULL, 0);
	return fd_call(nr, a);
}

long socket_sendto(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);

	if (unlikely(word & FD_OPEN))
		decide(a[0], word, POLICY_CONNECT, (void *)a[4], a[5]);
	return fd_call(nr, a);
}

/* Does a message to a socket of the host carry a descriptor of the library? */
static bool carries_lkl(const struct msghdr *msg)
{
	const struct cmsghdr *c;
	size_t i, n;

	if (!msg->msg_control || msg->msg_controllen < sizeof(*c))
		return false;
	for (c = CMSG_FIRSTHDR(msg); c;
	     c = CMSG_NXTHDR((struct msghdr *)msg, (struct cmsghdr *)c)) {
		const int *fds = (const int *)CMSG_DATA(c);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
		    c->cmsg_len < CMSG_LEN(0))
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++)
			if (fd_word(fds[i]) & (FD_LKL | FD_OWN))
				return true;
	}
	return false;
}

static bool decide_msg(long fd, const struct msghdr *msg)
{
	uint32_t word = fd_word(fd);

	if (unlikely(word & FD_OPEN))
		decide(fd, word, POLICY_CONNECT, msg->msg_name,
		       msg->msg_namelen);
	return fd_is_lkl(fd);
}

long socket_sendmsg(long nr, const long *a)
{
	const struct msghdr *msg = (void *)a[1];

	if (!decide_msg(a[0], msg) && carries_lkl(msg))
		return -EOPNOTSUPP;
	return fd_call(nr, a);
}

long socket_sendmmsg(long nr, const long *a)
{
	const struct mmsghdr *msgs = (void *)a[1];
	unsigned int i, n = a[2];

	if (!n || decide_msg(a[0], &msgs->msg_hdr))
		return fd_call(nr, a);
	for (i = 0; i < n; i++)
		if (carries_lkl(&msgs[i].msg_hdr))
			return -EOPNOTSUPP;
	return host_call(nr, a);
}

long socket_setsockopt(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);

	if (unlikely(word & FD_OPEN))
		host_call(nr, a);
	return fd_call(nr, a);
}

long socket_ioctl(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);
	unsigned int cmd = a[1];

	if (word & FD_LKL) {
		switch (cmd) {
		case FIOCLEX:
		case FIONCLEX:
			return host3(nr, a[0], a[1], a[2]);
		case FIONBIO:
		case FIOASYNC:
			if (word & FD_OPEN)
				host3(nr, a[0], a[1], a[2]);
		}
		return lkl3(nr, fd_number(word), cmd, a[2]);
	}
	/* Asked of a socket of another family, as if_nametoindex() does. */
	if (cmd >= SIOC_FIRST && cmd <= SIOC_LAST)
		return lkl_any(nr, ioctl_socket, cmd, a[2], 0, 0);
	return host3(nr, a[0], a[1], a[2]);
}
