// SPDX-License-Identifier: GPL-2.0-only
/*
 * libnl-3 for the library's kernel.
 *
 * libnl lets a socket's functions for sending and receiving be replaced.  Ours
 * use a socket of the library's kernel, bound to the port number that libnl
 * expects answers to have.  As libnl has no place for it, a list says which
 * descriptor belongs to which socket.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <netlink/msg.h>

#include <lkl.h>
#include <lkl_nl.h>

/**
 * struct nl_fd - a socket's descriptor
 * @sk: the socket
 * @fd: the descriptor in the library's kernel, -1 when there is none yet
 * @next: the next one
 */
struct nl_fd {
	struct nl_sock *sk;
	int fd;
	struct nl_fd *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct nl_fd *list;

static int nl_error(long err)
{
	return -nl_syserr2nlerr(-err);
}

/* Where the list has a socket, or its end.  With the lock held. */
static struct nl_fd **find(struct nl_sock *sk)
{
	struct nl_fd **entry = &list;

	while (*entry && (*entry)->sk != sk)
		entry = &(*entry)->next;
	return entry;
}

static void forget(struct nl_sock *sk)
{
	struct nl_fd **place, *entry;

	pthread_mutex_lock(&lock);
	place = find(sk);
	entry = *place;
	if (entry)
		*place = entry->next;
	pthread_mutex_unlock(&lock);
	if (entry && entry->fd >= 0)
		lkl_sys_close(entry->fd);
	free(entry);
}

/* A descriptor that is bound to a port. */
static int open_port(int protocol, uint32_t port)
{
	struct lkl_sockaddr_nl addr = { .nl_family = LKL_AF_NETLINK,
					.nl_pid = port };
	int fd, err;

	fd = lkl_sys_socket(LKL_AF_NETLINK, LKL_SOCK_RAW | LKL_SOCK_CLOEXEC,
			    protocol);
	if (fd < 0)
		return fd;
	err = lkl_sys_bind(fd, (struct lkl_sockaddr *)&addr, sizeof(addr));
	if (err) {
		lkl_sys_close(fd);
		return err;
	}
	return fd;
}

int lkl_nl_socket_get_fd(struct nl_sock *sk, int protocol)
{
	struct nl_fd *entry;
	int fd = -LKL_EBADF;

	pthread_mutex_lock(&lock);
	entry = *find(sk);
	if (entry && entry->fd < 0) {
		fd = open_port(protocol, nl_socket_get_local_port(sk));
		if (fd >= 0)
			entry->fd = fd;
	} else if (entry) {
		fd = entry->fd;
	}
	pthread_mutex_unlock(&lock);
	return fd < 0 ? nl_error(fd) : fd;
}

/* In place of nl_send() */
static int send_msg(struct nl_sock *sk, struct nl_msg *msg)
{
	struct lkl_sockaddr_nl addr = {
		.nl_family = LKL_AF_NETLINK,
		.nl_pid = nl_socket_get_peer_port(sk),
		.nl_groups = nl_socket_get_peer_groups(sk),
	};
	struct sockaddr_nl *to = nlmsg_get_dst(msg);
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	int protocol = nlmsg_get_proto(msg);
	long fd, ret;

	fd = lkl_nl_socket_get_fd(sk, protocol < 0 ? NETLINK_ROUTE : protocol);
	if (fd < 0)
		return fd;
	if (to->nl_family == AF_NETLINK) {
		addr.nl_pid = to->nl_pid;
		addr.nl_groups = to->nl_groups;
	}
	do
		ret = lkl_sys_sendto(fd, nlh, nlh->nlmsg_len, 0,
				     (struct lkl_sockaddr *)&addr,
				     sizeof(addr));
	while (ret == -LKL_EINTR);
	return ret < 0 ? nl_error(ret) : ret;
}

/* In place of nl_recv(): *@buf will be freed by libnl. */
static int recv_msg(struct nl_sock *sk, struct sockaddr_nl *from,
		    unsigned char **buf, struct ucred **creds)
{
	struct lkl_sockaddr_nl addr = { 0 };
	int addr_len = sizeof(addr);
	long fd, len;

	(void)creds;
	fd = lkl_nl_socket_get_fd(sk, NETLINK_ROUTE);
	if (fd < 0)
		return fd;
	/* As large as it is: what does not fit would be lost. */
	do
		len = lkl_sys_recv(fd, NULL, 0, LKL_MSG_PEEK | LKL_MSG_TRUNC);
	while (len == -LKL_EINTR);
	if (len < 0)
		return nl_error(len);
	*buf = malloc(len ? len : 1);
	if (!*buf)
		return -NLE_NOMEM;
	len = lkl_sys_recvfrom(fd, *buf, len, 0, (struct lkl_sockaddr *)&addr,
			       &addr_len);
	if (len < 0) {
		free(*buf);
		*buf = NULL;
		return nl_error(len);
	}
	from->nl_family = AF_NETLINK;
	from->nl_pid = addr.nl_pid;
	from->nl_groups = addr.nl_groups;
	return len;
}

struct nl_sock *lkl_nl_socket_alloc(void)
{
	struct nl_fd *entry = malloc(sizeof(*entry));
	struct nl_sock *sk = nl_socket_alloc();
	struct nl_cb *cb;

	if (!entry || !sk) {
		nl_socket_free(sk);
		free(entry);
		return NULL;
	}
	cb = nl_socket_get_cb(sk);
	nl_cb_overwrite_send(cb, send_msg);
	nl_cb_overwrite_recv(cb, recv_msg);
	nl_cb_put(cb);

	forget(sk); /* one that was not freed by our function */
	entry->sk = sk;
	entry->fd = -1;
	pthread_mutex_lock(&lock);
	entry->next = list;
	list = entry;
	pthread_mutex_unlock(&lock);
	return sk;
}

void lkl_nl_socket_free(struct nl_sock *sk)
{
	if (!sk)
		return;
	forget(sk);
	nl_socket_free(sk);
}
