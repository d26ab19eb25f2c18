/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A wire that is a vhost-user back end: what server.c and server-requests.c
 * share.
 */
#ifndef LIB_VHOST_SERVER_H
#define LIB_VHOST_SERVER_H

#include <sys/types.h>
#include <sys/un.h>
#include <lkl/linux/virtio_config.h>
#include "../net.h"
#include "../virtio.h"
#include "bell.h"
#include "memory.h"
#include "protocol.h"
#include "tools.h"

/* What is added to the eventfd that wakes a polling thread; WAKEUP_BROKEN for
 * that of the first pair. */
#define WAKEUP_RX 1
#define WAKEUP_BROKEN (1ULL << 16)
#define WAKEUP_HUP (1ULL << 32)

/* Of a pair, the queue that the other side receives from, and the one it sends
 * by. */
enum { TO, FROM };

/*
 * @lock: of @ring
 * @ring: the ring, which has a descriptor table while it is used
 * @num, @base, @desc, @avail, @used: what the other side has said of it
 * @enabled: and that it may be used
 * @pair: which it belongs to
 * @told: the polling thread has been told that @ring is broken
 * @kick: by which it tells us, or -1
 * @call: by which we tell it, or -1
 */
struct queue {
	int lock;
	struct server_pair *pair;
	struct lkl_virtq ring;
	unsigned int num;
	unsigned int base;
	uint64_t desc;
	uint64_t avail;
	uint64_t used;
	bool enabled;
	bool told;
	int kick;
	int call;
};

/*
 * A pair of queues, and the thread that polls for it.
 *
 * @index: which
 * @lock: of what follows but for the queues, which have their own
 * @epoll: what that sleeps in
 * @wakeup: by which it is told something, as WAKEUP_*
 * @shared: the kick of the queue FROM is in @epoll, and in the listeners'
 * @up: both queues are used
 * @listened: the descriptor that server_fd() has returned last, or -1
 * @retired: one that is to be closed when nobody listens to it any more, or -1
 */
struct server_pair {
	struct lkl_netdev nd;
	struct server *s;
	unsigned int index;
	int lock;
	int epoll;
	int wakeup;
	struct queue queues[2];
	bool up;
	bool shared;
	int listened;
	int retired;
};

/*
 * @inode: of the socket's name
 * @offload: what our kernel's driver has
 * @offered: features
 * @accepted: of them
 * @bell: by which the other side is told
 * @n: pairs of queues
 */
struct server {
	struct sockaddr_un addr;
	char name[sizeof(((struct sockaddr_un *)0)->sun_path) + 32];
	ino_t inode;
	int listener;
	int sock;
	unsigned int offload;
	unsigned long long offered;
	unsigned long long accepted;
	unsigned long long protocol;
	struct vhost_in in;
	struct vhost_memory memory;
	struct vhost_bell bell;
	unsigned int n;
	struct server_pair pairs[];
};

#define for_each_server_pair(at, server) \
	for (at = (server)->pairs; at < (server)->pairs + (server)->n; at++)

/* Have the thread of a pair watch a descriptor; whether that was possible. */
bool server_watch(struct server_pair *p, int fd, unsigned int events);

/* Do not watch the kick of the queue FROM. */
void server_unshare(struct server_pair *p);

/* Have the thread of a pair look at what has changed. */
static inline void server_tell(struct server_pair *p)
{
	ring_bell(p->wakeup, WAKEUP_RX);
}

/* Do what a request asks for, and answer it.  Returns NULL, or why the other
 * side is of no use. */
const char *server_handle(struct server *s, struct vhost_msg *msg);

/* Forget all that the other side has said. */
void server_forget(struct server *s);

/* Offloads of one side as the other one has them. */
unsigned int server_mirror(unsigned int offload);

#endif /* LIB_VHOST_SERVER_H */
