// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl()s whose argument has a pointer, in the name of a process that is not
 * trusted (control.c): the call is made with copies, and a pointer of ours.
 */
#include <linux/sockios.h>
#include <sys/socket.h>

#include "child.h"

_Static_assert(offsetof(struct rtentry, rt_dev) >= sizeof(struct in6_rtmsg),
	       "the pointer is in the other structure");

/**
 * control_confine - make a call of ours out of such an ioctl() of another
 * process
 * @c: is filled in
 * @a: arguments, which do not change
 * @window: of the link
 *
 * Return: 0 or a negative error number
 */
long control_confine(struct confined *c, const long *a, char *window)
{
	unsigned int len = sizeof(int);
	int family = -1;
	uint32_t cmd;

	copy(&c->control, window + CONTROL_ARGUMENT, sizeof(c->control));
	copy(c->target, window + CONTROL_TARGET, sizeof(c->target));
	c->a[2] = (long)&c->control;
	if (!control_is_route(a[1])) {
		copy(&cmd, c->target, sizeof(cmd));
		c->control.request.ifr_data = c->target;
		c->back = window + CONTROL_TARGET;
		c->back_size = control_ethtool_size(cmd);
		return c->back_size ? 0 : -EOPNOTSUPP;
	}
	lkl6(SYS_getsockopt, a[0], SOL_SOCKET, SO_DOMAIN, (long)&family,
	     (long)&len, 0);
	/* The descriptor may become another socket's meanwhile. */
	c->target[IFNAMSIZ - 1] = 0;
	if (c->control.route.rt_dev)
		c->control.route.rt_dev = c->target;
	return family == AF_INET || family == AF_INET6 ? 0 : -EOPNOTSUPP;
}
