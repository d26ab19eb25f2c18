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
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <netlink/msg.h>

#include <lkl.h>
#include <lkl_host.h>
#include <lkl_nl.h>

#include "nl.h"

/**
 * struct nl_fd - a socket's descriptor
 * @sk: the socket
 * @fd: the descriptor in the library's kernel, -1 when there is none yet
 * @protocol: what it was opened with
 * @event: descriptor of the host that is readable when @fd is, or -1
 * @wake: descriptor in the library's kernel that wakes @watcher
 * @told: @event is readable
 * @ends: @watcher is to end
 * @watcher: the thread that waits for @fd
 * @next: the next one
 */
struct nl_fd {
	struct nl_sock *sk;
	int fd;
	int protocol;
	int event;
	int wake;
	bool told;
	bool ends;
	lkl_thread_t watcher;
	struct nl_fd *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct nl_fd *list;

int nl_error(long err)
{
	return -nl_syserr2nlerr(-err);
}

/* Where the list has a socket, or its end.  With the lock held. */
static struct nl_fd **find(const struct nl_sock *sk)
{
	struct nl_fd **entry = &list;

	while (*entry && (*entry)->sk != sk)
		entry = &(*entry)->next;
	return entry;
}

bool nl_is_ours(const struct nl_sock *sk)
{
	bool ours;

	pthread_mutex_lock(&lock);
	ours = *find(sk);
	pthread_mutex_unlock(&lock);
	return ours;
}

static bool is_readable(int fd)
{
	struct lkl_pollfd p = { .fd = fd, .events = LKL_POLLIN };

	return lkl_sys_poll(&p, 1, 0) != 0;
}

static void ring(struct nl_fd *entry)
{
	static const uint64_t one = 1;

	lkl_sys_write(entry->wake, (void *)&one, sizeof(one));
}

/* Something has been received, or nothing was there.  With the lock held. */
static void update(struct nl_fd *entry)
{
	uint64_t count;

	if (!entry->told || is_readable(entry->fd))
		return;
	if (read(entry->event, &count, sizeof(count)) < 0)
		return;
	entry->told = false;
	ring(entry);
}

/* Until the socket is closed; it is waited for while the event is not set. */
static void watch(void *arg)
{
	static const uint64_t one = 1;
	struct nl_fd *entry = arg;
	struct lkl_pollfd fds[2] = {
		{ .fd = entry->wake, .events = LKL_POLLIN },
		{ .fd = entry->fd, .events = LKL_POLLIN },
	};
	bool told = false, ends = false;
	uint64_t count;

	while (!ends) {
		long n = lkl_sys_poll(fds, told ? 1 : 2, -1);

		if (n == -LKL_EINTR)
			continue;
		pthread_mutex_lock(&lock);
		if (n > 0 && fds[0].revents)
			lkl_sys_read(entry->wake, (void *)&count,
				     sizeof(count));
		/* Also when there is an error, which the receiver will see. */
		if (!entry->told && is_readable(entry->fd))
			entry->told = write(entry->event, &one, sizeof(one)) >
				      0;
		told = entry->told;
		ends = entry->ends || n < 0;
		pthread_mutex_unlock(&lock);
	}
}

/* Close what is open. */
static void shut(struct nl_fd *entry)
{
	if (entry->event >= 0) {
		pthread_mutex_lock(&lock);
		entry->ends = true;
		ring(entry);
		pthread_mutex_unlock(&lock);
		lkl_host_ops.thread_join(entry->watcher);
		lkl_sys_close(entry->wake);
		close(entry->event);
	}
	if (entry->fd >= 0)
		lkl_sys_close(entry->fd);
}

static void be_closed(struct nl_fd *entry)
{
	entry->fd = -1;
	entry->event = -1;
	entry->told = false;
	entry->ends = false;
}

/* The entry of a socket that is taken off the list. */
static struct nl_fd *take(const struct nl_sock *sk)
{
	struct nl_fd **place, *entry;

	pthread_mutex_lock(&lock);
	place = find(sk);
	entry = *place;
	if (entry)
		*place = entry->next;
	pthread_mutex_unlock(&lock);
	return entry;
}

static void put(struct nl_fd *entry)
{
	pthread_mutex_lock(&lock);
	entry->next = list;
	list = entry;
	pthread_mutex_unlock(&lock);
}

void nl_forget(struct nl_sock *sk)
{
	struct nl_fd *entry = take(sk);

	if (entry)
		shut(entry);
	free(entry);
}

void nl_shut(struct nl_sock *sk)
{
	struct nl_fd *entry = take(sk);

	if (!entry)
		return;
	shut(entry);
	be_closed(entry);
	put(entry);
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

int nl_open(struct nl_sock *sk, int protocol, bool connect)
{
	struct nl_fd *entry;
	int fd = -LKL_EBADF;

	pthread_mutex_lock(&lock);
	entry = *find(sk);
	if (entry && entry->fd < 0) {
		fd = open_port(protocol, nl_socket_get_local_port(sk));
		if (fd >= 0) {
			entry->fd = fd;
			entry->protocol = protocol;
		}
	} else if (entry && (!connect || entry->protocol == protocol)) {
		fd = entry->fd;
	}
	pthread_mutex_unlock(&lock);
	return fd < 0 ? nl_error(fd) : fd;
}

int lkl_nl_socket_get_fd(struct nl_sock *sk, int protocol)
{
	return nl_open(sk, protocol, false);
}

/* Have a thread watch the socket; with the lock held. */
static int start_watch(struct nl_fd *entry)
{
	entry->wake = lkl_sys_eventfd2(0, LKL_O_NONBLOCK | LKL_O_CLOEXEC);
	if (entry->wake < 0)
		return -1;
	entry->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (entry->event >= 0) {
		entry->watcher = lkl_host_ops.thread_create(watch, entry);
		if (entry->watcher)
			return entry->event;
		close(entry->event);
		entry->event = -1;
	}
	lkl_sys_close(entry->wake);
	return -1;
}

int nl_event(const struct nl_sock *sk)
{
	struct nl_fd *entry;
	int event = -1;

	pthread_mutex_lock(&lock);
	entry = *find(sk);
	if (entry && entry->fd >= 0)
		event = entry->event >= 0 ? entry->event : start_watch(entry);
	pthread_mutex_unlock(&lock);
	return event;
}

static void received(const struct nl_sock *sk)
{
	struct nl_fd *entry;

	pthread_mutex_lock(&lock);
	entry = *find(sk);
	if (entry)
		update(entry);
	pthread_mutex_unlock(&lock);
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
	if (len < 0) {
		received(sk);
		return nl_error(len);
	}
	*buf = malloc(len ? len : 1);
	if (!*buf)
		return -NLE_NOMEM;
	len = lkl_sys_recvfrom(fd, *buf, len, 0, (struct lkl_sockaddr *)&addr,
			       &addr_len);
	received(sk);
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

bool nl_adopt(struct nl_sock *sk)
{
	struct nl_fd *entry = malloc(sizeof(*entry));
	struct nl_cb *cb;

	if (!entry)
		return false;
	cb = nl_socket_get_cb(sk);
	nl_cb_overwrite_send(cb, send_msg);
	nl_cb_overwrite_recv(cb, recv_msg);
	nl_cb_put(cb);

	nl_forget(sk); /* one that libnl has freed itself */
	be_closed(entry);
	entry->sk = sk;
	put(entry);
	return true;
}

struct nl_sock *lkl_nl_socket_alloc(void)
{
	struct nl_sock *sk = nl_socket_alloc();

	if (sk && nl_adopt(sk))
		return sk;
	nl_socket_free(sk);
	return NULL;
}

void lkl_nl_socket_free(struct nl_sock *sk)
{
	if (!sk)
		return;
	nl_forget(sk);
	nl_socket_free(sk);
}
