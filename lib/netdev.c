// SPDX-License-Identifier: GPL-2.0-only
/*
 * Setting up network interfaces: address, offloads, and what a wire needs of
 * the kernel.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <lkl.h>
#include <lkl/linux/virtio_ids.h>
#include "netdev.h"

/* The interface of the virtio device with this index. */
static int interface_name(int index, char name[LKL_IFNAMSIZ])
{
	char path[64];
	int err = lkl_mount_fs("sysfs");

	if (err < 0)
		return err;
	snprintf(path, sizeof(path), "/sysfs/devices/virtio-lkl/virtio%d/net",
		 index);
	return lkl_only_entry(path, name, LKL_IFNAMSIZ);
}

static int add_flags(const char *name, int flags)
{
	long fd = lkl_sys_socket(LKL_AF_INET, LKL_SOCK_DGRAM, 0);
	struct lkl_ifreq ifr = { 0 };
	int err;

	if (fd < 0)
		return fd;
	strcpy(ifr.lkl_ifr_name, name);
	err = lkl_sys_ioctl(fd, LKL_SIOCGIFFLAGS, (long)&ifr);
	ifr.lkl_ifr_flags |= flags;
	if (!err)
		err = lkl_sys_ioctl(fd, LKL_SIOCSIFFLAGS, (long)&ifr);
	lkl_sys_close(fd);
	return err;
}

/* The kernel runs and has the interface. */
static void net_ready(struct lkl_vdev *vdev)
{
	struct lkl_netdev *nd = to_net(vdev)->nd;
	char name[LKL_IFNAMSIZ], ports[16];
	int err = 0;

	if (nd->flags & LKL_NETDEV_NOARP) {
		err = interface_name(vdev->dev.index, name);
		if (!err)
			err = add_flags(name, LKL_IFF_NOARP);
	}
	if (!err && nd->ports[0]) {
		snprintf(ports, sizeof(ports), "%d %d", nd->ports[0],
			 nd->ports[1]);
		err = lkl_sysctl("net.ipv4.ip_local_port_range", ports);
	}
	if (err)
		lkl_message(vdev->name, "not as the wire needs it: %s",
			    lkl_strerror(err));
}

static const struct lkl_vdev_ops net_ops = {
	.ready = net_ready,
	.start = net_start,
	.stop = net_stop,
	.free = net_free,
	.drain = net_drain,
	.kick = net_kick,
	.forked = net_forked,
	.moves = net_moves,
	.moved = net_moved,
	.pause = net_pause,
	.freeze = net_freeze,
	.reset = net_reset,
	.settle = net_settle,
	.thaw = net_thaw,
	.resume = net_resume,
};

bool lkl_net_check_offload(const char *wire, unsigned int offload)
{
	static const struct {
		unsigned int bits;
		unsigned int need;
		const char *why;
	} rules[] = {
		{ OFFLOAD(HOST_TSO4) | OFFLOAD(HOST_TSO6) | OFFLOAD(HOST_UFO),
		  OFFLOAD(CSUM),
		  "segmentation (bits 11, 12, 14) needs CSUM 0" },
		{ OFFLOAD(HOST_ECN), OFFLOAD(HOST_TSO4) | OFFLOAD(HOST_TSO6),
		  "HOST_ECN 13 needs HOST_TSO4 11 or HOST_TSO6 12" },
		{ OFFLOAD(GUEST_TSO4) | OFFLOAD(GUEST_TSO6) |
			  OFFLOAD(GUEST_UFO),
		  OFFLOAD(GUEST_CSUM),
		  "receiving segments (bits 7, 8, 10) needs GUEST_CSUM 1" },
		{ OFFLOAD(GUEST_ECN), OFFLOAD(GUEST_TSO4) | OFFLOAD(GUEST_TSO6),
		  "GUEST_ECN 9 needs GUEST_TSO4 7 or GUEST_TSO6 8" },
	};
	unsigned int i, known = OFFLOAD(MRG_RXBUF);

	for (i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		known |= rules[i].bits | rules[i].need;
	if (offload & ~known) {
		lkl_message(wire, "offload 0x%x: unknown bits 0x%x", offload,
			    offload & ~known);
		return false;
	}
	for (i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		if (offload & rules[i].bits && !(offload & rules[i].need)) {
			lkl_message(wire, "offload 0x%x: %s", offload,
				    rules[i].why);
			return false;
		}
	}
	return true;
}

static int set_offload(struct net *n, unsigned int offload)
{
	unsigned int host = OFFLOAD(HOST_TSO4) | OFFLOAD(HOST_TSO6);
	unsigned int guest = OFFLOAD(GUEST_TSO4) | OFFLOAD(GUEST_TSO6);
	struct lkl_netdev *nd = n->nd;
	unsigned long long *offered = &n->vdev.dev.offered;

	offload |= nd->needs;
	if (!lkl_net_check_offload("netdev", offload))
		return -LKL_EINVAL;
	if (offload & ~OFFLOAD(MRG_RXBUF) && !nd->has_vnet_hdr) {
		lkl_message("netdev", "offload 0x%x: this wire has none",
			    offload);
		return -LKL_EINVAL;
	}
	if (nd->ops->setup) {
		int ret = nd->ops->setup(nd, n->config.mac, offload);

		if (ret < 0)
			return ret;
	}
	*offered |= offload;
	if (nd->flags & LKL_NETDEV_USO) {
		if ((offload & host) == host)
			*offered |= 1ULL << LKL_VIRTIO_NET_F_HOST_USO;
		if ((offload & guest) == guest)
			*offered |= 1ULL << LKL_VIRTIO_NET_F_GUEST_USO4 |
				    1ULL << LKL_VIRTIO_NET_F_GUEST_USO6;
	}
	n->vdev.dev.queue_size = offload & guest &&
						 !(offload & OFFLOAD(MRG_RXBUF))
					 ? BIG_QUEUE_SIZE
					 : QUEUE_SIZE;
	return 0;
}

/* One asked for, the wire's, or a random one of a local administrator. */
static int set_mac(struct net *n, const unsigned char *mac)
{
	static const unsigned char zero[6];

	if (!mac && memcmp(n->nd->mac, zero, 6))
		mac = n->nd->mac;
	if (mac) {
		memcpy(n->config.mac, mac, 6);
		if (mac[0] & 1 || !memcmp(mac, zero, 6)) {
			lkl_message("netdev",
				    "no address of an interface: "
				    "%02x:%02x:%02x:%02x:%02x:%02x",
				    mac[0], mac[1], mac[2], mac[3], mac[4],
				    mac[5]);
			return -LKL_EINVAL;
		}
	} else {
		if (getrandom(n->config.mac, 6, 0) != 6)
			return -LKL_EIO;
		n->config.mac[0] = (n->config.mac[0] & 0xfc) | 2;
	}
	return 0;
}

static int set_pcap(struct net *n, const char *path)
{
	int err = pcap_open(&n->pcap, path, n->nd->flags & LKL_NETDEV_NOARP);

	if (!err)
		return 0;
	lkl_message("pcap", "%s: %s", path, strerror(-err));
	return -LKL_EIO;
}

int lkl_netdev_add(struct lkl_netdev *nd, struct lkl_netdev_args *args)
{
	struct net *n;
	int ret;

	if (!nd || !nd->ops)
		return -LKL_EINVAL;
	n = net_new(nd);
	if (!n)
		return errno == EINVAL ? -LKL_EINVAL : -LKL_ENOMEM;
	n->vdev.ops = &net_ops;
	n->vdev.back = nd;
	n->vdev.lends = nd->ops->give;
	n->vdev.kind = "lkl-net";
	n->vdev.queues = n->virtqs;
	n->vdev.dev.id = LKL_VIRTIO_ID_NET;
	n->vdev.dev.queues = n->n * QUEUES;
	n->vdev.dev.config = &n->config;
	n->vdev.dev.config_len = sizeof(n->config);
	n->vdev.dev.offered = 1ULL << LKL_VIRTIO_NET_F_MAC |
			      1ULL << LKL_VIRTIO_NET_F_STATUS;
	if (n->n > 1) {
		n->vdev.dev.queues++;
		n->vdev.dev.offered |= 1ULL << LKL_VIRTIO_NET_F_CTRL_VQ |
				       1ULL << LKL_VIRTIO_NET_F_MQ;
		n->config.max_virtqueue_pairs = n->n;
	}
	if (nd->mtu) {
		n->vdev.dev.offered |= 1ULL << LKL_VIRTIO_NET_F_MTU;
		n->config.mtu = nd->mtu;
	}
	ret = set_mac(n, args ? args->mac : NULL);
	if (!ret)
		ret = set_offload(n, args ? args->offload : nd->offload);
	if (!ret && args && args->pcap)
		ret = set_pcap(n, args->pcap);
	if (!ret)
		ret = lkl_vdev_add(&n->vdev);
	if (ret < 0) {
		if (n->pcap.fd >= 0)
			close(n->pcap.fd);
		free(n->virtqs);
		free(n);
	} else {
		nd->id = ret;
	}
	return ret;
}

void lkl_netdev_remove(int id)
{
	lkl_vdev_remove_unit(LKL_VIRTIO_ID_NET, id);
}

void lkl_netdev_free(struct lkl_netdev *nd)
{
	lkl_vdev_remove_front(nd);
	nd->ops->free(nd);
}

int lkl_netdev_get_ifindex(int id)
{
	int index = lkl_vdev_index(LKL_VIRTIO_ID_NET, id);
	char name[LKL_IFNAMSIZ];
	int err;

	if (index < 0)
		return index;
	err = interface_name(index, name);
	return err ? err : lkl_ifname_to_ifindex(name);
}
