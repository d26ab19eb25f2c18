// SPDX-License-Identifier: GPL-2.0-only
/*
 * A wire that programs ask for and that is of another host.
 */
#include <stddef.h>

#include "../net.h"

struct lkl_netdev *lkl_netdev_wintap_create(const char *ifname)
{
	lkl_message("wintap", "%s: only on Windows; use a tap", ifname);
	return NULL;
}
