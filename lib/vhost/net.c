// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tap whose frames the host's kernel reads from our rings and writes there
 * itself (vhost-net).
 *
 * The device /dev/vhost-net is asked for the same as a vhost-user back end, but
 * by ioctl(), and it knows our memory by our own addresses.  It works as long
 * as a ring has a backend, the tap.  An owner, whose memory it is, is set with
 * the first request and stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <linux/vhost.h>

#include "../message.h"
#include "client.h"

static long request(struct client *c, unsigned long what, const void *arg)
{
	return raw_syscall(SYS_ioctl, c->sock, what, (long)arg, 0, 0, 0);
}

static int open_device(struct client *c)
{
	int ret;

	c->sock = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	if (c->sock < 0)
		return -errno;
	ret = request(c, VHOST_SET_OWNER, NULL);
	if (ret)
		close_fd(&c->sock);
	return ret;
}

/* The offloads are the tap's. */
static int get_features(struct client *c, unsigned long long *has)
{
	uint64_t value = 0;
	int ret = request(c, VHOST_GET_FEATURES, &value);

	c->protocol = value & (VIRTIO(F_VERSION_1) | VIRTIO(RING_F_EVENT_IDX) |
			       OFFLOAD(MRG_RXBUF));
	*has = c->protocol | (OFFLOADS & ~OFFLOAD(MRG_RXBUF));
	return ret;
}

static int set_memory(struct client *c)
{
	struct linux_ram ram = linux_ram;
	struct {
		struct vhost_memory memory;
		struct vhost_memory_region regions[2];
	} table = {
		.memory = { .nregions = 2 },
		.regions = { { .guest_phys_addr = ram.addr ^ LKL_VIRTIO_XOR,
			       .memory_size = ram.size,
			       .userspace_addr = ram.addr },
			     { .guest_phys_addr = client_physical(c->area),
			       .memory_size = AREA,
			       .userspace_addr = (unsigned long)c->area } },
	};

	return ram.size ? request(c, VHOST_SET_MEM_TABLE, &table) : -EAGAIN;
}

static int set_ring(struct client *c, unsigned int q)
{
	struct client_pair *p = c->pairs;
	struct vhost_driver *d = &p->rings[q];
	struct vhost_vring_state num = { q, VHOST_DRIVER_NUM };
	struct vhost_vring_state base = { q, 0 };
	struct vhost_vring_addr addr = {
		.index = q,
		.desc_user_addr = (unsigned long)d->desc,
		.avail_user_addr = (unsigned long)d->avail,
		.used_user_addr = (unsigned long)d->used,
	};
	struct vhost_vring_file kick = { q, p->kick[q] };
	struct vhost_vring_file call = { q, p->call[q] };
	int ret = request(c, VHOST_SET_VRING_NUM, &num);

	if (!ret)
		ret = request(c, VHOST_SET_VRING_BASE, &base);
	if (!ret)
		ret = request(c, VHOST_SET_VRING_ADDR, &addr);
	if (!ret)
		ret = request(c, VHOST_SET_VRING_KICK, &kick);
	if (!ret)
		ret = request(c, VHOST_SET_VRING_CALL, &call);
	return ret;
}

static int set_backend(struct client *c, unsigned int q, int fd)
{
	struct vhost_vring_file backend = { q, fd };

	return request(c, VHOST_NET_SET_BACKEND, &backend);
}

static int begin(struct client *c)
{
	uint64_t features = c->features & c->protocol;
	int ret = request(c, VHOST_SET_FEATURES, &features);
	unsigned int q;

	if (!ret)
		ret = set_memory(c);
	for (q = RX; q <= TX && !ret; q++) {
		client_begin_ring(c->pairs, q);
		ret = set_ring(c, q);
	}
	for (q = RX; q <= TX && !ret; q++)
		ret = set_backend(c, q, c->tap->in);
	for (q = RX; q <= TX; q++)
		ring_bell(c->pairs->kick[q], 1);
	return ret;
}

/* The host waits until it does not use a ring any more. */
static int end(struct client *c)
{
	int ret = set_backend(c, RX, -1);

	return set_backend(c, TX, -1) ? -EIO : ret;
}

static const struct client_peer net_peer = {
	.connect = open_device,
	.features = get_features,
	.begin = begin,
	.end = end,
};

struct lkl_netdev *lkl_vhost_net(const char *kind, const char *name,
				 struct lkl_netdev *tap, unsigned int offload)
{
	struct lkl_netdev *nd;
	char what[32];

	snprintf(what, sizeof(what), "/dev/vhost-net for %s", kind);
	nd = client_create(what, name, &net_peer, 1, (struct fd_wire *)tap,
			   offload);
	if (nd)
		memcpy(nd->mac, tap->mac, sizeof(nd->mac));
	return nd;
}
