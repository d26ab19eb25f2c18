/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Epolls of tests: each descriptor has itself as data, with a mark above it.
 */
#ifndef TESTS_EPOLL_H
#define TESTS_EPOLL_H

#include <sys/epoll.h>

static int control(int ep, int op, int fd, unsigned int events)
{
	struct epoll_event ev = { events, { .u64 = 0x1234567800000000 + fd } };

	return epoll_ctl(ep, op, fd, &ev);
}

/* The one descriptor that is ready, 0 if none is. */
static int ready(int ep, int timeout)
{
	struct epoll_event ev[4];
	int n = SYS(epoll_wait(ep, ev, 4, timeout));

	if (!n)
		return 0;
	EQ(n, 1);
	EQ(ev[0].data.u64 >> 32, 0x12345678);
	return ev[0].data.u32;
}

#endif /* TESTS_EPOLL_H */
