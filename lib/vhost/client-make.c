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
	struct client *c = to_client(nd);
	unsigned int q;

	close_fd(&c->sock);
	close_fd(&c->epoll);
	close_fd(&c->wakeup);
	close_fd(&c->timer);
	for (q = RX; q <= TX; q++) {
		close_fd(&c->call[q]);
		close_fd(&c->kick[q]);
	}
	close_fd(&c->area_fd);
	if (c->tap)
		lkl_fd_forked(&c->tap->nd);
}

static void client_free(struct lkl_netdev *nd)
{
	struct client *c = to_client(nd);

	client_forked(nd);
	if (c->tap)
		lkl_fd_free(&c->tap->nd);
	if (c->area)
		munmap(c->area, AREA);
	free(c);
}

static int client_setup(struct lkl_netdev *nd, const unsigned char *mac,
			unsigned int offload)
{
	struct client *c = to_client(nd);
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
	.recall = client_recall,
	.poll = client_poll,
	.poll_hup = client_poll_hup,
	.free = client_free,
	.forked = client_forked,
	.setup = client_setup,
	.link = client_link,
	.fd = client_fd,
	.poll_rx = client_poll_rx,
};

static bool make_descriptors(struct client *c)
{
	unsigned int q;

	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	c->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	c->area_fd = posix_memory("lkl-vhost", AREA);
	for (q = RX; q <= TX; q++) {
		c->call[q] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		c->kick[q] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (c->call[q] < 0 || c->kick[q] < 0)
			return false;
	}
	if (c->area_fd < 0)
		errno = -c->area_fd;
	if (c->epoll < 0 || c->area_fd < 0)
		return false;
	c->area = mmap(NULL, AREA, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_NORESERVE, c->area_fd, 0);
	if (c->area == MAP_FAILED) {
		c->area = NULL;
		return false;
	}
	/* A forked child has another kernel. */
	madvise(c->area, AREA, MADV_DONTFORK);
	if (c->tap && c->tap->netlink >= 0 &&
	    !client_watch(c, c->tap->netlink, EPOLLIN))
		return false;
	return client_watch(c, c->wakeup, EPOLLIN) &&
	       client_watch(c, c->timer, EPOLLIN) &&
	       client_watch(c, c->call[TX], EPOLLIN);
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
	if (c->peer->config)
		c->peer->config(c);
	c->features &= ~(VIRTIO(NET_F_MAC) | VIRTIO(NET_F_MTU));
	if (!offload)
		c->nd.needs = usual_offloads(c->features);
	c->nd.offload = offload;
	return true;
}

struct lkl_netdev *client_create(const char *kind, const char *path,
				 const struct client_peer *peer,
				 struct fd_wire *tap, unsigned int offload)
{
	struct client *c = calloc(1, sizeof(*c));
	unsigned int q;

	if (!c) {
		lkl_message(kind, "%s", strerror(ENOMEM));
		if (tap)
			lkl_fd_free(&tap->nd);
		return NULL;
	}
	c->peer = peer;
	c->tap = tap;
	c->sock = c->epoll = c->wakeup = c->timer = c->area_fd = -1;
	for (q = RX; q <= TX; q++)
		c->call[q] = c->kick[q] = -1;
	c->nd.ops = &client_ops;
	c->nd.flags = LKL_NETDEV_INLINE | LKL_NETDEV_EDGE;
	c->nd.has_vnet_hdr = 1;
	c->addr.sun_family = AF_UNIX;
	snprintf(c->name, sizeof(c->name), "%s %s", kind, path);
	if (!*path || strlen(path) >= sizeof(c->addr.sun_path)) {
		lkl_message(c->name, "a path has 1 to %zu characters",
			    sizeof(c->addr.sun_path) - 1);
	} else if (strcpy(c->addr.sun_path, path), !make_descriptors(c)) {
		lkl_message(c->name, "%s", strerror(errno));
	} else if (greet(c, offload)) {
		_Static_assert(VHOST_DRIVER_SIZE <= RING_SPACE, "no room");
		for (q = RX; q <= TX; q++)
			vhost_driver_init(&c->rings[q],
					  c->area + q * RING_SPACE);
		return &c->nd;
	}
	client_free(&c->nd);
	return NULL;
}
