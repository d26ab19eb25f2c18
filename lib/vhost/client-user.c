// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost-user with the driver on our side: a wire to another process, a virtual
 * switch or DPDK's programs, and what that is asked for.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lkl/asm/virtio_host.h>
#include "../../host/posix/posix.h"
#include "client.h"
#include "protocol.h"

/* How long the other side may take, in seconds, when no kernel waits for it. */
#define PATIENCE 5

static int set_u64(struct client *c, unsigned int request, uint64_t value)
{
	struct vhost_msg msg = { .request = request,
				 .flags = VHOST_VERSION,
				 .size = 8,
				 .u64 = value };

	return vhost_send(c->sock, &msg);
}

static int get_u64(struct client *c, unsigned int request, uint64_t *value)
{
	struct vhost_msg msg = { .request = request, .flags = VHOST_VERSION };
	int ret = vhost_ask(c->sock, &msg, 8, PATIENCE);

	*value = msg.u64;
	return ret;
}

static int set_state(struct client *c, unsigned int request, unsigned int index,
		     unsigned int num)
{
	struct vhost_msg msg = { .request = request,
				 .flags = VHOST_VERSION,
				 .size = sizeof(msg.state),
				 .state = { index, num } };

	return vhost_send(c->sock, &msg);
}

static int set_fd(struct client *c, unsigned int request, unsigned int index,
		  int fd)
{
	struct vhost_msg msg = { .request = request,
				 .flags = VHOST_VERSION,
				 .size = 8,
				 .u64 = index,
				 .fds = { fd },
				 .n_fds = 1 };

	return vhost_send(c->sock, &msg);
}

static int set_memory(struct client *c)
{
	struct vhost_msg msg = { .request = VHOST_SET_MEM_TABLE,
				 .flags = VHOST_VERSION };
	struct posix_ram ram = posix_ram;
	int ret;

	if (!ram.size)
		return -EAGAIN;
	msg.size = 8 + 2 * sizeof(struct vhost_region);
	msg.memory.count = 2;
	msg.memory.regions[0] = (struct vhost_region){
		.guest = ram.addr ^ LKL_VIRTIO_XOR,
		.size = ram.size,
		.user = ram.addr,
	};
	msg.memory.regions[1] = (struct vhost_region){
		.guest = client_physical(c->area),
		.size = AREA,
		.user = (unsigned long)c->area,
	};
	msg.fds[0] = ram.fd;
	msg.fds[1] = c->area_fd;
	msg.n_fds = 2;
	if (!(c->protocol & VHOST_PROTOCOL_REPLY_ACK))
		return vhost_send(c->sock, &msg);
	msg.flags |= VHOST_NEED_REPLY;
	ret = vhost_ask(c->sock, &msg, 8, PATIENCE);
	return ret ? ret : msg.u64 ? -EINVAL : 0;
}

static int set_ring(struct client *c, unsigned int q)
{
	struct vhost_driver *d = &c->rings[q];
	struct vhost_msg msg = { .request = VHOST_SET_VRING_ADDR,
				 .flags = VHOST_VERSION,
				 .size = sizeof(msg.addr),
				 .addr = { .index = q,
					   .desc = (unsigned long)d->desc,
					   .avail = (unsigned long)d->avail,
					   .used = (unsigned long)d->used } };
	int ret = set_state(c, VHOST_SET_VRING_NUM, q, VHOST_DRIVER_NUM);

	if (!ret)
		ret = set_state(c, VHOST_SET_VRING_BASE, q, 0);
	if (!ret)
		ret = vhost_send(c->sock, &msg);
	if (!ret)
		ret = set_fd(c, VHOST_SET_VRING_CALL, q, c->call[q]);
	if (!ret)
		ret = set_fd(c, VHOST_SET_VRING_KICK, q, c->kick[q]);
	return ret;
}

/* With descriptors of its protocol, rings are at rest until they are enabled.
 */
static int enable(struct client *c, bool on)
{
	int ret = 0;
	unsigned int q;

	if (c->features & VHOST_F_PROTOCOL_FEATURES)
		for (q = RX; q <= TX && !ret; q++)
			ret = set_state(c, VHOST_SET_VRING_ENABLE, q, on);
	return ret;
}

/* An address and an MTU of the other side's. */
static void get_config(struct client *c)
{
	struct lkl_virtio_net_config *config;
	struct vhost_msg msg = { .request = VHOST_GET_CONFIG,
				 .flags = VHOST_VERSION };

	if (!(c->protocol & VHOST_PROTOCOL_CONFIG))
		return;
	msg.config.size = sizeof(*config);
	msg.size = 12 + sizeof(*config);
	if (vhost_ask(c->sock, &msg, 12 + sizeof(*config), PATIENCE))
		return;
	config = (void *)msg.config.bytes;
	if (c->features & VIRTIO(NET_F_MAC) && !(config->mac[0] & 1))
		memcpy(c->nd.mac, config->mac, 6);
	if (c->features & VIRTIO(NET_F_MTU) && config->mtu >= 68)
		c->nd.mtu = config->mtu;
}

static int connect_to(struct client *c)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP };
	int ret;

	c->sock =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->sock < 0)
		return -errno;
	event.data.fd = c->sock;
	if (!connect(c->sock, (struct sockaddr *)&c->addr, sizeof(c->addr)) &&
	    !epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->sock, &event))
		return 0;
	ret = -errno;
	close(c->sock);
	c->sock = -1;
	return ret;
}

/* What both sides can; asked for with each connection. */
static int get_features(struct client *c, unsigned long long *has)
{
	uint64_t value;
	int ret = get_u64(c, VHOST_GET_FEATURES, &value);

	*has = value;
	c->protocol = 0;
	if (!ret && value & VHOST_F_PROTOCOL_FEATURES) {
		ret = get_u64(c, VHOST_GET_PROTOCOL_FEATURES, &value);
		c->protocol = value & (VHOST_PROTOCOL_REPLY_ACK |
				       VHOST_PROTOCOL_CONFIG);
		if (!ret)
			ret = set_u64(c, VHOST_SET_PROTOCOL_FEATURES,
				      c->protocol);
	}
	return ret;
}

static int begin(struct client *c)
{
	struct vhost_msg owner = { .request = VHOST_SET_OWNER,
				   .flags = VHOST_VERSION };
	unsigned int q;
	int ret = vhost_send(c->sock, &owner);

	if (!ret)
		ret = set_u64(c, VHOST_SET_FEATURES, c->features);
	if (!ret)
		ret = set_memory(c);
	for (q = RX; q <= TX && !ret; q++) {
		client_begin_ring(c, q);
		ret = set_ring(c, q);
	}
	if (!ret)
		ret = enable(c, true);
	for (q = RX; q <= TX; q++)
		ring_bell(c->kick[q], 1);
	return ret;
}

static int end(struct client *c)
{
	struct vhost_msg msg;
	int ret = enable(c, false);
	unsigned int q;

	for (q = RX; q <= TX && !ret; q++) {
		msg = (struct vhost_msg){
			.request = VHOST_GET_VRING_BASE,
			.flags = VHOST_VERSION,
			.size = sizeof(msg.state),
			.state = { q, 0 },
		};
		ret = vhost_ask(c->sock, &msg, sizeof(msg.state), 1);
	}
	return ret;
}

static const struct client_peer user_peer = {
	.connect = connect_to,
	.features = get_features,
	.config = get_config,
	.begin = begin,
	.end = end,
};

struct lkl_netdev *lkl_netdev_vhost_user_create(const char *path, int offload)
{
	return client_create("vhost-user", path, &user_peer, NULL, offload);
}

/* DPDK's programs are reached by memory, not by linking with them. */
struct lkl_netdev *lkl_netdev_dpdk_create(const char *ifname, int offload,
					  unsigned char *mac)
{
	(void)mac;
	return client_create("dpdk (vhost-user)", ifname, &user_peer, NULL,
			     offload);
}
