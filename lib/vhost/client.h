/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A wire whose other side is a vhost-user back end or the host's vhost-net:
 * what their files share.
 */
#ifndef LIB_VHOST_CLIENT_H
#define LIB_VHOST_CLIENT_H

#include <sys/un.h>
#include <lkl/asm/virtio_host.h>
#include <lkl/linux/virtio_config.h>
#include "../net.h"
#include "driver.h"
#include "tools.h"

/* The area of a pair of queues: two rings, and for each descriptor of the one
 * for sending a slot for what is copied of a frame. */
#define RING_SPACE (64 << 10)
#define SLOT (FRAME_MAX + 4096 - FRAME_MAX % 4096)
#define AREA (2 * RING_SPACE + VHOST_DRIVER_NUM * (size_t)SLOT)

enum { RX, TX };

/* Features that are offloads. */
#define OFFLOADS                                                               \
	(OFFLOAD(CSUM) | OFFLOAD(GUEST_CSUM) | OFFLOAD(GUEST_TSO4) |           \
	 OFFLOAD(GUEST_TSO6) | OFFLOAD(GUEST_ECN) | OFFLOAD(GUEST_UFO) |       \
	 OFFLOAD(HOST_TSO4) | OFFLOAD(HOST_TSO6) | OFFLOAD(HOST_ECN) |         \
	 OFFLOAD(HOST_UFO) | OFFLOAD(MRG_RXBUF))

/* What is added to the eventfd that wakes a polling thread; all but the first
 * for that of the first pair. */
#define WAKEUP_RX 1
#define WAKEUP_START (1ULL << 16)
#define WAKEUP_BROKEN (1ULL << 32)
#define WAKEUP_HUP (1ULL << 48)

struct client;

/**
 * struct client_peer - how the other side is talked to
 *
 * Each returns 0 or a negative error number.
 *
 * @connect: reach it, and store the descriptor
 * @features: ask what it can do
 * @config: ask for an address and an MTU, and keep them; may be NULL
 * @begin: tell it where all is; it begins
 * @pairs: tell it which pairs of queues are used; may be NULL
 * @end: have it end; in the middle of the kernel
 */
struct client_peer {
	int (*connect)(struct client *c);
	int (*features)(struct client *c, unsigned long long *has);
	void (*config)(struct client *c);
	int (*begin)(struct client *c);
	int (*pairs)(struct client *c);
	int (*end)(struct client *c);
};

/*
 * A pair of queues.
 *
 * @index: which
 * @epoll: what its polling thread sleeps in
 * @wakeup: by which that is told something, as WAKEUP_*
 * @call: by which the other side tells that it is done with buffers of a ring
 * @kick: by which it is told of new ones
 * @area: where the rings are, and what is copied
 * @rings: the one to receive from, and the one to send to
 * @locks: of the rings
 * @lent: chains for sending that point to memory of others
 * @starved: there was no room for a frame
 * @shared: call[RX] is in @epoll, and in the listeners'
 */
struct client_pair {
	struct lkl_netdev nd;
	struct client *c;
	unsigned int index;
	int epoll;
	int wakeup;
	int call[2];
	int kick[2];
	char *area;
	struct vhost_driver rings[2];
	int locks[2];
	unsigned int lent;
	bool starved;
	bool shared;
};

/*
 * @peer: how the other side is talked to
 * @addr: where it listens
 * @tap: the wire of a tap behind vhost-net, or NULL
 * @name: what to call the wire in messages
 * @sock: the connection, or -1
 * @timer: when to try to connect again
 * @area_fd: memory file with the areas of the pairs
 * @area: where that is mapped
 * @features: virtio's that both sides have
 * @protocol: the protocol's
 * @talk: held while requests are made
 * @wanted: something has been given since recall()
 * @started: the other side knows the rings
 * @told: it has been said that the other side is gone
 * @n: pairs of queues
 * @active: those that the kernel uses
 * @enabled: those that the other side has been told to use
 */
struct client {
	const struct client_peer *peer;
	struct sockaddr_un addr;
	struct fd_wire *tap;
	char name[sizeof(((struct sockaddr_un *)0)->sun_path) + 24];
	int sock;
	int timer;
	int area_fd;
	char *area;
	unsigned long long features;
	unsigned long long protocol;
	int talk;
	bool wanted;
	bool started;
	bool told;
	unsigned int n;
	unsigned int active;
	unsigned int enabled;
	struct client_pair pairs[];
};

#define for_each_client_pair(at, client) \
	for (at = (client)->pairs; at < (client)->pairs + (client)->n; at++)

static inline struct client_pair *to_pair(struct lkl_netdev *nd)
{
	return (struct client_pair *)nd;
}

/* Where something is for the other side. */
static inline uint64_t client_physical(const void *p)
{
	return (unsigned long)p ^ LKL_VIRTIO_XOR;
}

/* client.c: operations of the device, see struct lkl_dev_net_ops. */
int client_give(struct lkl_netdev *nd, int out, struct iovec *iov, int cnt,
		unsigned int id);
int client_take(struct lkl_netdev *nd, int out, unsigned int *id,
		unsigned int *len);
int client_push(struct lkl_netdev *nd, int out);
int client_look(struct lkl_netdev *nd, int again);
void client_recall(struct lkl_netdev *nd);
void client_pairs(struct lkl_netdev *nd, unsigned int n);

/* Have a ring begin anew, with all that was given. */
void client_begin_ring(struct client_pair *p, unsigned int q);

/* client-poll.c */
int client_link(struct lkl_netdev *nd);
int client_poll(struct lkl_netdev *nd);
void client_poll_hup(struct lkl_netdev *nd);
void client_poll_rx(struct lkl_netdev *nd);
int client_fd(struct lkl_netdev *nd);

/* Have the polling thread of a pair watch a descriptor. */
bool client_watch(struct client_pair *p, int fd, unsigned int events);

/* What is wrong with the other side. */
const char *client_why(int err);

/**
 * client_create - make a wire
 * @kind: what it is
 * @path: which one, a socket if the peer has one
 * @peer: how to talk to it
 * @queues: pairs of queues
 * @tap: what vhost-net shall take, or NULL
 * @offload: features that are offloads; 0 for those that the other side has
 *
 * Return: the wire, or NULL after a message
 */
struct lkl_netdev *client_create(const char *kind, const char *path,
				 const struct client_peer *peer,
				 unsigned int queues, struct fd_wire *tap,
				 unsigned int offload);

#endif /* LIB_VHOST_CLIENT_H */
