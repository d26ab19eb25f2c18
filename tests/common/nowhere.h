/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A wire that leads nowhere: it counts the frames that are sent, and does not
 * hang up while it is deaf.
 */
#ifndef TESTS_NOWHERE_H
#define TESTS_NOWHERE_H

#include <lkl_host.h>
#include <sys/eventfd.h>

struct wire {
	struct lkl_netdev nd;
	int event;
	int deaf;
	unsigned long sent;
};

static int wire_tx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	(void)iov, (void)cnt;
	__atomic_fetch_add(&((struct wire *)nd)->sent, 1, __ATOMIC_RELAXED);
	return 0;
}

static int wire_rx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	(void)nd, (void)iov, (void)cnt;
	return -1;
}

static int wire_poll(struct lkl_netdev *nd)
{
	eventfd_t n;

	eventfd_read(((struct wire *)nd)->event, &n);
	return LKL_DEV_NET_POLL_HUP;
}

static void wire_hup(struct lkl_netdev *nd)
{
	struct wire *w = (struct wire *)nd;

	if (!w->deaf)
		eventfd_write(w->event, 1);
}

#endif /* TESTS_NOWHERE_H */
