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

/* All has changed, for the other pairs, too. */
static void tell_others(struct client *c)
{
	unsigned int i;

	for (i = 1; i < c->n; i++)
		ring_bell(c->pairs[i].wakeup, WAKEUP_RX);
}

/* The other side has gone, or is of no use. */
static void disconnect(struct client *c, const char *why)
{
	struct client_pair *p;

	lock_take(&c->talk);
	close_fd(&c->sock);
	c->started = false;
	lock_give(&c->talk);
	for_each_client_pair(p, c) {
		lock_take(&p->locks[RX]);
		p->rings[RX].broken = true;
		lock_give(&p->locks[RX]);
		lock_take(&p->locks[TX]);
		p->rings[TX].lost = true;
		lock_give(&p->locks[TX]);
	}
	tell_others(c);
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
	case ERANGE:
		return "it has not so many pairs of queues";
	case EPIPE:
		return "it has closed the connection";
	}
	return strerror(err);
}

/* The kernel uses more or fewer pairs of queues than before. */
static void use_pairs(struct client *c)
{
	int ret = 0;

	lock_take(&c->talk);
	if (c->started && c->peer->pairs && c->enabled != c->active)
		ret = c->peer->pairs(c);
	lock_give(&c->talk);
	if (ret)
		disconnect(c, client_why(-ret));
}

/* Connect if need be, and tell the other side where all is. */
static void start(struct client *c)
{
	unsigned long long has = c->features;
	int ret = 0;

	if (c->started) {
		use_pairs(c);
		return;
	}
	if (!__atomic_load_n(&c->wanted, __ATOMIC_SEQ_CST))
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
	tell_others(c);
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
	struct client *c = to_pair(nd)->c;

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

static bool is_broken(const struct client *c)
{
	const struct client_pair *p;

	for_each_client_pair(p, c)
		if (p->rings[RX].broken || p->rings[TX].broken)
			return true;
	return false;
}

static int on_wakeup(struct client_pair *p)
{
	struct client *c = p->c;
	uint64_t count;
	int mask = 0;

	if (read(p->wakeup, &count, sizeof(count)) < 0)
		return 0;
	if (count % WAKEUP_START)
		mask |= LKL_DEV_NET_POLL_RX;
	if (count % WAKEUP_START && p->index)
		mask |= LKL_DEV_NET_POLL_TX;
	if (count % WAKEUP_BROKEN >= WAKEUP_START) {
		start(c);
		/* What was given before it began is out now. */
		mask |= LKL_DEV_NET_POLL_LINK | LKL_DEV_NET_POLL_RX |
			LKL_DEV_NET_POLL_TX;
	}
	if (count % WAKEUP_HUP >= WAKEUP_BROKEN && c->sock >= 0 &&
	    is_broken(c)) {
		disconnect(c, "it has put nonsense into a ring");
		mask |= LKL_DEV_NET_POLL_LINK | LKL_DEV_NET_POLL_TX;
	}
	if (count >= WAKEUP_HUP)
		mask |= LKL_DEV_NET_POLL_HUP;
	/* Look anew, and behind the listeners. */
	if (p->shared)
		epoll_ctl(p->epoll, EPOLL_CTL_DEL, p->call[RX], NULL);
	p->shared = false;
	return mask;
}

bool client_watch(struct client_pair *p, int fd, unsigned int events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return !epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event);
}

int client_poll(struct lkl_netdev *nd)
{
	struct client_pair *p = to_pair(nd);
	struct client *c = p->c;
	struct epoll_event events[8];
	int i, n, mask = 0;

	if (!p->shared)
		p->shared = client_watch(p, p->call[RX],
					 EPOLLIN | EPOLLET | EPOLLEXCLUSIVE);
	do
		n = epoll_wait(p->epoll, events, 8, -1);
	while (n < 0 && errno == EINTR);
	for (i = 0; i < n; i++) {
		int fd = events[i].data.fd;

		if (fd == p->wakeup) {
			mask |= on_wakeup(p);
		} else if (fd == c->timer) {
			clear_bell(fd);
			start(c);
			mask |= LKL_DEV_NET_POLL_LINK | LKL_DEV_NET_POLL_RX |
				LKL_DEV_NET_POLL_TX;
		} else if (fd == p->call[RX]) {
			mask |= LKL_DEV_NET_POLL_RX;
		} else if (fd == p->call[TX]) {
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
	ring_bell(to_pair(nd)->wakeup, WAKEUP_HUP);
}

void client_poll_rx(struct lkl_netdev *nd)
{
	ring_bell(to_pair(nd)->wakeup, WAKEUP_RX);
}

int client_fd(struct lkl_netdev *nd)
{
	return to_pair(nd)->call[RX];
}
