// SPDX-License-Identifier: GPL-2.0-only
/*
 * Under interception with rules, a socket that turns out to be the host's keeps
 * what was done to it before: sets of epolls that it is in, with events and
 * data, duplicates, and threads that wait for it.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/epoll.h>

#include "hijack.h"

#define MOMENT 50000

/* A server of the host's, or of the library's. */
static struct sockaddr_in server(int type, int *s)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);

	/* Which stack a server is of is said by the address; see main(). */
	inet_pton(AF_INET, "127.0.0.2", &addr.sin_addr);
	*s = SYS(socket(AF_INET, type, 0));
	addr.sin_port = htons(1000 + getpid() % 50000);
	SYS(bind(*s, (void *)&addr, len));
	if (type == SOCK_STREAM)
		SYS(listen(*s, 5));
	return addr;
}

static struct epoll_event one_of(int ep, int timeout)
{
	struct epoll_event ev = { 0 };

	EQ(epoll_wait(ep, &ev, 1, timeout), timeout ? 1 : 0);
	return ev;
}

static void control(int ep, int op, int fd, unsigned int events)
{
	struct epoll_event ev = { events, { .u64 = 0x1234567800000000 + fd } };

	SYS(epoll_ctl(ep, op, fd, &ev));
}

static void registered(void)
{
	int l, s, ep[3], c, copy;
	struct sockaddr_in addr = server(SOCK_STREAM, &l);
	struct epoll_event ev;

	for (int i = 0; i < 3; i++)
		ep[i] = SYS(epoll_create1(0));
	s = SYS(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	copy = SYS(dup(s));
	control(ep[0], EPOLL_CTL_ADD, s, EPOLLIN | EPOLLET);
	control(ep[1], EPOLL_CTL_ADD, s, EPOLLOUT);
	control(ep[1], EPOLL_CTL_ADD, copy, EPOLLIN);
	control(ep[2], EPOLL_CTL_ADD, s, EPOLLOUT | EPOLLONESHOT);
	CHECK(!connect(s, (void *)&addr, sizeof(addr)) || errno == EINPROGRESS);
	ev = one_of(ep[1], 10000);
	EQ(ev.events, EPOLLOUT);
	EQ(ev.data.u64, 0x1234567800000000 + s);
	EQ(one_of(ep[2], 10000).events, EPOLLOUT);
	one_of(ep[2], 0);
	one_of(ep[0], 0);
	c = SYS(accept(l, NULL, NULL));
	EQ(write(c, "x", 1), 1);
	ev = one_of(ep[0], 10000);
	EQ(ev.events, EPOLLIN);
	EQ(ev.data.u64, 0x1234567800000000 + s);
	one_of(ep[0], 0);
	control(ep[1], EPOLL_CTL_MOD, s, 0);
	EQ(one_of(ep[1], 10000).data.u64, 0x1234567800000000 + copy);
	control(ep[1], EPOLL_CTL_DEL, copy, 0);
	one_of(ep[1], 0);
	control(ep[2], EPOLL_CTL_MOD, s, EPOLLIN | EPOLLONESHOT);
	EQ(one_of(ep[2], 10000).events, EPOLLIN);
}

/* One that was made before is the same socket. */
static void duplicated(void)
{
	int l, s = SYS(socket(AF_INET, SOCK_STREAM, 0)), c, i, copies[3];
	struct sockaddr_in addr = server(SOCK_STREAM, &l), peer;
	socklen_t len = sizeof(peer);
	char byte;

	copies[0] = SYS(dup(s));
	copies[1] = SYS(dup2(s, 200));
	copies[2] = SYS(fcntl(s, F_DUPFD_CLOEXEC, 300));
	SYS(connect(copies[0], (void *)&addr, len));
	c = SYS(accept(l, NULL, NULL));
	for (i = 0; i < 3; i++) {
		EQ(write(copies[i], "x", 1), 1);
		EQ(read(c, &byte, 1), 1);
		SYS(getpeername(copies[i], (void *)&peer, &len));
		EQ(peer.sin_port, addr.sin_port);
	}
	EQ(write(s, "x", 1), 1);
	EQ(fcntl(copies[1], F_GETFD), 0);
	EQ(fcntl(copies[2], F_GETFD), FD_CLOEXEC);
	/* Those of the library's, too. */
	s = SYS(socket(AF_INET, SOCK_DGRAM, 0));
	copies[0] = SYS(dup(s));
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	SYS(connect(s, (void *)&addr, sizeof(addr)));
	SYS(getpeername(copies[0], (void *)&peer, &len));
	EQ(peer.sin_port, addr.sin_port);
	SYS(close(s));
	SYS(getpeername(copies[0], (void *)&peer, &len));
}

struct waiter {
	pthread_t thread;
	int s;
	bool polls;
};

static void *wait_for(void *arg)
{
	struct waiter *w = arg;
	struct pollfd fd = { w->s, POLLIN, 0 };
	char c;

	if (w->polls) {
		EQ(poll(&fd, 1, 10000), 1);
		EQ(fd.revents, POLLIN);
	}
	EQ(recv(w->s, &c, 1, 0), 1);
	EQ(c, 'y');
	return NULL;
}

/* A reader that was there before the first word was said. */
static void awaited(void)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	int l;
	struct sockaddr_in addr = server(SOCK_DGRAM, &l);
	char c;

	for (int polls = 0; polls < 2; polls++) {
		struct waiter w = { .s = SYS(socket(AF_INET, SOCK_DGRAM, 0)),
				    .polls = polls };

		EQ(pthread_create(&w.thread, NULL, wait_for, &w), 0);
		usleep(MOMENT);
		EQ(sendto(w.s, "x", 1, 0, (void *)&addr, sizeof(addr)), 1);
		EQ(recvfrom(l, &c, 1, 0, (void *)&from, &len), 1);
		usleep(MOMENT);
		EQ(sendto(l, "y", 1, 0, (void *)&from, len), 1);
		pthread_join(w.thread, NULL);
	}
}

/* An address that is not there decides nothing. */
static void faulty(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int s = SYS(socket(AF_INET, SOCK_DGRAM, 0));
	void *volatile bad = (void *)1;

	FAILS(connect(s, bad, sizeof(addr)), EFAULT);
	FAILS(bind(s, bad, sizeof(addr)), EFAULT);
	FAILS(sendmsg(s, bad, 0), EFAULT);
	FAILS(sendto(s, "x", 1, 0, bad, sizeof(addr)), EFAULT);
	inet_pton(AF_INET, "127.0.0.2", &addr.sin_addr);
	addr.sin_port = htons(9);
	SYS(connect(s, (void *)&addr, sizeof(addr)));
}

static const struct check tests[] = {
	{ "registered", registered },
	{ "duplicated", duplicated },
	{ "awaited", awaited },
	{ "faulty", faulty },
};

int main(int argc, char **argv)
{
	setenv("LKL_HIJACK_POLICY", "any|127.0.0.2|host", 1);
	hijack_self(argv);
	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
