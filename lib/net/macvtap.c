// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's macvtap interfaces: a device /dev/tapN, used like a tap's.  The
 * host delivers what is for the interface's own address, so ours must be that.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <net/if.h>
#include <linux/if_tun.h>

#include "../net.h"

struct lkl_netdev *lkl_netdev_macvtap_create(const char *param, int offload)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	struct ifreq mac = { 0 };
	struct lkl_netdev *nd;
	char wire[64], path[PATH_MAX];
	bool vhost = lkl_tun_param(param, path, sizeof(path));
	int fd;

	snprintf(wire, sizeof(wire), "macvtap %.50s", path);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		lkl_message(wire, "%s", strerror(errno));
		return NULL;
	}
	if (ioctl(fd, TUNSETIFF, &ifr) || ioctl(fd, SIOCGIFHWADDR, &mac)) {
		lkl_message(wire, "not the device of a macvtap: %s",
			    strerror(errno));
		close(fd);
		return NULL;
	}
	nd = lkl_tun_setup(wire, fd, offload);
	if (nd)
		memcpy(nd->mac, mac.ifr_hwaddr.sa_data, 6);
	return nd && vhost ? lkl_vhost_net("macvtap", path, nd, offload) : nd;
}
