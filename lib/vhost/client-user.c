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
#include "../../host/linux/linux.h"
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
	struct linux_ram ram = linux_ram;
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
		.size = c->n * AREA,
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

static int set_ring(struct client_pair *p, unsigned int q)
{
	unsigned int index = p->index * 2 + q;
	struct vhost_driver *d = &p->rings[q];
	struct client *c = p->c;
	struct vhost_msg msg = { .request = VHOST_SET_VRING_ADDR,
				 .flags = VHOST_VERSION,
				 .size = sizeof(msg.addr),
				 .addr = { .index = index,
					   .desc = (unsigned long)d->desc,
					   .avail = (unsigned long)d->avail,
					   .used = (unsigned long)d->used } };
	int ret = set_state(c, VHOST_SET_VRING_NUM, index, VHOST_DRIVER_NUM);

	if (!ret)
		ret = set_state(c, VHOST_SET_VRING_BASE, index, 0);
	if (!ret)
		ret = vhost_send(c->sock, &msg);
	if (!ret)
		ret = set_fd(c, VHOST_SET_VRING_CALL, index, p->call[q]);
	if (!ret)
		ret = set_fd(c, VHOST_SET_VRING_KICK, index, p->kick[q]);
	return ret;
}

/* With the features of its protocol, rings are at rest until they are enabled.
 */
static int enable(struct client *c, unsigned int pairs)
{
	int ret = 0;
	unsigned int q;

	c->enabled = pairs;
	if (c->features & VHOST_F_PROTOCOL_FEATURES)
		for (q = 0; q < c->n * 2 && !ret; q++)
			ret = set_state(c, VHOST_SET_VRING_ENABLE, q,
					q / 2 < pairs);
	return ret;
}

/* What was given to the others meanwhile it looks at when it is told. */
static int use_pairs(struct client *c)
{
	int ret = enable(c, __atomic_load_n(&c->active, __ATOMIC_SEQ_CST));
	struct client_pair *p;

	for_each_client_pair(p, c) {
		ring_bell(p->kick[RX], 1);
		ring_bell(p->kick[TX], 1);
	}
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
		memcpy(c->pairs->nd.mac, config->mac, 6);
	if (c->features & VIRTIO(NET_F_MTU) && config->mtu >= 68)
		c->pairs->nd.mtu = config->mtu;
}

static int connect_to(struct client *c)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP };
	int ret;

	c->sock = lkl_net_keep(
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (c->sock < 0)
		return -errno;
	event.data.fd = c->sock;
	if (!connect(c->sock, (struct sockaddr *)&c->addr, sizeof(c->addr)) &&
	    !epoll_ctl(c->pairs->epoll, EPOLL_CTL_ADD, c->sock, &event))
		return 0;
	ret = -errno;
	close_fd(&c->sock);
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
		if (c->n > 1)
			c->protocol |= value & VHOST_PROTOCOL_MQ;
		if (!ret)
			ret = set_u64(c, VHOST_SET_PROTOCOL_FEATURES,
				      c->protocol);
	}
	if (ret || c->n == 1)
		return ret;
	value = 1;
	if (c->protocol & VHOST_PROTOCOL_MQ)
		ret = get_u64(c, VHOST_GET_QUEUE_NUM, &value);
	return !ret && value < c->n ? -ERANGE : ret;
}

static int begin(struct client *c)
{
	struct vhost_msg owner = { .request = VHOST_SET_OWNER,
				   .flags = VHOST_VERSION };
	struct client_pair *p;
	unsigned int q;
	int ret = vhost_send(c->sock, &owner);

	if (!ret)
		ret = set_u64(c, VHOST_SET_FEATURES, c->features);
	if (!ret)
		ret = set_memory(c);
	for_each_client_pair(p, c) {
		for (q = RX; q <= TX && !ret; q++) {
			client_begin_ring(p, q);
			ret = set_ring(p, q);
		}
	}
	if (!ret)
		ret = enable(c, c->active);
	for_each_client_pair(p, c)
		for (q = RX; q <= TX; q++)
			ring_bell(p->kick[q], 1);
	return ret;
}

static int end(struct client *c)
{
	struct vhost_msg msg;
	int ret = enable(c, 0);
	unsigned int q;

	for (q = 0; q < c->n * 2 && !ret; q++) {
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
	.pairs = use_pairs,
	.end = end,
};

static struct lkl_netdev *create(const char *kind, const char *param,
				 unsigned int offload)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	int queues = lkl_net_queues(kind, param, path, sizeof(path));

	return queues ? client_create(kind, path, &user_peer, queues, NULL,
				      offload)
		      : NULL;
}

struct lkl_netdev *lkl_netdev_vhost_user_create(const char *path, int offload)
{
	return create("vhost-user", path, offload);
}

/* DPDK's programs are reached by memory, not by linking with them. */
struct lkl_netdev *lkl_netdev_dpdk_create(const char *ifname, int offload,
					  unsigned char *mac)
{
	(void)mac;
	return create("dpdk (vhost-user)", ifname, offload);
}
