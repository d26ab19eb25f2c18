/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A wire with a vhost-user back end behind it: what client.c and
 * client-requests.c share.
 */
#ifndef LIB_VHOST_CLIENT_H
#define LIB_VHOST_CLIENT_H

#include <sys/un.h>
#include <lkl/linux/virtio_config.h>
#include "../net.h"
#include "driver.h"
#include "tools.h"

/* The area: two rings, and for each descriptor of the one for sending a slot
 * for what is copied of a frame. */
#define RING_SPACE (64 << 10)
#define SLOT (FRAME_MAX + 4096 - FRAME_MAX % 4096)
#define AREA (2 * RING_SPACE + VHOST_DRIVER_NUM * (size_t)SLOT)

enum { RX, TX };

/*
 * @addr: where the other side listens
 * @name: what to call the wire in messages
 * @sock: the connection, or -1
 * @epoll: what the polling thread sleeps in
 * @wakeup: by which it is told something, as WAKEUP_*
 * @timer: when to try to connect again
 * @call: by which the other side tells that it is done with buffers of a ring
 * @kick: by which it is told of new ones
 * @area_fd: memory file with the rings and what is copied
 * @area: where that is mapped
 * @features: virtio's that both sides have
 * @protocol: the protocol's
 * @rings: the one to receive from, and the one to send to
 * @talk: held while requests are made
 * @locks: of the rings
 * @lent: chains for sending that point to memory of others
 * @wanted: something has been given since recall()
 * @started: the other side knows the rings
 * @shared: call[RX] is in @epoll, and in the listeners'
 * @told: it has been said that the other side is gone
 */
struct client {
	struct lkl_netdev nd;
	struct sockaddr_un addr;
	char name[sizeof(((struct sockaddr_un *)0)->sun_path) + 24];
	int sock;
	int epoll;
	int wakeup;
	int timer;
	int call[2];
	int kick[2];
	int area_fd;
	char *area;
	unsigned long long features;
	unsigned long long protocol;
	int talk;
	int locks[2];
	struct vhost_driver rings[2];
	unsigned int lent;
	bool wanted;
	bool started;
	bool shared;
	bool told;
};

/* Where something is for the other side. */
uint64_t client_physical(const void *p);

/* Connect; 0 or a negative error number. */
int client_connect(struct client *c);

/* Ask what the other side can; stores its features, and which of the protocol's
 * both have.  0 or a negative error number. */
int client_get_features(struct client *c, unsigned long long *has);

/* Ask for an address and an MTU, and keep them. */
void client_get_config(struct client *c);

/* Tell the other side where all is, which begins; 0 or a negative error number.
 */
int client_begin(struct client *c);

/* Have it end, in the middle of the kernel; 0 or a negative error number. */
int client_end(struct client *c);

#endif /* LIB_VHOST_CLIENT_H */
