// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a wire whose other side is elsewhere is made.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "../message.h"
#include "client.h"
#include "protocol.h"

static void client_forked(struct lkl_netdev *nd)
{
	struct client *c = to_pair(nd)->c;
	struct client_pair *p;
	unsigned int q;

	close_fd(&c->sock);
	close_fd(&c->timer);
	for_each_client_pair(p, c) {
		close_fd(&p->epoll);
		close_fd(&p->wakeup);
		for (q = RX; q <= TX; q++) {
			close_fd(&p->call[q]);
			close_fd(&p->kick[q]);
		}
	}
	close_fd(&c->area_fd);
	if (c->tap)
		lkl_fd_forked(&c->tap->nd);
}

static void client_free(struct lkl_netdev *nd)
{
	struct client *c = to_pair(nd)->c;

	client_forked(nd);
	if (c->tap)
		lkl_fd_free(&c->tap->nd);
	if (c->area)
		munmap(c->area, c->n * AREA);
	free(c);
}

static int client_setup(struct lkl_netdev *nd, const unsigned char *mac,
			unsigned int offload)
{
	struct client *c = to_pair(nd)->c;
	int ret;

	if (offload & ~c->features) {
		lkl_message(c->name, "offload 0x%x: it has 0x%llx only",
			    offload, c->features & OFFLOADS);
		return -EOPNOTSUPP;
	}
	if (c->tap) {
		ret = c->tap->nd.ops->setup(&c->tap->nd, mac, offload);
		if (ret)
			return ret;
		nd->flags = (nd->flags & ~LKL_NETDEV_USO) |
			    (c->tap->nd.flags & LKL_NETDEV_USO);
	}
	c->features = (c->features & ~(unsigned long long)OFFLOADS) | offload;
	return 0;
}

static struct lkl_dev_net_ops client_ops = {
	.give = client_give,
	.take = client_take,
	.push = client_push,
	.look = client_look,
	.recall = client_recall,
	.poll = client_poll,
	.poll_hup = client_poll_hup,
	.free = client_free,
	.forked = client_forked,
	.setup = client_setup,
	.link = client_link,
	.fd = client_fd,
	.poll_rx = client_poll_rx,
	.pairs = client_pairs,
};

static bool make_pair(struct client_pair *p)
{
	unsigned int q;

	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (q = RX; q <= TX; q++) {
		p->call[q] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		p->kick[q] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (p->call[q] < 0 || p->kick[q] < 0)
			return false;
	}
	return p->epoll >= 0 && client_watch(p, p->wakeup, EPOLLIN) &&
	       client_watch(p, p->call[TX], EPOLLIN);
}

static bool make_descriptors(struct client *c)
{
	struct client_pair *p;

	for_each_client_pair(p, c)
		if (!make_pair(p))
			return false;
	c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	c->area_fd = linux_memory("lkl-vhost", c->n * AREA);
	if (c->area_fd < 0) {
		errno = -c->area_fd;
		return false;
	}
	c->area = mmap(NULL, c->n * AREA, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_NORESERVE, c->area_fd, 0);
	if (c->area == MAP_FAILED) {
		c->area = NULL;
		return false;
	}
	/* A forked child has another kernel. */
	madvise(c->area, c->n * AREA, MADV_DONTFORK);
	if (c->tap && c->tap->netlink >= 0 &&
	    !client_watch(c->pairs, c->tap->netlink, EPOLLIN))
		return false;
	return client_watch(c->pairs, c->timer, EPOLLIN);
}

static void place_rings(struct client *c)
{
	struct client_pair *p;
	unsigned int q;

	_Static_assert(VHOST_DRIVER_SIZE <= RING_SPACE, "no room");
	for_each_client_pair(p, c) {
		p->area = c->area + p->index * AREA;
		for (q = RX; q <= TX; q++)
			vhost_driver_init(&p->rings[q],
					  p->area + q * RING_SPACE);
	}
}

/* Of what the other side has, what makes sense together. */
static unsigned int usual_offloads(unsigned int has)
{
	unsigned int send = OFFLOAD(HOST_TSO4) | OFFLOAD(HOST_TSO6);
	unsigned int receive = OFFLOAD(GUEST_TSO4) | OFFLOAD(GUEST_TSO6);
	unsigned int usual = OFFLOAD(CSUM) | OFFLOAD(GUEST_CSUM) |
			     OFFLOAD(MRG_RXBUF);

	if (has & OFFLOAD(CSUM))
		usual |= send;
	if (has & OFFLOAD(GUEST_CSUM))
		usual |= receive;
	return has & usual;
}

/* Hear what the other side can. */
static bool greet(struct client *c, unsigned int offload)
{
	unsigned long long has, must = VIRTIO(F_VERSION_1);
	int ret = c->peer->connect(c);

	if (!ret)
		ret = c->peer->features(c, &has);
	if (ret) {
		lkl_message(c->name, "%s", client_why(-ret));
		return false;
	}
	if (!(has & must)) {
		lkl_message(c->name, "it has no virtio 1.0");
		return false;
	}
	c->features = has & (must | VHOST_F_PROTOCOL_FEATURES |
			     VIRTIO(RING_F_EVENT_IDX) | VIRTIO(NET_F_MAC) |
			     VIRTIO(NET_F_MTU) | OFFLOADS);
	if (c->n > 1)
		c->features |= has & VIRTIO(NET_F_MQ);
	if (c->peer->config)
		c->peer->config(c);
	c->features &= ~(VIRTIO(NET_F_MAC) | VIRTIO(NET_F_MTU));
	if (!offload)
		c->pairs->nd.needs = usual_offloads(c->features);
	c->pairs->nd.offload = offload;
	return true;
}

/* Nothing of it is open yet. */
static struct client *new_client(unsigned int queues)
{
	struct client *c = calloc(1, sizeof(*c) + queues * sizeof(*c->pairs));
	unsigned int i;

	if (!c)
		return NULL;
	c->sock = c->timer = c->area_fd = -1;
	c->n = queues;
	c->active = 1;
	for (i = 0; i < queues; i++) {
		struct client_pair *p = &c->pairs[i];

		p->c = c;
		p->index = i;
		p->epoll = p->wakeup = -1;
		p->call[RX] = p->call[TX] = p->kick[RX] = p->kick[TX] = -1;
		p->nd.ops = &client_ops;
		p->nd.flags = LKL_NETDEV_INLINE | LKL_NETDEV_EDGE;
		p->nd.has_vnet_hdr = 1;
		if (i + 1 < queues)
			p->nd.next = &p[1].nd;
	}
	return c;
}

struct lkl_netdev *client_create(const char *kind, const char *path,
				 const struct client_peer *peer,
				 unsigned int queues, struct fd_wire *tap,
				 unsigned int offload)
{
	struct client *c = new_client(queues);

	if (!c) {
		lkl_message(kind, "%s", strerror(ENOMEM));
		if (tap)
			lkl_fd_free(&tap->nd);
		return NULL;
	}
	c->peer = peer;
	c->tap = tap;
	c->addr.sun_family = AF_UNIX;
	snprintf(c->name, sizeof(c->name), "%s %s", kind, path);
	if (!*path || strlen(path) >= sizeof(c->addr.sun_path)) {
		lkl_message(c->name, "a path has 1 to %zu characters",
			    sizeof(c->addr.sun_path) - 1);
	} else if (strcpy(c->addr.sun_path, path), !make_descriptors(c)) {
		lkl_message(c->name, "%s", strerror(errno));
	} else if (greet(c, offload)) {
		place_rings(c);
		return &c->pairs->nd;
	}
	client_free(&c->pairs->nd);
	return NULL;
}
