// SPDX-License-Identifier: GPL-2.0-only
/*
 * Under interception the set of an epoll may change in every way while threads
 * sleep in it, also from one without a socket of the library to one that has
 * some, and back.
 */
#include <poll.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "hijack.h"
#include "epoll.h"

#define THREADS 4
/* A moment, in which nothing is to happen, and how long it may take else. */
#define MOMENT 50
#define LONG 20000

/* A UDP socket that has its own address, so that it hears what it sends. */
static int udp(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int s = SYS(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	SYS(bind(s, (void *)&addr, len));
	SYS(getsockname(s, (void *)&addr, &len));
	SYS(connect(s, (void *)&addr, len));
	return s;
}

static void say(int s)
{
	EQ(send(s, "x", 1, 0), 1);
}

static void hear(int s)
{
	char c;

	EQ(recv(s, &c, 1, 0), 1);
}

static void add(int ep, int fd, unsigned int events)
{
	SYS(control(ep, EPOLL_CTL_ADD, fd, events));
}

/* Threads that sleep in a set, once each. */
struct sleeper {
	pthread_t thread;
	int ep, timeout, got;
};

static int awake;

static void *sleep_in(void *arg)
{
	struct sleeper *s = arg;

	s->got = ready(s->ep, s->timeout);
	__atomic_add_fetch(&awake, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static bool is_asleep(struct sleeper *s)
{
	return pthread_tryjoin_np(s->thread, NULL);
}

static void begin(struct sleeper *s, int ep, int timeout)
{
	s->ep = ep;
	s->timeout = timeout;
	EQ(pthread_create(&s->thread, NULL, sleep_in, s), 0);
	usleep(MOMENT * 1000);
}

static int end(struct sleeper *s)
{
	EQ(pthread_join(s->thread, NULL), 0);
	return s->got;
}

static long ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int ep, event;

/* A set that has a file of the host, which is not ready. */
static void setup(void)
{
	ep = SYS(epoll_create1(0));
	event = SYS(eventfd(0, EFD_NONBLOCK));
	add(ep, event, EPOLLIN);
}

static void first_added(void)
{
	struct sleeper s;
	int u = udp();

	for (int timeout = -1; timeout < LONG; timeout += LONG) {
		setup();
		begin(&s, ep, timeout);
		add(ep, u, EPOLLIN);
		usleep(MOMENT * 1000);
		CHECK(is_asleep(&s));
		say(u);
		EQ(end(&s), u);
		hear(u);
		/* One that is ready already. */
		setup();
		begin(&s, ep, timeout);
		say(u);
		add(ep, u, EPOLLIN);
		EQ(end(&s), u);
		hear(u);
		/* It does not hide the host's. */
		begin(&s, ep, timeout);
		SYS(eventfd_write(event, 1));
		EQ(end(&s), event);
	}
}

/* That a set gets a shadow does not make a wait longer, or shorter. */
static void timed(void)
{
	struct sleeper s;
	long start = ms(), took;

	setup();
	begin(&s, ep, 4 * MOMENT);
	add(ep, udp(), EPOLLIN);
	usleep(MOMENT * 1000);
	say(udp());
	EQ(end(&s), 0);
	took = ms() - start;
	CHECK(took >= 4 * MOMENT && took < 100 * MOMENT);
}

/* Each event wakes one of the threads that slept before there was a socket. */
static void many(void)
{
	struct sleeper s[THREADS];
	int u = udp();

	setup();
	awake = 0;
	for (int i = 0; i < THREADS; i++)
		begin(&s[i], ep, -1);
	add(ep, u, EPOLLIN | EPOLLET);
	for (int i = 1; i <= THREADS; i++) {
		say(u);
		for (int t = 0; t < LONG && awake < i; t++)
			usleep(1000);
		usleep(MOMENT * 1000);
		EQ(awake, i);
	}
	for (int i = 0; i < THREADS; i++)
		EQ(end(&s[i]), u);
}

static void modified(void)
{
	struct sleeper s;
	int u = udp();

	setup();
	say(u);
	add(ep, u, 0);
	begin(&s, ep, -1);
	CHECK(is_asleep(&s));
	SYS(control(ep, EPOLL_CTL_MOD, u, EPOLLIN));
	EQ(end(&s), u);
	SYS(control(ep, EPOLL_CTL_MOD, u, EPOLLOUT | EPOLLONESHOT));
	EQ(ready(ep, -1), u);
	begin(&s, ep, -1);
	SYS(control(ep, EPOLL_CTL_MOD, u, EPOLLOUT | EPOLLONESHOT));
	EQ(end(&s), u);
}

/* The last socket leaves, and another one comes. */
static void left(void)
{
	struct sleeper s;
	int u = udp(), v, fd;

	setup();
	add(ep, u, EPOLLIN);
	begin(&s, ep, -1);
	SYS(control(ep, EPOLL_CTL_DEL, u, 0));
	say(u);
	usleep(MOMENT * 1000);
	CHECK(is_asleep(&s));
	SYS(eventfd_write(event, 1));
	EQ(end(&s), event);
	EQ(eventfd_read(event, &(eventfd_t){ 0 }), 0);
	/* By being closed, and by a dup2() over it. */
	for (int i = 0; i < 2; i++) {
		v = udp();
		add(ep, v, EPOLLIN);
		begin(&s, ep, -1);
		if (i) {
			SYS(dup2(event, v));
		} else {
			SYS(close(v));
		}
		fd = udp();
		say(fd);
		usleep(MOMENT * 1000);
		CHECK(is_asleep(&s));
		add(ep, fd, EPOLLIN);
		EQ(end(&s), fd);
		SYS(control(ep, EPOLL_CTL_DEL, fd, 0));
	}
}

/*
 * A thread that sleeps in a set that is closed sleeps on; what is done to other
 * files that get its number does not wake it.
 */
static void closed(void)
{
	struct sleeper s[4];
	int u[4], fd;

	for (int i = 0; i < 4; i++) {
		u[i] = udp();
		setup();
		if (i & 1)
			add(ep, u[i], EPOLLIN);
		begin(&s[i], ep, -1);
		if (i & 2)
			SYS(dup2(event, ep));
		else
			SYS(close(ep));
		usleep(MOMENT * 1000);
		CHECK(is_asleep(&s[i]));
	}
	for (int i = 0; i < 8; i++) {
		setup();
		fd = udp();
		add(ep, fd, EPOLLIN);
		say(fd);
		EQ(ready(ep, -1), fd);
		EQ(close(fd), 0);
		EQ(ready(ep, 0), 0);
		SYS(close(ep));
	}
	for (int i = 1; i < 4; i += 2) {
		CHECK(is_asleep(&s[i]));
		say(u[i]);
		EQ(end(&s[i]), u[i]);
	}
	for (int i = 0; i < 4; i += 2)
		CHECK(is_asleep(&s[i]));
}

static void nested(void)
{
	int outer = SYS(epoll_create1(0)), u = udp(), v = udp();
	struct pollfd fd;
	struct sleeper s;

	setup();
	add(outer, ep, EPOLLIN);
	begin(&s, outer, -1);
	add(ep, u, EPOLLIN);
	usleep(MOMENT * 1000);
	CHECK(is_asleep(&s));
	say(u);
	EQ(end(&s), ep);
	/* As long as there is something, and no longer. */
	EQ(ready(outer, 0), ep);
	EQ(ready(ep, 0), u);
	EQ(ready(outer, 0), ep);
	hear(u);
	EQ(ready(outer, 0), 0);
	EQ(ready(outer, MOMENT), 0);
	/* A set that had a socket before it came into another. */
	setup();
	add(ep, v, EPOLLIN);
	say(v);
	EQ(ready(ep, 0), v);
	add(outer, ep, EPOLLIN);
	EQ(ready(outer, -1), ep);
	EQ(ready(ep, 0), v);
	EQ(ready(outer, 0), ep);
	fd = (struct pollfd){ ep, POLLIN, 0 };
	EQ(poll(&fd, 1, 0), 1);
	hear(v);
	EQ(poll(&fd, 1, 0), 0);
	EQ(ready(outer, 0), 0);
	begin(&s, outer, -1);
	say(v);
	EQ(end(&s), ep);
	hear(v);
	/* Each event is an edge. */
	SYS(control(outer, EPOLL_CTL_MOD, ep, EPOLLIN | EPOLLET));
	for (int i = 0; i < 3; i++) {
		say(v);
		EQ(ready(outer, LONG), ep);
		EQ(ready(outer, 0), 0);
	}
}

/*
 * What a runtime does that has one thread for the sleeping: its set begins with
 * an event, and sockets come while it sleeps.
 */
struct runtime {
	pthread_t thread;
	int ep, waker, socket;
	int events;
};

static void *drive(void *arg)
{
	struct runtime *r = arg;
	struct epoll_event ev[16];

	for (;;) {
		int n = SYS(epoll_wait(r->ep, ev, 16, -1));

		for (int i = 0; i < n; i++) {
			if (ev[i].data.u64 == 0)
				return NULL;
			__atomic_or_fetch(&r->events, ev[i].events,
					  __ATOMIC_SEQ_CST);
		}
	}
}

static void await(struct runtime *r, int events)
{
	for (int t = 0; t < LONG * 10; t++) {
		if (__atomic_load_n(&r->events, __ATOMIC_SEQ_CST) & events)
			return;
		usleep(100);
	}
	FAIL("no event %x", events);
}

static void *echo(void *arg)
{
	char c;

	for (;;) {
		int s = SYS(accept(*(int *)arg, NULL, NULL));

		EQ(read(s, &c, 1), 1);
		EQ(write(s, &c, 1), 1);
		SYS(close(s));
		if (c == 'e')
			return NULL;
	}
}

static void runtime(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int l = SYS(socket(AF_INET, SOCK_STREAM, 0)), rounds = 100;
	socklen_t len = sizeof(addr);
	pthread_t server;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	SYS(bind(l, (void *)&addr, len));
	SYS(listen(l, 5));
	SYS(getsockname(l, (void *)&addr, &len));
	EQ(pthread_create(&server, NULL, echo, &l), 0);
	for (int i = 1; i <= rounds; i++) {
		struct runtime r = { .ep = SYS(epoll_create1(EPOLL_CLOEXEC)),
				     .waker = SYS(eventfd(0, EFD_NONBLOCK)) };
		struct epoll_event ev = { EPOLLIN | EPOLLET, { .u64 = 0 } };
		char c = i == rounds ? 'e' : 'c';

		SYS(epoll_ctl(r.ep, EPOLL_CTL_ADD, r.waker, &ev));
		EQ(pthread_create(&r.thread, NULL, drive, &r), 0);
		if (i % 2)
			usleep(1000);
		r.socket = SYS(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
		CHECK(!connect(r.socket, (void *)&addr, len) ||
		      errno == EINPROGRESS);
		ev.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
		ev.data.u64 = 1;
		SYS(epoll_ctl(r.ep, EPOLL_CTL_ADD, r.socket, &ev));
		await(&r, EPOLLOUT);
		EQ(write(r.socket, &c, 1), 1);
		await(&r, EPOLLRDHUP);
		EQ(read(r.socket, &c, 1), 1);
		SYS(eventfd_write(r.waker, 1));
		pthread_join(r.thread, NULL);
		SYS(close(r.socket));
		SYS(close(r.waker));
		SYS(close(r.ep));
	}
	pthread_join(server, NULL);
}

/* What is none is said to be none. */
static void arguments(void)
{
	struct epoll_event ev;
	/* The compiler is not to know that they are bad. */
	void *volatile bad = (void *)1;
	volatile int none = 0;
	int u = udp();

	setup();
	FAILS(epoll_wait(u, &ev, 1, 0), EINVAL);
	FAILS(epoll_wait(u, &ev, none, 0), EINVAL);
	FAILS(epoll_wait(event, &ev, 1, 0), EINVAL);
	FAILS(control(u, EPOLL_CTL_ADD, event, EPOLLIN), EINVAL);
	FAILS(control(u, EPOLL_CTL_ADD, 999, EPOLLIN), EBADF);
	FAILS(control(ep, EPOLL_CTL_ADD, 999, EPOLLIN), EBADF);
	FAILS(epoll_ctl(u, EPOLL_CTL_ADD, event, bad), EFAULT);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, u, bad), EFAULT);
	add(ep, u, EPOLLOUT);
	FAILS(epoll_wait(ep, &ev, none, 0), EINVAL);
	FAILS(epoll_wait(ep, &ev, none - 1, -1), EINVAL);
	FAILS(epoll_wait(ep, bad, 1, -1), EFAULT);
	FAILS(epoll_pwait(ep, &ev, 1, -1, bad), EFAULT);
	FAILS(epoll_pwait2(ep, &ev, 1, bad, NULL), EFAULT);
	FAILS(epoll_pwait2(ep, &ev, 1, &(struct timespec){ 0, -1 }, NULL),
	      EINVAL);
	EQ(ready(ep, 0), u);
}

static const struct check tests[] = {
	{ "first-added", first_added },
	{ "timed", timed },
	{ "many", many },
	{ "modified", modified },
	{ "left", left },
	{ "closed", closed },
	{ "nested", nested },
	{ "runtime", runtime },
	{ "arguments", arguments },
};

HIJACK_MAIN(tests)
