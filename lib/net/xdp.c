// SPDX-License-Identifier: GPL-2.0-only
/*
 * A queue of a host's interface, taken from the host's own stack (AF_XDP).
 *
 * The host's kernel and we share four rings and a piece of memory.  Each chunk
 * of that is always in one place.  Half of them are for receiving: in the fill
 * ring until there is a frame in them, which the receive ring tells of.  The
 * others are for sending: free, or in the send ring, or with the driver until
 * the completion ring returns them.  A frame is copied between a chunk and the
 * kernel's buffer.  The memory could be RAM, but would have to be all of it,
 * and the host would then hold every page of that in memory.
 *
 * To send takes a host call for each batch, to receive none but the one in
 * which a thread sleeps.  Sending and receiving share nothing, so the guards of
 * the device are all the locks there are.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../host/linux/linux.h"
#include "../../host/iov.h"
#include "../net.h"
#include "xdp.h"

/* The host keeps the front of a chunk; Ethernet's header and a VLAN's tag. */
#define MTU_MAX (XDP_CHUNK - 256 - 18)

/*
 * @fd: its descriptors are copies of the socket's
 * @name: what to call it in messages
 * @socket: the socket
 * @link: of the program
 * @gone: it has been said that the interface is
 */
struct xdp_wire {
	struct fd_wire fd;
	char name[64];
	struct xdp_socket *socket;
	int link;
	bool gone;
};

static struct xdp_wire *to_xdp(struct lkl_netdev *nd)
{
	return (struct xdp_wire *)nd;
}

/*
 * Frames
 */

static void take_back(struct xdp_socket *s)
{
	unsigned int i, n;
	__u32 at;

	n = xsk_ring_cons__peek(&s->comp, XDP_CHUNKS, &at);
	for (i = 0; i < n; i++)
		s->free[s->n_free++] =
			*xsk_ring_cons__comp_addr(&s->comp, at + i);
	if (n)
		xsk_ring_cons__release(&s->comp, n);
}

/* Have poll() tell once, or never, when there is room. */
static bool await_room(struct fd_wire *w, unsigned int events)
{
	struct epoll_event event = { .events = events | EPOLLONESHOT,
				     .data.fd = w->out };

	return !raw_syscall(__NR_epoll_ctl, w->epoll, EPOLL_CTL_MOD, w->out,
			    (long)&event, 0, 0);
}

static int xdp_tx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	struct xdp_wire *w = to_xdp(nd);
	struct xdp_socket *s = w->socket;
	size_t len = iov_length(iov, cnt);
	struct xdp_desc *desc;
	__u32 at;

	if (len > XDP_CHUNK)
		return 0;
	if (!s->n_free)
		take_back(s);
	if (!s->n_free || !xsk_ring_prod__reserve(&s->tx, 1, &at)) {
		await_room(&w->fd, EPOLLOUT);
		return -EAGAIN;
	}
	desc = xsk_ring_prod__tx_desc(&s->tx, at);
	*desc = (struct xdp_desc){ .addr = s->free[--s->n_free], .len = len };
	iov_get(iov, cnt, s->area + desc->addr, len);
	xsk_ring_prod__submit(&s->tx, 1);
	return 0;
}

/* The host sends some at a time, and the rest when there is room. */
static int xdp_push(struct lkl_netdev *nd, int out)
{
	struct xdp_wire *w = to_xdp(nd);
	struct xsk_ring_prod *tx = &w->socket->tx;
	__u32 before, now = *tx->consumer;

	(void)out;
	while (now != *tx->producer && xsk_ring_prod__needs_wakeup(tx)) {
		raw_syscall(__NR_sendto, w->fd.out, 0, 0, MSG_DONTWAIT, 0, 0);
		before = now;
		now = __atomic_load_n(tx->consumer, __ATOMIC_ACQUIRE);
		if (now == before) {
			await_room(&w->fd, EPOLLOUT);
			break;
		}
	}
	return 0;
}

static int xdp_rx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	struct xdp_wire *w = to_xdp(nd);
	struct xdp_socket *s = w->socket;
	const struct xdp_desc *desc;
	__u32 at, to, len;

	if (!xsk_ring_cons__peek(&s->rx, 1, &at))
		return -EAGAIN;
	desc = xsk_ring_cons__rx_desc(&s->rx, at);
	len = desc->len;
	iov_put(iov, cnt, s->area + desc->addr, len);
	/* There is room for all chunks that are for receiving. */
	if (xsk_ring_prod__reserve(&s->fill, 1, &to)) {
		*xsk_ring_prod__fill_addr(&s->fill, to) =
			desc->addr / XDP_CHUNK * XDP_CHUNK;
		xsk_ring_prod__submit(&s->fill, 1);
	}
	xsk_ring_cons__release(&s->rx, 1);
	if (xsk_ring_prod__needs_wakeup(&s->fill))
		raw_syscall(__NR_recvfrom, w->fd.in, 0, 0, MSG_DONTWAIT, 0, 0);
	return len;
}

static int xdp_poll(struct lkl_netdev *nd)
{
	struct xdp_wire *w = to_xdp(nd);
	int events = lkl_fd_poll(nd);
	char name[IF_NAMESIZE];

	if (events > 0 && events & LKL_DEV_NET_POLL_LINK) {
		/* What it did not send while it was down. */
		events |= LKL_DEV_NET_POLL_TX;
		if (!w->gone && !if_indextoname(w->fd.ifindex, name)) {
			w->gone = true;
			lkl_message(w->name, "the interface has gone");
		}
	}
	return events;
}

/* No frames for the socket any more, then no socket. */
static void xdp_forked(struct lkl_netdev *nd)
{
	struct xdp_wire *w = to_xdp(nd);

	if (w->link >= 0)
		close(w->link);
	w->link = -1;
	xdp_socket_forget(w->socket);
	lkl_fd_forked(nd);
}

static void xdp_free(struct lkl_netdev *nd)
{
	struct xdp_socket *s = to_xdp(nd)->socket;

	if (to_xdp(nd)->link >= 0)
		close(to_xdp(nd)->link);
	lkl_fd_free(nd);
	xdp_socket_close(s);
}

static struct lkl_dev_net_ops xdp_ops = {
	.tx = xdp_tx,
	.push = xdp_push,
	.rx = xdp_rx,
	.poll = xdp_poll,
	.poll_hup = lkl_fd_poll_hup,
	.forked = xdp_forked,
	.free = xdp_free,
	.link = lkl_fd_link,
	.fd = lkl_fd_fd,
	.poll_rx = lkl_fd_poll_rx,
};

/*
 * Making one
 */

/* @NAME[,QUEUE]; false if it is nothing like that. */
static bool parse(const char *param, char name[IFNAMSIZ], unsigned int *queue)
{
	const char *comma = strrchr(param, ',');
	size_t len = comma ? (size_t)(comma - param) : strlen(param);
	char *end;

	*queue = 0;
	if (!len || len >= IFNAMSIZ)
		return false;
	memcpy(name, param, len);
	name[len] = 0;
	if (!comma)
		return true;
	*queue = strtoul(comma + 1, &end, 10);
	return comma[1] >= '0' && comma[1] <= '9' && !*end && *queue < 4096;
}

/* What the interface is like; NULL, or why it will not do. */
static const char *inspect(struct lkl_netdev *nd, const char *ifname)
{
	static char text[60];
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { 0 };
	const char *why = NULL;

	strcpy(ifr.ifr_name, ifname);
	if (sock < 0 || ioctl(sock, SIOCGIFMTU, &ifr)) {
		why = strerror(errno);
	} else if (ifr.ifr_mtu > MTU_MAX) {
		snprintf(text, sizeof(text), "an MTU of %d; it can be %d",
			 ifr.ifr_mtu, MTU_MAX);
		why = text;
	} else {
		nd->mtu = ifr.ifr_mtu;
		/* Else buffers are for frames of 1500 bytes. */
		if (ifr.ifr_mtu > 1500)
			nd->needs = OFFLOAD(MRG_RXBUF);
		if (!ioctl(sock, SIOCGIFHWADDR, &ifr))
			memcpy(nd->mac, ifr.ifr_hwaddr.sa_data, 6);
	}
	if (sock >= 0)
		close(sock);
	return why;
}

/* The wire of a socket, which it takes. */
static struct xdp_wire *make(const char *name, struct xdp_socket *socket)
{
	int in = fcntl(xdp_socket_fd(socket), F_DUPFD_CLOEXEC, 0);
	int out = fcntl(xdp_socket_fd(socket), F_DUPFD_CLOEXEC, 0);
	struct xdp_wire *w = lkl_fd_wire(sizeof(*w), &xdp_ops, in, out);

	if (!w) {
		lkl_message(name, "%s", strerror(errno));
		xdp_socket_close(socket);
		return NULL;
	}
	strcpy(w->name, name);
	w->fd.nd.flags |= LKL_NETDEV_STAYS;
	w->socket = socket;
	w->link = -1;
	return w;
}

struct lkl_netdev *lkl_netdev_xdp_create(const char *param)
{
	struct xdp_options options = { 0 };
	socklen_t len = sizeof(options);
	char name[64], ifname[IFNAMSIZ];
	struct xdp_socket *socket;
	struct xdp_wire *w;
	unsigned int queue;
	const char *why;

	snprintf(name, sizeof(name), "xdp %s", param);
	if (!parse(param, ifname, &queue)) {
		lkl_message(name, "not INTERFACE or INTERFACE,QUEUE");
		return NULL;
	}
	socket = xdp_socket_open(name, ifname, queue);
	w = socket ? make(name, socket) : NULL;
	if (!w)
		return NULL;
	why = inspect(&w->fd.nd, ifname);
	if (!why && (!await_room(&w->fd, 0) || !lkl_fd_follow(&w->fd, ifname)))
		why = strerror(errno);
	if (why)
		lkl_message(name, "%s", why);
	else
		w->link = xdp_attach(name, w->fd.ifindex, queue, w->fd.in);
	if (w->link < 0) {
		xdp_free(&w->fd.nd);
		return NULL;
	}
	getsockopt(w->fd.in, SOL_XDP, XDP_OPTIONS, &options, &len);
	lkl_message(name, "has queue %u of the host's %s, %s", queue, ifname,
		    options.flags & XDP_OPTIONS_ZEROCOPY
			    ? "without copies of the host's"
			    : "which copies");
	return &w->fd.nd;
}
