// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's tap interfaces, and macvtap's, which are used alike.
 *
 * All offloads are in a header before each frame; what the host may send with
 * it is set by TUNSETOFFLOAD, and it takes everything.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <net/if.h>
#include <linux/if_tun.h>

#include "../net.h"

/* Not in the headers of Debian 12. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static int tun_setup(struct lkl_netdev *nd, const unsigned char *mac,
		     unsigned int offload)
{
	struct fd_wire *w = (struct fd_wire *)nd;
	unsigned int flags = 0, uso;

	(void)mac;
	if (offload & OFFLOAD(GUEST_CSUM))
		flags |= TUN_F_CSUM;
	if (offload & OFFLOAD(GUEST_TSO4))
		flags |= TUN_F_TSO4;
	if (offload & OFFLOAD(GUEST_TSO6))
		flags |= TUN_F_TSO6;
	if (offload & OFFLOAD(GUEST_ECN))
		flags |= TUN_F_TSO_ECN;
	if (offload & OFFLOAD(GUEST_UFO))
		flags |= TUN_F_UFO;
	uso = flags | TUN_F_CSUM | TUN_F_USO4 | TUN_F_USO6;
	nd->flags &= ~LKL_NETDEV_USO;
	if (!ioctl(w->in, TUNSETOFFLOAD, uso)) {
		nd->flags |= LKL_NETDEV_USO;
		if (flags & TUN_F_TSO4 && flags & TUN_F_TSO6)
			return 0;
	}
	return ioctl(w->in, TUNSETOFFLOAD, flags) ? -errno : 0;
}

static struct lkl_dev_net_ops tun_ops = {
	.tx = lkl_fd_tx,
	.rx = lkl_fd_rx,
	.poll = lkl_fd_poll,
	.poll_hup = lkl_fd_poll_hup,
	.forked = lkl_fd_forked,
	.free = lkl_fd_free,
	.setup = tun_setup,
	.link = lkl_fd_link,
	.fd = lkl_fd_fd,
	.poll_rx = lkl_fd_poll_rx,
};

/* The host's interface is in another network namespace. */
static struct lkl_dev_net_ops far_ops = {
	.tx = lkl_fd_tx,
	.rx = lkl_fd_rx,
	.poll = lkl_fd_poll,
	.poll_hup = lkl_fd_poll_hup,
	.forked = lkl_fd_forked,
	.free = lkl_fd_free,
	.setup = tun_setup,
	.fd = lkl_fd_fd,
	.poll_rx = lkl_fd_poll_rx,
};

struct lkl_netdev *lkl_tun_setup(const char *wire, int fd, unsigned int offload)
{
	int size = sizeof(struct lkl_virtio_net_hdr_v1), ret;
	struct ifreq ifr = { 0 };
	struct fd_wire *w;

	w = lkl_fd_wire(sizeof(*w), &tun_ops, fd, fd);
	if (!w) {
		lkl_message(wire, "%s", strerror(errno));
		return NULL;
	}
	w->nd.has_vnet_hdr = 1;
	w->nd.offload = offload;
	if (ioctl(fd, TUNSETVNETHDRSZ, &size)) {
		lkl_message(wire, "TUNSETVNETHDRSZ: %s", strerror(errno));
		goto err;
	}
	/* With a descriptor from elsewhere it may be out of reach. */
	if (ioctl(fd, TUNGETIFF, &ifr) || !lkl_fd_follow(w, ifr.ifr_name))
		w->nd.ops = &far_ops;
	if (!lkl_net_check_offload(wire, offload))
		goto err;
	ret = tun_setup(&w->nd, NULL, offload);
	if (ret < 0) {
		lkl_message(wire, "the host refuses offload 0x%x: %s", offload,
			    strerror(-ret));
		goto err;
	}
	return &w->nd;
err:
	lkl_fd_free(&w->nd);
	return NULL;
}

static const char *attach_error(int err, const char *ifname, int queues)
{
	switch (err) {
	case EBUSY:
		return lkl_tap_user(ifname);
	case EPERM:
		return "no permission (needs CAP_NET_ADMIN, or a tap made for "
		       "this user with `ip tuntap add ... user NAME`)";
	case E2BIG:
		return "it has no more queues";
	case EINVAL:
		return queues > 1 ? "there is such an interface, but it is no "
				    "tap for several queues (`ip tuntap add "
				    "... multi_queue`)"
				  : "there is such an interface, but it is no "
				    "tap";
	}
	return strerror(err);
}

bool lkl_tun_param(const char *param, char *name, size_t size)
{
	static const char option[] = ",vhost";
	size_t len = strlen(param), end = sizeof(option) - 1;
	bool there = len >= end && !strcmp(param + len - end, option);

	if (there)
		len -= end;
	if (len >= size)
		len = size - 1;
	memcpy(name, param, len);
	name[len] = 0;
	return there;
}

/* A queue of a tap; a negative error number after a message. */
static int open_queue(const char *wire, const char *ifname, int queues)
{
	static const char dev[] = "/dev/net/tun";
	struct ifreq ifr = { 0 };
	int ret, fd = open(dev, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		lkl_message(wire, "%s: %s", dev, strerror(errno));
		return -1;
	}
	strcpy(ifr.ifr_name, ifname);
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	if (queues > 1)
		ifr.ifr_flags |= IFF_MULTI_QUEUE;
	ret = ioctl(fd, TUNSETIFF, &ifr);
	if (ret && errno == EINVAL && queues == 1) {
		/* One that was made for several queues. */
		ifr.ifr_flags |= IFF_MULTI_QUEUE;
		ret = ioctl(fd, TUNSETIFF, &ifr);
	}
	if (!ret)
		return fd;
	lkl_message(wire, "%s", attach_error(errno, ifname, queues));
	close(fd);
	return -1;
}

static struct lkl_netdev *open_tap(const char *wire, const char *ifname,
				   int queues, unsigned int offload)
{
	struct lkl_netdev *first = NULL, **end = &first;
	struct ifreq hw = { 0 };
	int i;

	for (i = 0; i < queues; i++) {
		int fd = open_queue(wire, ifname, queues);
		bool has_mac = !i && fd >= 0 && !ioctl(fd, SIOCGIFHWADDR, &hw);

		*end = fd < 0 ? NULL : lkl_tun_setup(wire, fd, offload);
		if (!*end) {
			if (first)
				lkl_fd_free(first);
			return NULL;
		}
		/*
		 * Like the tap's, which is unique, but another one; and always
		 * the same for the same tap, as the host remembers the
		 * interface for a while.
		 */
		if (has_mac) {
			memcpy(first->mac, hw.ifr_hwaddr.sa_data,
			       sizeof(first->mac));
			first->mac[0] = (first->mac[0] | 2) ^ 4;
		}
		end = &(*end)->next;
	}
	return first;
}

struct lkl_netdev *lkl_netdev_tap_create(const char *param, int offload)
{
	char wire[32], name[IFNAMSIZ + 8], ifname[IFNAMSIZ + 1];
	int queues = lkl_net_queues("tap", param, name, sizeof(name));
	bool vhost = lkl_tun_param(name, ifname, sizeof(ifname));
	struct lkl_netdev *nd;

	if (!queues)
		return NULL;
	snprintf(wire, sizeof(wire), "tap %s",
		 strlen(ifname) < IFNAMSIZ ? ifname : name);
	if (!*ifname || strlen(ifname) >= IFNAMSIZ) {
		lkl_message(wire, "a name has 1 to %u characters",
			    IFNAMSIZ - 1);
		return NULL;
	}
	if (vhost && queues > 1) {
		lkl_message(wire, "vhost: it has one pair of queues, not %d",
			    queues);
		return NULL;
	}
	nd = open_tap(wire, ifname, queues, offload);
	return nd && vhost ? lkl_vhost_net("tap", ifname, nd, offload) : nd;
}
