// SPDX-License-Identifier: GPL-2.0-only
/*
 * A descriptor that the application has opened: which kind of wire it makes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/if_tun.h>
#include <net/if.h>

#include "../net.h"

static struct lkl_dev_net_ops fd_ops = {
	.tx = lkl_fd_tx,
	.rx = lkl_fd_rx,
	.poll = lkl_fd_poll,
	.poll_hup = lkl_fd_poll_hup,
	.forked = lkl_fd_forked,
	.free = lkl_fd_free,
};

/* What makes a descriptor unfit, or NULL. */
static const char *unfit(int fd, const struct ifreq *tun, int socket)
{
	struct stat st;

	if (fstat(fd, &st))
		return strerror(errno);
	if (socket == SOCK_STREAM || socket == SOCK_DGRAM ||
	    socket == SOCK_SEQPACKET || socket == SOCK_RAW)
		return NULL;
	if (!S_ISCHR(st.st_mode) || !tun->ifr_flags)
		return "neither a socket nor an attached tap or tun device";
	if (!(tun->ifr_flags & IFF_NO_PI))
		return "the device was attached without IFF_NO_PI";
	if (tun->ifr_flags & IFF_TUN && tun->ifr_flags & IFF_VNET_HDR)
		return "a tun device with IFF_VNET_HDR is not supported";
	return NULL;
}

struct lkl_netdev *lkl_netdev_fd_create(int fd, int offload)
{
	struct ifreq tun = { 0 };
	socklen_t len = sizeof(int);
	struct fd_wire *w;
	const char *why;
	int socket = 0;
	char wire[32];

	snprintf(wire, sizeof(wire), "fd %d", fd);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &socket, &len))
		socket = 0;
	if (ioctl(fd, TUNGETIFF, &tun))
		tun.ifr_flags = 0;
	why = unfit(fd, &tun, socket);
	if (!why && !lkl_net_check_offload(wire, offload)) {
		close(fd);
		return NULL;
	}
	if (!why && tun.ifr_flags & IFF_VNET_HDR)
		return lkl_tun_setup(wire, fd, offload);
	if (!why && socket == SOCK_STREAM)
		return lkl_stream_wire(wire, fd, fd, offload);
	if (!why && offload & ~OFFLOAD(MRG_RXBUF) &&
	    (!socket || socket == SOCK_RAW))
		why = "no offloads are possible on it";
	if (why) {
		lkl_message(wire, "%s", why);
		close(fd);
		return NULL;
	}
	w = lkl_fd_wire(sizeof(*w), &fd_ops, fd, fd);
	if (!w) {
		lkl_message(wire, "%s", strerror(errno));
		return NULL;
	}
	w->nd.offload = offload;
	w->nd.has_vnet_hdr = !!(offload & ~OFFLOAD(MRG_RXBUF));
	if (tun.ifr_flags & IFF_TUN)
		w->nd.flags |= LKL_NETDEV_NOARP;
	return &w->nd;
}
