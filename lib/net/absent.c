// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wires that programs ask for and that are not here: each says so, and what to
 * use instead.
 *
 * DPDK's applications will be reached through vhost-user, not by linking with
 * them.
 */
#include <stddef.h>

#include "../net.h"

struct lkl_netdev *lkl_netdev_dpdk_create(const char *ifname, int offload,
					  unsigned char *mac)
{
	(void)offload;
	(void)mac;
	lkl_message("dpdk",
		    "%s: not supported yet; use a tap, or the raw "
		    "wire on an interface of the host",
		    ifname);
	return NULL;
}

struct lkl_netdev *lkl_netdev_wintap_create(const char *ifname)
{
	lkl_message("wintap", "%s: only on Windows; use a tap", ifname);
	return NULL;
}
