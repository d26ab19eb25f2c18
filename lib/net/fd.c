// SPDX-License-Identifier: GPL-2.0-only
/*
 * A wire that is a descriptor, each read() and write() of which is one frame;
 * the base of others.
 *
 * The descriptor is watched for changes only: the device reads until there is
 * nothing, and hears of room to write only when there was none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/if_tun.h>
#include <net/if.h>

#include "../net.h"

static struct fd_wire *to_fd(struct lkl_netdev *nd)
{
	return (struct fd_wire *)nd;
}

/* Without errno and thread cancellation: this runs inside the kernel. */
static long raw_syscall3(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("syscall"
		     : "=a"(ret)
		     : "0"(nr), "D"(a), "S"(b), "d"(c)
		     : "rcx", "r11", "memory");
	return ret;
}

static long transfer(struct fd_wire *w, bool out, struct iovec *iov, int cnt)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = cnt };
	long ret;

	do {
		if (w->is_socket)
			ret = raw_syscall3(out ? __NR_sendmsg : __NR_recvmsg,
					   w->fd, (long)&msg,
					   MSG_DONTWAIT | MSG_NOSIGNAL);
		else
			ret = raw_syscall3(out ? __NR_writev : __NR_readv,
					   w->fd, (long)iov, cnt);
	} while (ret == -EINTR);
	return ret;
}

int lkl_fd_tx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	/* All other errors mean that the frame is lost. */
	return transfer(to_fd(nd), true, iov, cnt) == -EAGAIN ? -EAGAIN : 0;
}

int lkl_fd_rx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	return transfer(to_fd(nd), false, iov, cnt);
}

int lkl_fd_poll(struct lkl_netdev *nd)
{
	struct fd_wire *w = to_fd(nd);
	struct epoll_event events[2];
	uint64_t count;
	int i, n, mask = 0;

	do
		n = epoll_wait(w->epoll, events, 2, -1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (i = 0; i < n; i++) {
		unsigned int e = events[i].events;

		if (events[i].data.fd == w->wakeup) {
			if (read(w->wakeup, &count, sizeof(count)) > 0)
				mask |= LKL_DEV_NET_POLL_HUP;
			continue;
		}
		if (e & EPOLLIN)
			mask |= LKL_DEV_NET_POLL_RX;
		if (e & EPOLLOUT)
			mask |= LKL_DEV_NET_POLL_TX;
		if (e & (EPOLLERR | EPOLLHUP))
			mask |= LKL_DEV_NET_POLL_HUP;
	}
	return mask;
}

void lkl_fd_poll_hup(struct lkl_netdev *nd)
{
	uint64_t one = 1;

	if (write(to_fd(nd)->wakeup, &one, sizeof(one)) < 0)
		abort(); /* an eventfd takes any number */
}

void lkl_fd_free(struct lkl_netdev *nd)
{
	struct fd_wire *w = to_fd(nd);

	close(w->fd);
	close(w->wakeup);
	close(w->epoll);
	free(w);
}

static bool watch(struct fd_wire *w, int fd, unsigned int events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return !epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event);
}

void *lkl_fd_wire(size_t size, struct lkl_dev_net_ops *ops, int fd)
{
	struct fd_wire *w = calloc(1, size);
	int saved, flags;
	struct stat st;

	if (!w) {
		saved = errno;
		close(fd);
		errno = saved;
		return NULL;
	}
	w->nd.ops = ops;
	w->nd.flags = LKL_NETDEV_INLINE;
	w->fd = fd;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	flags = fcntl(fd, F_GETFL);
	if (w->epoll < 0 || w->wakeup < 0 || flags < 0 || fstat(fd, &st) ||
	    !watch(w, w->wakeup, EPOLLIN) ||
	    !watch(w, fd, EPOLLIN | EPOLLOUT | EPOLLET) ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK)) {
		saved = errno;
		lkl_fd_free(&w->nd);
		errno = saved;
		return NULL;
	}
	w->is_socket = S_ISSOCK(st.st_mode);
	return w;
}
