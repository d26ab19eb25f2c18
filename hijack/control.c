// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl()s of a forked process whose argument has a pointer: what that points
 * to is put into the window behind the argument (control_transact()), and the
 * owner makes the call with copies of both (control_confine()).
 */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/route.h>
#include <sys/socket.h>

#include "child.h"

/**
 * control_ethtool_size - what a command of ethtool's reads and writes
 * @cmd: the command
 *
 * Return: how many bytes, or 0 if that is not fixed
 */
size_t control_ethtool_size(uint32_t cmd)
{
	switch (cmd) {
	case ETHTOOL_GSET:
	case ETHTOOL_SSET:
		return sizeof(struct ethtool_cmd);
	case ETHTOOL_GDRVINFO:
		return sizeof(struct ethtool_drvinfo);
	case ETHTOOL_GCOALESCE:
	case ETHTOOL_SCOALESCE:
		return sizeof(struct ethtool_coalesce);
	case ETHTOOL_GRINGPARAM:
	case ETHTOOL_SRINGPARAM:
		return sizeof(struct ethtool_ringparam);
	case ETHTOOL_GPAUSEPARAM:
	case ETHTOOL_SPAUSEPARAM:
		return sizeof(struct ethtool_pauseparam);
	case ETHTOOL_GCHANNELS:
	case ETHTOOL_SCHANNELS:
		return sizeof(struct ethtool_channels);
	case ETHTOOL_GET_TS_INFO:
		return sizeof(struct ethtool_ts_info);
	case ETHTOOL_GMSGLVL:
	case ETHTOOL_SMSGLVL:
	case ETHTOOL_GLINK:
	case ETHTOOL_GRXCSUM ... ETHTOOL_SSG:
	case ETHTOOL_GTSO:
	case ETHTOOL_STSO:
	case ETHTOOL_GUFO ... ETHTOOL_SGSO:
	case ETHTOOL_GFLAGS ... ETHTOOL_SPFLAGS:
	case ETHTOOL_GGRO:
	case ETHTOOL_SGRO:
		return sizeof(struct ethtool_value);
	}
	return 0;
}

/**
 * control_is_route - does it change a route?
 * @cmd: the command
 */
bool control_is_route(unsigned int cmd)
{
	return cmd == SIOCADDRT || cmd == SIOCDELRT;
}

/**
 * control_has_pointer - is it an ioctl() that is made here?
 * @cmd: the command
 */
bool control_has_pointer(unsigned int cmd)
{
	return control_is_route(cmd) || cmd == SIOCETHTOOL;
}

static long change_route(struct share_link *link, const long *a, int family)
{
	char *to = head_of(link) + CONTROL_ARGUMENT;
	char *name = head_of(link) + CONTROL_TARGET;
	struct rtentry route;

	if (family == AF_INET6) {
		if (!user_get(to, a[2], sizeof(struct in6_rtmsg)))
			return -EFAULT;
		return child_transact(link, SYS_ioctl, a);
	}
	if (family != AF_INET)
		return -EOPNOTSUPP;
	if (!user_get(&route, a[2], sizeof(route)))
		return -EFAULT;
	copy(to, &route, sizeof(route));
	/* Longer names are cut off. */
	if (route.rt_dev &&
	    user_string(name, (long)route.rt_dev, IFNAMSIZ) == -EFAULT)
		return -EFAULT;
	return child_transact(link, SYS_ioctl, a);
}

static long ask_ethtool(struct share_link *link, const long *a)
{
	char *target = head_of(link) + CONTROL_TARGET;
	struct ifreq request;
	size_t size;
	uint32_t cmd;
	long ret;

	if (!user_get(&request, a[2], sizeof(request)) ||
	    !user_get(&cmd, (long)request.ifr_data, sizeof(cmd)))
		return -EFAULT;
	size = control_ethtool_size(cmd);
	if (!size)
		return -EOPNOTSUPP;
	if (!user_get(target, (long)request.ifr_data, size))
		return -EFAULT;
	copy(head_of(link) + CONTROL_ARGUMENT, &request, sizeof(request));
	ret = child_transact(link, SYS_ioctl, a);
	if (ret >= 0 && !user_put((long)request.ifr_data, target, size))
		return -EFAULT;
	return ret;
}

/**
 * control_transact - make such an ioctl() in a process that has no kernel
 * @link: the thread's
 * @a: its arguments
 * @family: of the socket
 *
 * Return: as child_transact()
 */
long control_transact(struct share_link *link, const long *a, int family)
{
	return control_is_route(a[1]) ? change_route(link, a, family)
				      : ask_ethtool(link, a);
}
