// SPDX-License-Identifier: GPL-2.0-only
/*
 * Under interception a program waits for descriptors of the host and of the
 * library at once, and signals find it as they would on a host.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "hijack.h"
#include "epoll.h"

static int p[2], pipes[2];

static void setup(void)
{
	tcp_pair(p);
	SYS(pipe(pipes));
}

static long ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Write one byte to a descriptor, in a moment. */
static void *write_later(void *arg)
{
	usleep(50000);
	EQ(write((long)arg, "x", 1), 1);
	return NULL;
}

static void later(int fd)
{
	pthread_t thread;

	EQ(pthread_create(&thread, NULL, write_later, (void *)(long)fd), 0);
	pthread_detach(thread);
}

static void take(int fd)
{
	char c;

	EQ(read(fd, &c, 1), 1);
}

static void polling(void)
{
	struct pollfd fds[4] = { { -1, POLLIN, 0 } };
	long start;

	setup();
	fds[1] = (struct pollfd){ p[1], POLLIN, 0 };
	fds[2] = (struct pollfd){ pipes[0], POLLIN, 0 };
	fds[3] = (struct pollfd){ p[0], POLLOUT, 0 };
	EQ(poll(fds, 4, -1), 1);
	EQ(fds[3].revents, POLLOUT);
	EQ(poll(fds, 3, 0), 0);
	start = ms();
	EQ(poll(fds, 3, 30), 0);
	CHECK(ms() - start >= 30);
	later(p[0]);
	EQ(poll(fds, 3, -1), 1);
	EQ(fds[1].revents, POLLIN);
	later(pipes[1]);
	take(p[1]);
	EQ(poll(fds, 3, -1), 1);
	EQ(fds[1].revents, 0);
	EQ(fds[2].revents, POLLIN);
	EQ(write(p[0], "x", 1), 1);
	EQ(poll(fds, 4, 10000), 3);
	EQ(fds[0].revents, 0);
	SYS(close(p[1]));
	EQ(poll(fds, 2, 0), 1);
	EQ(fds[1].revents, POLLNVAL);
}

static void selecting(void)
{
	struct timeval tv = { 0, 30000 };
	fd_set in, out;

	setup();
	FD_ZERO(&in);
	FD_SET(p[1], &in);
	FD_SET(pipes[0], &in);
	EQ(select(100, &in, NULL, NULL, &tv), 0);
	EQ(tv.tv_sec + tv.tv_usec, 0);
	CHECK(!FD_ISSET(p[1], &in));
	FD_SET(p[1], &in);
	FD_SET(pipes[0], &in);
	later(p[0]);
	/* What is left of a minute is less. */
	tv.tv_sec = 60;
	EQ(select(100, &in, NULL, NULL, &tv), 1);
	CHECK(tv.tv_sec >= 30 && tv.tv_sec < 60);
	CHECK(FD_ISSET(p[1], &in) && !FD_ISSET(pipes[0], &in));
	FD_SET(pipes[0], &in);
	FD_ZERO(&out);
	FD_SET(p[0], &out);
	FD_SET(pipes[1], &out);
	EQ(select(100, &in, &out, NULL, NULL), 3);
	FD_SET(99, &in);
	FAILS(select(100, &in, NULL, NULL, NULL), EBADF);
}

/* Sets of so many descriptors. */
#define FAR 3000
#define BITS (8 * sizeof(unsigned long))
#define WORDS (FAR / BITS + 1)

static bool is_in(const unsigned long *set, int fd)
{
	return set[fd / BITS] >> fd % BITS & 1;
}

static void put_in(unsigned long *set, int fd)
{
	set[fd / BITS] |= 1UL << fd % BITS;
}

static int select_far(unsigned long *in, unsigned long *out, struct timeval *tv)
{
	return syscall(SYS_select, FAR, in, out, NULL, tv);
}

static volatile bool installed;

/* Descriptors appear and vanish, also at numbers that are being waited for. */
static void *install(void *arg)
{
	long first = (long)arg;

	while (!installed)
		for (int i = 0; i < 200; i++) {
			SYS(dup2(p[0], first + i));
			if (i % 2)
				SYS(close(first + i));
		}
	return NULL;
}

/* Descriptors above those that an fd_set of the C library has room for. */
static void selecting_far(void)
{
	unsigned long in[WORDS + 8] = { 0 }, out[WORDS + 8] = { 0 };
	struct rlimit limit = { 2 * FAR, 2 * FAR };
	int near, low, i, changes, ret;
	pthread_t thread;

	if (setrlimit(RLIMIT_NOFILE, &limit)) {
		fprintf(stderr, "no descriptors above %d\n", FAR);
		return;
	}
	setup();
	near = SYS(fcntl(p[1], F_DUPFD, FAR - 60));
	low = SYS(fcntl(pipes[0], F_DUPFD, 1024));
	put_in(in, near);
	put_in(in, low);
	EQ(select_far(in, NULL, &(struct timeval){ 0 }), 0);
	CHECK(!is_in(in, near) && !is_in(in, low));
	EQ(write(p[0], "x", 1), 1);
	put_in(in, near);
	put_in(in, low);
	put_in(out, near);
	EQ(select_far(in, out, NULL), 2);
	CHECK(is_in(in, near) && !is_in(in, low) && is_in(out, near));
	/* Nothing behind the end of the sets is touched. */
	for (i = WORDS; i < (int)WORDS + 8; i++)
		in[i] = ~0UL;
	put_in(in, low);
	EQ(select_far(in, NULL, NULL), 1);
	for (i = WORDS; i < (int)WORDS + 8; i++)
		CHECK(in[i] == ~0UL);

	EQ(pthread_create(&thread, NULL, install, (void *)1200L), 0);
	for (changes = 0; changes < 300; changes++) {
		memset(in, 0, sizeof(in));
		for (i = 1200; i < 1400; i++)
			put_in(in, i);
		put_in(in, near);
		ret = select_far(in, NULL, NULL);
		if (ret < 0)
			EQ(errno, EBADF);
		else
			CHECK(ret >= 1 && is_in(in, near));
	}
	installed = true;
	EQ(pthread_join(thread, NULL), 0);
}

static void epolling(void)
{
	struct epoll_event ev[4];
	long start;
	int ep;

	setup();
	ep = SYS(epoll_create1(0));
	SYS(control(ep, EPOLL_CTL_ADD, p[1], EPOLLIN));
	SYS(control(ep, EPOLL_CTL_ADD, pipes[0], EPOLLIN));
	FAILS(control(ep, EPOLL_CTL_ADD, p[1], EPOLLIN), EEXIST);
	EQ(ready(ep, 0), 0);
	start = ms();
	EQ(ready(ep, 30), 0);
	CHECK(ms() - start >= 30);
	for (int i = 0; i < 3; i++) {
		later(p[0]);
		EQ(ready(ep, -1), p[1]);
		/* Level: again and again */
		EQ(ready(ep, -1), p[1]);
		take(p[1]);
		EQ(ready(ep, 0), 0);
		later(pipes[1]);
		EQ(ready(ep, -1), pipes[0]);
		take(pipes[0]);
		EQ(ready(ep, 0), 0);
	}
	/* Neither side starves the other. */
	EQ(write(p[0], "x", 1), 1);
	EQ(write(pipes[1], "x", 1), 1);
	for (int i = 0, host = 0, lib = 0; !host || !lib; i++) {
		CHECK(i < 50);
		EQ(epoll_wait(ep, ev, 1, -1) > 0, 1);
		host |= ev[0].data.u32 == (unsigned int)pipes[0];
		lib |= ev[0].data.u32 == (unsigned int)p[1];
		if (host && !lib)
			take(pipes[0]);
		if (lib && !host && i > 20)
			take(p[1]);
	}
	SYS(control(ep, EPOLL_CTL_DEL, p[1], 0));
	FAILS(control(ep, EPOLL_CTL_MOD, p[1], EPOLLIN), ENOENT);
}

static void edges(void)
{
	int ep;

	setup();
	ep = SYS(epoll_create1(0));
	SYS(control(ep, EPOLL_CTL_ADD, p[1], EPOLLIN | EPOLLET));
	later(p[0]);
	EQ(ready(ep, -1), p[1]);
	EQ(ready(ep, 20), 0);
	later(p[0]);
	EQ(ready(ep, -1), p[1]);
	SYS(control(ep, EPOLL_CTL_MOD, p[1], EPOLLIN | EPOLLONESHOT));
	EQ(ready(ep, -1), p[1]);
	later(p[0]);
	EQ(ready(ep, 100), 0);
	SYS(control(ep, EPOLL_CTL_MOD, p[1], EPOLLIN | EPOLLONESHOT));
	EQ(ready(ep, -1), p[1]);
	/* The end of a descriptor is the end of its wait. */
	SYS(control(ep, EPOLL_CTL_MOD, p[1], EPOLLIN));
	SYS(close(p[1]));
	EQ(ready(ep, 0), 0);
}

static void nested(void)
{
	int inner, outer, fd2;
	struct pollfd fd;

	setup();
	inner = SYS(epoll_create1(0));
	outer = SYS(epoll_create1(0));
	SYS(control(outer, EPOLL_CTL_ADD, inner, EPOLLIN));
	SYS(control(inner, EPOLL_CTL_ADD, p[1], EPOLLIN));
	EQ(ready(outer, 0), 0);
	for (int i = 0; i < 3; i++) {
		later(p[0]);
		EQ(ready(outer, -1), inner);
		EQ(ready(outer, -1), inner);
		EQ(ready(inner, 0), p[1]);
		take(p[1]);
		EQ(ready(inner, 0), 0);
		EQ(ready(outer, 0), 0);
	}
	/* In a poll(), beside others */
	fd2 = SYS(epoll_create1(0));
	SYS(control(fd2, EPOLL_CTL_ADD, p[1], EPOLLIN));
	fd = (struct pollfd){ fd2, POLLIN, 0 };
	EQ(poll(&fd, 1, 0), 0);
	later(p[0]);
	EQ(poll(&fd, 1, -1), 1);
	take(p[1]);
	EQ(ready(fd2, 0), 0);
	EQ(poll(&fd, 1, 0), 0);
}

#define WAITERS 4

static int shared;
static int woken;

static void *wait_shared(void *arg)
{
	struct epoll_event ev;

	(void)arg;
	EQ(epoll_wait(shared, &ev, 1, -1), 1);
	__atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* A file of the library that is always ready hides none of the host's. */
static void both(void)
{
	struct epoll_event ev[4];
	int ep, tries = 0, seen = 0;

	setup();
	ep = SYS(epoll_create1(0));
	SYS(control(ep, EPOLL_CTL_ADD, p[0], EPOLLOUT));
	SYS(control(ep, EPOLL_CTL_ADD, pipes[1], EPOLLOUT));
	while (!seen) {
		int n = SYS(epoll_wait(ep, ev, 4, -1));

		CHECK(tries++ < 20);
		while (n--)
			seen |= (int)ev[n].data.u32 == pipes[1];
	}
}

/* Of several threads that wait at one epoll, each event wakes one. */
static void shared_epoll(void)
{
	pthread_t threads[WAITERS];

	setup();
	shared = SYS(epoll_create1(0));
	SYS(control(shared, EPOLL_CTL_ADD, p[1], EPOLLIN | EPOLLET));
	for (int i = 0; i < WAITERS; i++)
		pthread_create(&threads[i], NULL, wait_shared, NULL);
	usleep(50000);
	for (int i = 1; i <= WAITERS; i++) {
		EQ(write(p[0], "x", 1), 1);
		for (int t = 0; t < 10000 && woken < i; t++)
			usleep(1000);
		usleep(20000);
		EQ(woken, i);
	}
	for (int i = 0; i < WAITERS; i++)
		pthread_join(threads[i], NULL);
}

static volatile int handled;
static volatile long sent;
static sigjmp_buf jump;

static void on_alarm(int sig)
{
	(void)sig;
	handled++;
}

static void on_alarm_send(int sig)
{
	if (!handled)
		sent = write(p[0], "x", 1);
	on_alarm(sig);
}

static void on_alarm_jump(int sig)
{
	on_alarm(sig);
	siglongjmp(jump, 1);
}

static void set_alarm(int ms, int repeat)
{
	struct itimerval timer = { .it_value.tv_usec = ms * 1000,
				   .it_interval.tv_usec = repeat * 1000 };

	SYS(setitimer(ITIMER_REAL, &timer, NULL));
}

/* And again: the first may come before the call that it shall interrupt. */
static void alarm_in(int ms, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	handled = 0;
	SYS(sigaction(SIGALRM, &sa, NULL));
	set_alarm(ms, ms);
}

static void no_alarm(void)
{
	set_alarm(0, 0);
	CHECK(handled);
}

static void interrupted(void)
{
	struct pollfd fd;
	struct sigaction sa;
	char c;

	setup();
	fd = (struct pollfd){ p[1], POLLIN, 0 };
	alarm_in(30, on_alarm, 0);
	SYS(sigaction(SIGALRM, NULL, &sa));
	CHECK(sa.sa_handler == on_alarm && !(sa.sa_flags & SA_SIGINFO));
	FAILS(read(p[1], &c, 1), EINTR);
	no_alarm();
	alarm_in(30, on_alarm, SA_RESTART);
	FAILS(poll(&fd, 1, -1), EINTR);
	no_alarm();
	/* A handler that makes the call succeed, from inside it. */
	alarm_in(30, on_alarm_send, SA_RESTART);
	EQ(read(p[1], &c, 1), 1);
	no_alarm();
	EQ(sent, 1);
	alarm_in(30, on_alarm_send, SA_RESTART);
	EQ(read(pipes[0], &c, 0), 0);
	EQ(recv(p[1], &c, 1, MSG_WAITALL), 1);
	no_alarm();
}

/* A signal ends a wait also if it comes just before. */
static void noticed(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct epoll_event ev;
	struct pollfd fd;
	char c;
	int ep;

	setup();
	ep = SYS(epoll_create1(0));
	SYS(control(ep, EPOLL_CTL_ADD, p[1], EPOLLIN));
	fd = (struct pollfd){ p[1], POLLIN, 0 };
	SYS(sigaction(SIGALRM, &sa, NULL));
	for (int i = 0; i < 1500; i++) {
		/* A signal that comes before all of that is followed by
		 * another. */
		struct itimerval time = { { 0, 500 }, { 0, 1 + i % 50 } };

		SYS(setitimer(ITIMER_REAL, &time, NULL));
		FAILS(poll(&fd, 1, -1), EINTR);
		SYS(setitimer(ITIMER_REAL, &time, NULL));
		FAILS(epoll_wait(ep, &ev, 1, -1), EINTR);
		SYS(setitimer(ITIMER_REAL, &time, NULL));
		FAILS(recv(p[1], &c, 1, 0), EINTR);
	}
}

#define STORM 3000

static pthread_t sender;
static int arrived, stopped;

static void *storm(void *arg)
{
	while (!__atomic_load_n(&stopped, __ATOMIC_SEQ_CST))
		pthread_kill(sender, SIGALRM);
	return arg;
}

static void *sleep_and_take(void *arg)
{
	while (arrived < STORM) {
		EQ(ready(shared, -1), p[1]);
		take(p[1]);
		__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
	}
	return arg;
}

/* Signals do not keep the sender from waking the sleeper. */
static void stormed(void)
{
	struct sigaction sa = { .sa_handler = on_alarm,
				.sa_flags = SA_RESTART };
	pthread_t sleeper, stormer;
	sigset_t set;

	setup();
	shared = SYS(epoll_create1(0));
	SYS(control(shared, EPOLL_CTL_ADD, p[1], EPOLLIN));
	SYS(sigaction(SIGALRM, &sa, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	SYS(pthread_sigmask(SIG_BLOCK, &set, NULL));
	sender = pthread_self();
	EQ(pthread_create(&sleeper, NULL, sleep_and_take, NULL), 0);
	EQ(pthread_create(&stormer, NULL, storm, NULL), 0);
	SYS(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
	for (int i = 0; i < STORM; i++) {
		EQ(write(p[0], "x", 1), 1);
		for (int t = 0;
		     __atomic_load_n(&arrived, __ATOMIC_SEQ_CST) <= i; t++) {
			if (t == 1000000)
				FAIL("byte %d wakes no thread", i);
			sched_yield();
		}
	}
	stopped = 1;
	pthread_join(sleeper, NULL);
	pthread_join(stormer, NULL);
	CHECK(handled);
}

/* Leaving a call by longjmp() leaves nothing behind. */
static void jumped(void)
{
	struct pollfd fd;
	char c;

	setup();
	fd = (struct pollfd){ p[1], POLLIN, 0 };
	for (volatile int i = 0; i < 20; i++) {
		if (!sigsetjmp(jump, 1)) {
			alarm_in(5, on_alarm_jump, SA_RESTART);
			if (i % 2)
				poll(&fd, 1, -1);
			else
				(void)!read(p[1], &c, 1);
			FAIL("not interrupted");
		}
		no_alarm();
		EQ(write(p[0], "x", 1), 1);
		EQ(read(p[1], &c, 1), 1);
	}
}

static void signal_mask(void)
{
	struct timespec time = { 60, 0 };
	struct pollfd fd;
	sigset_t set, none;

	setup();
	fd = (struct pollfd){ p[1], POLLIN, 0 };
	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	SYS(sigprocmask(SIG_BLOCK, &set, NULL));
	alarm_in(20, on_alarm, 0);
	usleep(40000);
	EQ(handled, 0);
	FAILS(ppoll(&fd, 1, &time, &none), EINTR);
	no_alarm();
	CHECK(time.tv_sec >= 50 && time.tv_sec <= 60);
}

static void timeouts(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct timeval tv = { 0, 30000 };
	struct pollfd fd;
	socklen_t len = sizeof(int);
	int s, err;
	char c;
	long start = ms();

	setup();
	SYS(setsockopt(p[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	FAILS(read(p[1], &c, 1), EAGAIN);
	CHECK(ms() - start >= 30);
	/* A connect() that does not wait */
	s = SYS(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	addr.sin_port = htons(1);
	if (connect(s, (void *)&addr, sizeof(addr)) && errno == EINPROGRESS) {
		fd = (struct pollfd){ s, POLLOUT, 0 };
		EQ(poll(&fd, 1, 10000), 1);
		SYS(getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &len));
		EQ(err, ECONNREFUSED);
	} else {
		EQ(errno, ECONNREFUSED);
	}
	SYS(fcntl(p[1], F_SETFL, O_NONBLOCK));
	FAILS(read(p[1], &c, 1), EAGAIN);
}

/* Writing to a socket without a reader. */
static void broken_pipe(void)
{
	setup();
	handled = 0;
	signal(SIGPIPE, on_alarm);
	SYS(close(p[1]));
	(void)!write(p[0], "x", 1);
	usleep(20000);
	EQ(send(p[0], "x", 1, MSG_NOSIGNAL), -1);
	EQ(handled, 0);
	FAILS(write(p[0], "x", 1), EPIPE);
	EQ(handled, 1);
}

static const struct check tests[] = {
	{ "polling", polling },
	{ "selecting", selecting },
	{ "selecting-far", selecting_far },
	{ "epolling", epolling },
	{ "edges", edges },
	{ "nested", nested },
	{ "both", both },
	{ "shared-epoll", shared_epoll },
	{ "noticed", noticed },
	{ "stormed", stormed },
	{ "interrupted", interrupted },
	{ "jumped", jumped },
	{ "signal-mask", signal_mask },
	{ "timeouts", timeouts },
	{ "broken-pipe", broken_pipe },
};

HIJACK_MAIN(tests)
