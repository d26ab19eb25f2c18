// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread that waits in a call receives for the device itself, and no other is
 * woken.  Frames that no thread waits for are received, too.  Signals,
 * time-outs, floods and removal end the wait as any other.
 *
 * The wire is an application's own: a pair of sockets, into the other end of
 * which the tests write frames, or memory and an eventfd.
 */
#include <arpa/inet.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <lkl_host.h>

#include "check.h"

#define TYPE 0x88b5
#define FRAMES 50
/* What hanging up adds to the event; no number of frames comes to that. */
#define HUP (1ULL << 32)

struct wire {
	struct lkl_netdev nd;
	int in, out, epoll, wakeup;
	bool watched;
	int receiver;
	unsigned long polled;
};

static int tx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	(void)nd;
	(void)iov;
	(void)cnt;
	return 0;
}

static int rx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	struct wire *w = (struct wire *)nd;
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = cnt };
	long ret = syscall(SYS_recvmsg, w->in, &msg, MSG_DONTWAIT);

	if (ret > 0)
		w->receiver = syscall(SYS_gettid);
	return ret;
}

static int wire_poll(struct lkl_netdev *nd)
{
	struct wire *w = (struct wire *)nd;
	struct epoll_event e = { .events = EPOLLIN | EPOLLET | EPOLLEXCLUSIVE };
	uint64_t count;
	int mask = 0;

	if (!w->watched) {
		CHECK(!epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->in, &e));
		w->watched = true;
	}
	while (epoll_wait(w->epoll, &e, 1, -1) < 0)
		EQ(errno, EINTR);
	__atomic_fetch_add(&w->polled, 1, __ATOMIC_RELAXED);
	if (!e.data.u32)
		return LKL_DEV_NET_POLL_RX;
	CHECK(read(w->wakeup, &count, sizeof(count)) > 0);
	epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->in, NULL);
	w->watched = false;
	if (count % HUP)
		mask |= LKL_DEV_NET_POLL_RX;
	if (count >= HUP)
		mask |= LKL_DEV_NET_POLL_HUP;
	return mask;
}

static void poll_add(struct lkl_netdev *nd, uint64_t count)
{
	CHECK(write(((struct wire *)nd)->wakeup, &count, sizeof(count)) > 0);
}

static void poll_hup(struct lkl_netdev *nd)
{
	poll_add(nd, HUP);
}

static void poll_rx(struct lkl_netdev *nd)
{
	poll_add(nd, 1);
}

static int wire_fd(struct lkl_netdev *nd)
{
	return ((struct wire *)nd)->in;
}

static void wire_free(struct lkl_netdev *nd)
{
	(void)nd;
}

static struct lkl_dev_net_ops ops = {
	.tx = tx,
	.rx = rx,
	.poll = wire_poll,
	.poll_hup = poll_hup,
	.free = wire_free,
	.fd = wire_fd,
	.poll_rx = poll_rx,
};

static struct wire wire = { .nd.ops = &ops };

/*
 * The wire that is memory: frames with a number, those posted, received, and
 * told of, and whether nobody wants to be told.
 */
static char posted_number;
static unsigned long posted, received, told;
static int quiet;

static void post_frame(char number)
{
	uint64_t one = 1;

	posted_number = number;
	__atomic_add_fetch(&posted, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&quiet, __ATOMIC_SEQ_CST))
		return;
	told++;
	EQ(write(wire.in, &one, sizeof(one)), sizeof(one));
}

static int memory_rx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	static const char frame[60] = "\xff\xff\xff\xff\xff\xff"
				      "\x02\0\0\0\0\x01\x88\xb5";
	char *to = iov->iov_base;

	(void)nd;
	(void)cnt;
	if (received == __atomic_load_n(&posted, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&quiet, 0, __ATOMIC_SEQ_CST);
		if (received == __atomic_load_n(&posted, __ATOMIC_SEQ_CST))
			return -EAGAIN;
	}
	memcpy(to, frame, sizeof(frame));
	to[14] = posted_number;
	received++;
	return sizeof(frame);
}

static int memory_look(struct lkl_netdev *nd, int again)
{
	(void)nd;
	__atomic_store_n(&quiet, again, __ATOMIC_SEQ_CST);
	return received != __atomic_load_n(&posted, __ATOMIC_SEQ_CST);
}

static void use_memory(void)
{
	ops.rx = memory_rx;
	ops.look = memory_look;
	wire.nd.flags = LKL_NETDEV_EDGE;
}

/* Boot with the wire; returns a socket that gets the frames. */
static int listen_to(void)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = 1 };
	struct lkl_sockaddr_ll addr = { .sll_family = LKL_AF_PACKET };
	int ends[2], id;
	long fd;

	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	wire.in = ops.look ? eventfd(0, EFD_NONBLOCK) : ends[0];
	wire.out = ends[1];
	wire.epoll = epoll_create1(0);
	wire.wakeup = eventfd(0, 0);
	CHECK(!epoll_ctl(wire.epoll, EPOLL_CTL_ADD, wire.wakeup, &e));
	id = OK(lkl_netdev_add(&wire.nd, NULL));
	boot("mem=64M loglevel=4 ipv6.disable=1");
	addr.sll_ifindex = OK(lkl_netdev_get_ifindex(id));
	addr.sll_protocol = htons(TYPE);
	OK(lkl_if_up(addr.sll_ifindex));
	fd = OK(lkl_sys_socket(LKL_AF_PACKET, LKL_SOCK_RAW, 0));
	OK(lkl_sys_bind(fd, (struct lkl_sockaddr *)&addr, sizeof(addr)));
	return fd;
}

static void send_frame(char number)
{
	char frame[60] = "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01\x88\xb5";

	frame[14] = number;
	EQ(send(wire.out, frame, sizeof(frame), 0), sizeof(frame));
}

/* A thread that reads frames, up to one with a zero. */
struct reader {
	pthread_t id;
	int fd, tid;
	int got, by_itself;
	long end;
	int ended;
};

static void *read_frames(void *arg)
{
	struct reader *r = arg;
	char frame[100] = { 0 };

	r->tid = syscall(SYS_gettid);
	for (;;) {
		r->end = lkl_sys_read(r->fd, frame, sizeof(frame));
		if (r->end != 60 || !frame[14])
			break;
		r->by_itself += wire.receiver == r->tid;
		__atomic_fetch_add(&r->got, 1, __ATOMIC_SEQ_CST);
	}
	__atomic_store_n(&r->ended, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void begin(struct reader *r)
{
	r->ended = 0;
	r->id = start(read_frames, r);
	msleep(20);
}

static void wait_for(struct reader *r, int got)
{
	while (__atomic_load_n(&r->got, __ATOMIC_SEQ_CST) < got)
		msleep(1);
}

static void alone(void)
{
	struct reader r = { .fd = listen_to() };
	unsigned long polled;
	int i;

	begin(&r);
	polled = wire.polled;
	for (i = 1; i <= FRAMES; i++) {
		send_frame(i);
		wait_for(&r, i);
		msleep(2);
	}
	/* The polling thread may win now and then, when the reader is late. */
	CHECK(r.by_itself > FRAMES / 4);
	CHECK(wire.polled - polled < FRAMES * 3 / 4);
	send_frame(0);
	pthread_join(r.id, NULL);
}

static void unattended(void)
{
	char frame[100];
	int i, fd = listen_to();
	long ret;

	for (i = 1; i <= FRAMES; i++) {
		send_frame(i);
		do
			ret = lkl_sys_recvfrom(fd, frame, sizeof(frame),
					       LKL_MSG_DONTWAIT, NULL, NULL);
		while (ret == -LKL_EAGAIN);
		EQ(ret, 60);
		EQ(frame[14], i);
	}
	CHECK(wire.receiver != syscall(SYS_gettid));
}

static void together(void)
{
	struct reader r[3];
	struct lkl_sockaddr_ll addr;
	int i, len = sizeof(addr);

	memset(r, 0, sizeof(r));
	r[0].fd = listen_to();
	OK(lkl_sys_getsockname(r[0].fd, (struct lkl_sockaddr *)&addr, &len));
	addr.sll_protocol = htons(TYPE);
	for (i = 0; i < 3; i++) {
		if (i) {
			r[i].fd = OK(
				lkl_sys_socket(LKL_AF_PACKET, LKL_SOCK_RAW, 0));
			OK(lkl_sys_bind(r[i].fd, (struct lkl_sockaddr *)&addr,
					sizeof(addr)));
		}
		begin(&r[i]);
	}
	for (i = 1; i <= FRAMES; i++) {
		send_frame(i);
		wait_for(&r[0], i);
		wait_for(&r[1], i);
		wait_for(&r[2], i);
	}
	send_frame(0);
	for (i = 0; i < 3; i++)
		pthread_join(r[i].id, NULL);
}

/* Another thread ends the wait: nothing is received. */
static void woken(void)
{
	struct reader r = { .fd = 0 };
	int pipe[2], i;

	listen_to();
	OK(lkl_sys_pipe2(pipe, 0));
	r.fd = pipe[0];
	begin(&r);
	for (i = 1; i <= FRAMES; i++) {
		char frame[60] = { [14] = 1 };

		EQ(lkl_sys_write(pipe[1], frame, sizeof(frame)), 60);
		wait_for(&r, i);
		msleep(1);
	}
	OK(lkl_sys_close(pipe[1]));
	pthread_join(r.id, NULL);
	EQ(r.end, 0);
}

static void on_signal(int sig)
{
	(void)sig;
}

static void handle(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };

	sigaction(sig, &sa, NULL);
}

/* Have a read() end with EINTR, which it does only if it has begun. */
static void interrupt(struct reader *r)
{
	while (!__atomic_load_n(&r->ended, __ATOMIC_SEQ_CST)) {
		pthread_kill(r->id, SIGUSR1);
		msleep(10);
	}
	pthread_join(r->id, NULL);
	EQ(r->end, -LKL_EINTR);
}

static void signals(void)
{
	struct reader r = { .fd = listen_to() };

	handle(SIGUSR1, SA_RESTART);
	begin(&r);
	pthread_kill(r.id, SIGUSR1);
	msleep(20);
	send_frame(1);
	wait_for(&r, 1);
	pthread_kill(r.id, SIGUSR1);
	msleep(20);
	send_frame(0);
	pthread_join(r.id, NULL);
	EQ(r.end, 60);

	handle(SIGUSR1, 0);
	begin(&r);
	interrupt(&r);

	/* With both kinds the first may end a call, but no other. */
	handle(SIGUSR2, SA_RESTART);
	begin(&r);
	pthread_kill(r.id, SIGUSR2);
	msleep(100);
	if (!__atomic_load_n(&r.ended, __ATOMIC_SEQ_CST))
		send_frame(0);
	pthread_join(r.id, NULL);
	begin(&r);
	pthread_kill(r.id, SIGUSR2);
	msleep(20);
	send_frame(0);
	pthread_join(r.id, NULL);
	EQ(r.end, 60);
	begin(&r);
	interrupt(&r);
}

static void timeout(void)
{
	struct lkl_pollfd fd = { .fd = listen_to(), .events = LKL_POLLIN };
	long long begin = now(CLOCK_MONOTONIC), took;

	EQ(lkl_sys_poll(&fd, 1, 100), 0);
	took = now(CLOCK_MONOTONIC) - begin;
	CHECK(took >= 100000000LL);
	/* A second late is not a matter of a busy machine any more. */
	CHECK(took < 5000000000LL);
}

static void *flood(void *arg)
{
	int *stop = arg;

	while (!__atomic_load_n(stop, __ATOMIC_SEQ_CST))
		send_frame(1);
	return NULL;
}

static void flooded(void)
{
	int i, stop = 0, fd = listen_to();
	char frame[100];
	pthread_t id;

	id = start(flood, &stop);
	for (i = 0; i < 20000; i++)
		EQ(lkl_sys_read(fd, frame, sizeof(frame)), 60);
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	pthread_join(id, NULL);
}

/* Frames that no interface takes do not keep the waiting thread busy. */
static void down(void)
{
	struct lkl_sockaddr_ll addr;
	int i, len = sizeof(addr), fd = listen_to();
	long long begin;
	char frame[100] = { 0 };

	OK(lkl_sys_getsockname(fd, (struct lkl_sockaddr *)&addr, &len));
	OK(lkl_if_down(addr.sll_ifindex));
	/* Until the ring is full, and the wire is. */
	for (i = 0; i < 10; i++, msleep(10))
		while (send(wire.out, frame, 60, MSG_DONTWAIT) > 0)
			;
	begin = now(CLOCK_PROCESS_CPUTIME_ID);
	EQ(lkl_sys_poll(NULL, 0, 1000), 0);
	CHECK(now(CLOCK_PROCESS_CPUTIME_ID) - begin < 500000000LL);
	/* And are there when it is up again, or lost; later ones are there. */
	OK(lkl_if_up(addr.sll_ifindex));
	EQ(lkl_sys_read(fd, frame, sizeof(frame)), -LKL_ENETDOWN);
	do {
		send_frame(2);
		msleep(1);
		len = lkl_sys_recvfrom(fd, frame, sizeof(frame),
				       LKL_MSG_DONTWAIT, NULL, NULL);
	} while (len != 60 || frame[14] != 2);
}

static void removed(void)
{
	struct reader r = { .fd = listen_to() };
	int i;

	begin(&r);
	lkl_netdev_remove(wire.nd.id);
	pthread_join(r.id, NULL);
	EQ(r.end, -LKL_ENETDOWN);
	/* And again, while frames arrive. */
	for (i = 0; i < 10; i++) {
		struct lkl_sockaddr_ll addr = { .sll_family = LKL_AF_PACKET };
		int stop = 0;
		pthread_t id;
		char c;

		wire.watched = false;
		epoll_ctl(wire.epoll, EPOLL_CTL_DEL, wire.in, NULL);
		addr.sll_ifindex = OK(lkl_netdev_get_ifindex(
			OK(lkl_netdev_add(&wire.nd, NULL))));
		addr.sll_protocol = htons(TYPE);
		OK(lkl_if_up(addr.sll_ifindex));
		r.fd = OK(lkl_sys_socket(LKL_AF_PACKET, LKL_SOCK_RAW, 0));
		OK(lkl_sys_bind(r.fd, (struct lkl_sockaddr *)&addr,
				sizeof(addr)));
		begin(&r);
		id = start(flood, &stop);
		msleep(10);
		lkl_netdev_remove(wire.nd.id);
		pthread_join(r.id, NULL);
		EQ(r.end, -LKL_ENETDOWN);
		__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
		while (recv(wire.in, &c, 1, MSG_DONTWAIT) > 0)
			;
		pthread_join(id, NULL);
		while (recv(wire.in, &c, 1, MSG_DONTWAIT) > 0)
			;
		OK(lkl_sys_close(r.fd));
	}
}

static int processors(void)
{
	cpu_set_t set;

	CHECK(!sched_getaffinity(0, sizeof(set), &set));
	return CPU_COUNT(&set);
}

/* What comes soon the thread finds itself, and is told of what comes later. */
static void looked_at(void)
{
	struct reader r = { .fd = 0 };
	int i, n;

	use_memory();
	r.fd = listen_to();
	begin(&r);
	for (i = 1; i <= 20000; i++) {
		for (n = 0; n < 5 && !__atomic_load_n(&quiet, __ATOMIC_SEQ_CST);
		     n++)
			sched_yield();
		post_frame(1);
		while (__atomic_load_n(&r.got, __ATOMIC_SEQ_CST) < i)
			sched_yield();
	}
	CHECK(processors() == 1 || told < 20000);
	for (; i <= 20000 + FRAMES; i++) {
		while (__atomic_load_n(&quiet, __ATOMIC_SEQ_CST))
			msleep(1);
		msleep(2);
		post_frame(1);
		wait_for(&r, i);
	}
	post_frame(0);
	pthread_join(r.id, NULL);
	EQ(r.end, 60);
}

static const struct check tests[] = {
	{ "alone", alone },	  { "unattended", unattended },
	{ "together", together }, { "woken", woken },
	{ "signals", signals },	  { "timeout", timeout },
	{ "flooded", flooded },	  { "down", down },
	{ "removed", removed },	  { "looked-at", looked_at },
};

int main(int argc, char **argv)
{
	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
