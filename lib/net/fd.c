// SPDX-License-Identifier: GPL-2.0-only
/*
 * A wire that is a descriptor, each read() and write() of which is one frame;
 * the base of most others.
 *
 * The descriptor is watched for changes only: the device reads until there is
 * nothing, and hears of room to write only when there was none.
 *
 * One that listeners may watch is added to our epoll when polling begins, and
 * is then behind theirs.  As a descriptor to be shared (EPOLLEXCLUSIVE) cannot
 * tell that the other side will not write any more, that is not for
 * connections.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "../../host/linux/linux.h"
#include "../net.h"

/* What is added to the eventfd.  Adding the first never sums up to the second.
 */
#define WAKEUP_RX 1
#define WAKEUP_HUP (1ULL << 32)

static struct fd_wire *to_fd(struct lkl_netdev *nd)
{
	return (struct fd_wire *)nd;
}

long lkl_fd_transfer(struct fd_wire *w, bool out, struct iovec *iov, int cnt)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = cnt };
	int fd = out ? w->out : w->in;
	long ret;

	do {
		if (w->socket)
			ret = raw_syscall(out ? __NR_sendmsg : __NR_recvmsg, fd,
					  (long)&msg,
					  MSG_DONTWAIT |
						  (out ? MSG_NOSIGNAL : 0),
					  0, 0, 0);
		else
			ret = raw_syscall(out ? __NR_writev : __NR_readv, fd,
					  (long)iov, cnt, 0, 0, 0);
	} while (ret == -EINTR);
	return ret;
}

int lkl_fd_tx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	long ret = lkl_fd_transfer(to_fd(nd), true, iov, cnt);

	/* All other errors mean that the frame is lost. */
	return ret == -EAGAIN ? -EAGAIN : 0;
}

int lkl_fd_rx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	struct fd_wire *w = to_fd(nd);
	long ret = lkl_fd_transfer(w, false, iov, cnt);

	/* The end of a connection, or a datagram without content. */
	return !ret && w->socket == SOCK_SEQPACKET ? -EPIPE : ret;
}

/* It does not matter what it tells: lkl_fd_link() will look. */
int lkl_fd_changed(struct fd_wire *w)
{
	char buf[8192];

	while (recv(w->netlink, buf, sizeof(buf), 0) > 0 || errno == ENOBUFS)
		;
	return LKL_DEV_NET_POLL_LINK;
}

int lkl_fd_link(struct lkl_netdev *nd)
{
	struct fd_wire *w = to_fd(nd);
	struct ifreq ifr = { .ifr_ifindex = w->ifindex };

	/* Any socket will do. */
	return !ioctl(w->netlink, SIOCGIFNAME, &ifr) &&
	       !ioctl(w->netlink, SIOCGIFFLAGS, &ifr) &&
	       ifr.ifr_flags & IFF_UP && ifr.ifr_flags & IFF_RUNNING;
}

bool lkl_fd_follow(struct fd_wire *w, const char *name)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK,
				    .nl_groups = RTMGRP_LINK };

	w->ifindex = if_nametoindex(name);
	w->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	return w->ifindex && w->netlink >= 0 &&
	       !bind(w->netlink, (struct sockaddr *)&addr, sizeof(addr)) &&
	       lkl_fd_watch(w, w->netlink, EPOLLIN);
}

int lkl_fd_poll(struct lkl_netdev *nd)
{
	struct fd_wire *w = to_fd(nd);
	struct epoll_event events[4];
	uint64_t count;
	int i, n, mask = 0;

	if (w->nd.ops->fd && !w->shared)
		w->shared =
			lkl_fd_watch(w, w->in,
				     EPOLLIN | EPOLLET | EPOLLEXCLUSIVE |
					     (w->in == w->out ? EPOLLOUT : 0));
	do
		n = epoll_wait(w->epoll, events, 4, -1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (i = 0; i < n; i++) {
		unsigned int e = events[i].events;

		if (events[i].data.fd == w->wakeup) {
			if (read(w->wakeup, &count, sizeof(count)) < 0)
				continue;
			if (count % WAKEUP_HUP)
				mask |= LKL_DEV_NET_POLL_RX;
			if (count >= WAKEUP_HUP)
				mask |= LKL_DEV_NET_POLL_HUP;
			/* Look anew, and behind the listeners. */
			if (w->shared)
				epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->in, NULL);
			w->shared = false;
			continue;
		}
		if (events[i].data.fd == w->netlink) {
			mask |= lkl_fd_changed(w);
			continue;
		}
		if (e & EPOLLIN)
			mask |= LKL_DEV_NET_POLL_RX;
		if (e & EPOLLOUT)
			mask |= LKL_DEV_NET_POLL_TX;
		if (e & (EPOLLERR | EPOLLHUP | EPOLLRDHUP))
			mask |= LKL_DEV_NET_POLL_HUP;
	}
	return mask;
}

static void wake_up(struct lkl_netdev *nd, uint64_t count)
{
	/* An eventfd takes any number. */
	if (raw_syscall(__NR_write, to_fd(nd)->wakeup, (long)&count,
			sizeof(count), 0, 0, 0) < 0)
		abort();
}

void lkl_fd_poll_hup(struct lkl_netdev *nd)
{
	wake_up(nd, WAKEUP_HUP);
}

void lkl_fd_poll_rx(struct lkl_netdev *nd)
{
	wake_up(nd, WAKEUP_RX);
}

int lkl_fd_fd(struct lkl_netdev *nd)
{
	return to_fd(nd)->in;
}

static void close_all(int in, int out)
{
	close(in);
	if (out != in)
		close(out);
}

static void close_wire(struct fd_wire *w)
{
	close_all(w->in, w->out);
	close(w->wakeup);
	close(w->epoll);
	if (w->netlink >= 0)
		close(w->netlink);
	w->in = w->out = w->wakeup = w->epoll = w->netlink = -1;
}

void lkl_fd_forked(struct lkl_netdev *nd)
{
	for (; nd; nd = nd->next)
		close_wire(to_fd(nd));
}

void lkl_fd_free(struct lkl_netdev *nd)
{
	while (nd) {
		struct lkl_netdev *next = nd->next;

		close_wire(to_fd(nd));
		free(nd);
		nd = next;
	}
}

static bool dont_block(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && !fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

bool lkl_fd_watch(struct fd_wire *w, int fd, unsigned int events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return dont_block(fd) &&
	       !epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event);
}

void *lkl_fd_wire(size_t size, struct lkl_dev_net_ops *ops, int in, int out)
{
	unsigned int in_events = EPOLLIN | EPOLLRDHUP | EPOLLET;
	unsigned int out_events = EPOLLOUT | EPOLLET;
	struct fd_wire *w = calloc(1, size);
	socklen_t len = sizeof(w->socket);
	int saved;

	if (!w) {
		close_all(in, out);
		errno = ENOMEM;
		return NULL;
	}
	w->nd.ops = ops;
	w->nd.flags = LKL_NETDEV_INLINE;
	w->in = in;
	w->out = out;
	w->netlink = -1;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->wakeup = eventfd(0, EFD_CLOEXEC);
	if (in == out)
		in_events |= out_events;
	if (w->epoll < 0 || w->wakeup < 0 ||
	    !lkl_fd_watch(w, w->wakeup, EPOLLIN) ||
	    !(ops->fd ? dont_block(in) : lkl_fd_watch(w, in, in_events)) ||
	    (in != out && !lkl_fd_watch(w, out, out_events))) {
		saved = errno;
		lkl_fd_free(&w->nd);
		errno = saved;
		return NULL;
	}
	if (getsockopt(in, SOL_SOCKET, SO_TYPE, &w->socket, &len))
		w->socket = 0;
	return w;
}
