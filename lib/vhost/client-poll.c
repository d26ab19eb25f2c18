// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device whose other side is elsewhere: the thread that connects to it, and
 * waits for what it has to say.
 *
 * It is not told where rings are before something is given, which is when a
 * kernel runs.  If it goes away, the thread tries to connect again, once a
 * second; what was on its way is lost.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "../message.h"
#include "client.h"

static bool arm_timer(struct client *c)
{
	struct itimerspec when = { .it_value = { .tv_sec = 1 } };

	return !timerfd_settime(c->timer, 0, &when, NULL);
}

/* The other side has gone, or is of no use. */
static void disconnect(struct client *c, const char *why)
{
	unsigned int q;

	lock_take(&c->talk);
	close(c->sock);
	c->sock = -1;
	c->started = false;
	lock_give(&c->talk);
	for (q = RX; q <= TX; q++) {
		lock_take(&c->locks[q]);
		c->rings[q].broken = q == RX;
		c->rings[q].lost = q == TX;
		lock_give(&c->locks[q]);
	}
	if (!c->told)
		lkl_message(c->name, "%s; trying to connect again", why);
	c->told = true;
	arm_timer(c);
}

const char *client_why(int err)
{
	switch (err) {
	case EAGAIN:
		return "it accepts no more connections";
	case ETIME:
		return "it does not answer";
	case EPROTO:
		return "it does not speak vhost-user";
	case EINVAL:
		return "it refuses our memory";
	case EPIPE:
		return "it has closed the connection";
	}
	return strerror(err);
}

/* Connect if need be, and tell the other side where all is. */
static void start(struct client *c)
{
	unsigned long long has = c->features;
	int ret = 0;

	if (c->started || !__atomic_load_n(&c->wanted, __ATOMIC_SEQ_CST))
		return;
	if (c->sock < 0) {
		if (c->peer->connect(c)) {
			arm_timer(c);
			return;
		}
		ret = c->peer->features(c, &has);
	}
	if (!ret && c->features & ~has) {
		disconnect(c, "it has other features than before");
		return;
	}
	lock_take(&c->talk);
	/* A reset may have been quicker. */
	if (!ret && c->wanted) {
		ret = c->peer->begin(c);
		c->started = !ret;
	}
	lock_give(&c->talk);
	if (ret == -EAGAIN)
		return;
	if (ret)
		disconnect(c, client_why(-ret));
	else if (c->told)
		lkl_message(c->name, "connected again");
	c->told = c->told && ret;
}

int client_link(struct lkl_netdev *nd)
{
	struct client *c = to_client(nd);

	if (c->tap && c->tap->nd.ops->link && !lkl_fd_link(&c->tap->nd))
		return 0;
	return c->sock >= 0;
}

/* Whatever comes of the other side unasked is its end, or nonsense. */
static int on_socket(struct client *c)
{
	char byte;
	ssize_t n;

	/* An answer is for the thread that has asked. */
	lock_take(&c->talk);
	n = recv(c->sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	lock_give(&c->talk);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	disconnect(c, n > 0 ? client_why(EPROTO) : client_why(EPIPE));
	return LKL_DEV_NET_POLL_LINK | LKL_DEV_NET_POLL_TX;
}

static int on_wakeup(struct client *c)
{
	uint64_t count;
	int mask = 0;

	if (read(c->wakeup, &count, sizeof(count)) < 0)
		return 0;
	if (count % WAKEUP_START)
		mask |= LKL_DEV_NET_POLL_RX;
	if (count % WAKEUP_BROKEN >= WAKEUP_START) {
		start(c);
		/* What was given before it began is out now. */
		mask |= LKL_DEV_NET_POLL_LINK | LKL_DEV_NET_POLL_RX |
			LKL_DEV_NET_POLL_TX;
	}
	if (count % WAKEUP_HUP >= WAKEUP_BROKEN && c->sock >= 0 &&
	    (c->rings[RX].broken || c->rings[TX].broken)) {
		disconnect(c, "it has put nonsense into a ring");
		mask |= LKL_DEV_NET_POLL_LINK | LKL_DEV_NET_POLL_TX;
	}
	if (count >= WAKEUP_HUP)
		mask |= LKL_DEV_NET_POLL_HUP;
	/* Look anew, and behind the listeners. */
	if (c->shared)
		epoll_ctl(c->epoll, EPOLL_CTL_DEL, c->call[RX], NULL);
	c->shared = false;
	return mask;
}

bool client_watch(struct client *c, int fd, unsigned int events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return !epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &event);
}

int client_poll(struct lkl_netdev *nd)
{
	struct client *c = to_client(nd);
	struct epoll_event events[8];
	int i, n, mask = 0;

	if (!c->shared)
		c->shared = client_watch(c, c->call[RX],
					 EPOLLIN | EPOLLET | EPOLLEXCLUSIVE);
	do
		n = epoll_wait(c->epoll, events, 8, -1);
	while (n < 0 && errno == EINTR);
	for (i = 0; i < n; i++) {
		int fd = events[i].data.fd;

		if (fd == c->wakeup) {
			mask |= on_wakeup(c);
		} else if (fd == c->timer) {
			clear_bell(fd);
			start(c);
			mask |= LKL_DEV_NET_POLL_LINK | LKL_DEV_NET_POLL_RX |
				LKL_DEV_NET_POLL_TX;
		} else if (fd == c->call[RX]) {
			mask |= LKL_DEV_NET_POLL_RX;
		} else if (fd == c->call[TX]) {
			clear_bell(fd);
			mask |= LKL_DEV_NET_POLL_TX;
		} else if (fd == c->sock) {
			mask |= on_socket(c);
		} else if (c->tap && fd == c->tap->netlink) {
			mask |= lkl_fd_changed(c->tap);
		}
	}
	return n < 0 ? -errno : mask;
}

void client_poll_hup(struct lkl_netdev *nd)
{
	ring_bell(to_client(nd)->wakeup, WAKEUP_HUP);
}

void client_poll_rx(struct lkl_netdev *nd)
{
	ring_bell(to_client(nd)->wakeup, WAKEUP_RX);
}

int client_fd(struct lkl_netdev *nd)
{
	return to_client(nd)->call[RX];
}
