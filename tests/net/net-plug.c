// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interfaces that come and go: an application's own back end, adding and
 * removing while the kernel runs and is busy, a tap that is deleted under load,
 * a link that follows the host's interface.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>

#include "netlab.h"

#define FRAMES 64
#define FRAME 2048

/*
 * A wire with a station at its other end that answers ARP and echo requests for
 * any address.  It takes no frame every now and then, to be asked again.
 */
struct wire {
	struct lkl_netdev nd;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	unsigned char frames[FRAMES][FRAME];
	unsigned int len[FRAMES];
	unsigned int in, out;
	int events;
	unsigned long sent, refused, hups, freed;
};

static struct wire *to_wire(struct lkl_netdev *nd)
{
	return (struct wire *)nd;
}

static void answer(struct wire *w, unsigned char *f, unsigned int len)
{
	static const unsigned char station[6] = { 2, 0, 0, 0, 0, 99 };
	unsigned char *to;
	uint32_t addr;

	if (w->in - w->out == FRAMES || len > FRAME)
		return;
	to = w->frames[w->in % FRAMES];
	memcpy(to, f, len);
	memcpy(to, f + 6, 6);
	memcpy(to + 6, station, 6);
	if (f[12] == 8 && f[13] == 6 && f[21] == 1) {
		to[21] = 2;
		memcpy(to + 32, f + 22, 10);
		memcpy(to + 22, station, 6);
		memcpy(to + 28, f + 38, 4);
	} else if (f[12] == 8 && f[13] == 0 && f[23] == 1 && f[34] == 8) {
		uint32_t sum = 8 << 8;

		memcpy(&addr, to + 26, 4);
		memcpy(to + 26, to + 30, 4);
		memcpy(to + 30, &addr, 4);
		to[34] = 0;
		/* One's complement: add what was taken away. */
		sum += to[36] << 8 | to[37];
		sum = (sum & 0xffff) + (sum >> 16);
		to[36] = sum >> 8;
		to[37] = sum;
	} else {
		return;
	}
	w->len[w->in % FRAMES] = len;
	w->in++;
	w->events |= LKL_DEV_NET_POLL_RX;
	pthread_cond_signal(&w->cond);
}

static int wire_tx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	struct wire *w = to_wire(nd);
	unsigned char frame[65536];
	unsigned int len = 0;
	int i, ret = 0;

	for (i = 0; i < cnt; i++) {
		memcpy(frame + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	pthread_mutex_lock(&w->lock);
	if (w->sent++ % 7 == 3) {
		w->refused++;
		w->events |= LKL_DEV_NET_POLL_TX;
		pthread_cond_signal(&w->cond);
		ret = -1;
	} else {
		answer(w, frame, len);
	}
	pthread_mutex_unlock(&w->lock);
	return ret;
}

static int wire_rx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	struct wire *w = to_wire(nd);
	unsigned int pos = 0, len;

	pthread_mutex_lock(&w->lock);
	if (w->in == w->out) {
		pthread_mutex_unlock(&w->lock);
		return -1;
	}
	len = w->len[w->out % FRAMES];
	for (; cnt && pos < len; iov++, cnt--) {
		unsigned int n = len - pos;

		n = n < iov->iov_len ? n : iov->iov_len;
		memcpy(iov->iov_base, w->frames[w->out % FRAMES] + pos, n);
		pos += n;
	}
	w->out++;
	pthread_mutex_unlock(&w->lock);
	return len;
}

static int wire_poll(struct lkl_netdev *nd)
{
	struct wire *w = to_wire(nd);
	int events;

	pthread_mutex_lock(&w->lock);
	while (!w->events)
		pthread_cond_wait(&w->cond, &w->lock);
	events = w->events;
	w->events = 0;
	pthread_mutex_unlock(&w->lock);
	return events;
}

static void wire_poll_hup(struct lkl_netdev *nd)
{
	struct wire *w = to_wire(nd);

	pthread_mutex_lock(&w->lock);
	w->events |= LKL_DEV_NET_POLL_HUP;
	w->hups++;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->lock);
}

static void wire_free(struct lkl_netdev *nd)
{
	to_wire(nd)->freed++;
}

static struct lkl_dev_net_ops wire_ops = {
	.tx = wire_tx,
	.rx = wire_rx,
	.poll = wire_poll,
	.poll_hup = wire_poll_hup,
	.free = wire_free,
};

#define WIRE                                                                   \
	{                                                                      \
		.nd = { .ops = &wire_ops }, .lock = PTHREAD_MUTEX_INITIALIZER, \
		.cond = PTHREAD_COND_INITIALIZER,                              \
	}

static void up(int id, const char *address)
{
	int ifindex = OK(lkl_netdev_get_ifindex(id));

	CHECK(ifindex > 0);
	EQ(lkl_if_up(ifindex), 0);
	EQ(lkl_if_set_ipv4(ifindex, inet_addr(address), 24), 0);
}

/* Echo requests, each until it is answered: packets may get lost under load. */
static void ping(const char *address, int count)
{
	struct lkl_sockaddr_in to = { .sin_family = LKL_AF_INET };
	struct __lkl__kernel_old_timeval limit = { .tv_usec = 200000 };
	int fd =
		OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_RAW, LKL_IPPROTO_ICMP));
	unsigned char echo[64] = { 8, 0, 0xf7, 0xff }, buf[200];
	int tries = 0;
	long n;

	to.sin_addr.s_addr = inet_addr(address);
	EQ(lkl_sys_setsockopt(fd, LKL_SOL_SOCKET, LKL_SO_RCVTIMEO,
			      (void *)&limit, sizeof(limit)),
	   0);
	while (count) {
		CHECK(tries++ < 1000);
		lkl_sys_sendto(fd, echo, sizeof(echo), 0, (void *)&to,
			       sizeof(to));
		do
			n = lkl_sys_recv(fd, buf, sizeof(buf), 0);
		while (n > 0 && buf[20] != 0);
		if (n > 0)
			count--;
		else
			EQ(n, -LKL_EAGAIN);
	}
	lkl_sys_close(fd);
}

static void test_own(void)
{
	static const unsigned char mac[6] = { 2, 1, 2, 3, 4, 5 };
	struct lkl_netdev_args args = { .mac = (void *)mac };
	struct wire w = WIRE;
	char path[64], text[32] = "";
	int id = OK(lkl_netdev_add(&w.nd, &args)), fd;

	EQ(lkl_netdev_get_ifindex(id), -LKL_ENODEV);
	boot("mem=64M");
	up(id, "10.1.0.1");
	ping("10.1.0.2", 200);
	CHECK(w.refused > 10);
	snprintf(path, sizeof(path), "/sysfs/class/net/eth0/address");
	fd = OK(lkl_sys_open(path, LKL_O_RDONLY, 0));
	OK(lkl_sys_read(fd, text, sizeof(text) - 1));
	EQ(strcmp(text, "02:01:02:03:04:05\n"), 0);
	/* It is there again after another boot. */
	EQ(lkl_sys_halt(), 0);
	OK(lkl_start_kernel("mem=64M"));
	up(id, "10.1.0.1");
	ping("10.1.0.2", 20);
	EQ(w.hups, 1);
	lkl_netdev_remove(id);
	EQ(lkl_netdev_get_ifindex(id), -LKL_ENODEV);
	lkl_netdev_remove(id);
	EQ(w.freed, 0);
	lkl_netdev_free(&w.nd);
	EQ(w.freed, 1);
	halt();
}

static void *load(void *stop)
{
	struct lkl_sockaddr_in to = { .sin_family = LKL_AF_INET,
				      .sin_port = htons(9) };
	int fd = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_DGRAM, 0));
	char buf[1000] = { 0 };
	long failed = 0;

	to.sin_addr.s_addr = inet_addr("10.1.0.2");
	while (!__atomic_load_n((bool *)stop, __ATOMIC_RELAXED))
		failed += lkl_sys_sendto(fd, buf, sizeof(buf), 0, (void *)&to,
					 sizeof(to)) < 0;
	lkl_sys_close(fd);
	return (void *)failed;
}

/* Plug in and out while packets are sent and received. */
static void test_hotplug(void)
{
	static struct wire w[3] = { WIRE, WIRE, WIRE };
	int i, id, fds, threads;
	bool stop = false;
	pthread_t sender;
	void *failed;

	boot("mem=64M");
	sender = start(load, &stop);
	fds = entries("/proc/self/fd");
	threads = entries("/proc/self/task");
	for (i = 0; i < 30; i++) {
		id = OK(lkl_netdev_add(&w[i % 3].nd, NULL));
		EQ(id, 0);
		up(id, "10.1.0.1");
		ping("10.1.0.2", 20);
		lkl_netdev_remove(id);
	}
	EQ(entries("/proc/self/fd"), fds);
	EQ(entries("/proc/self/task"), threads);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	EQ(pthread_join(sender, &failed), 0);
	CHECK(failed);
	for (i = 0; i < 3; i++)
		EQ(OK(lkl_netdev_add(&w[i].nd, NULL)), i);
	for (i = 0; i < 3; i++)
		lkl_netdev_free(&w[i].nd);
	EQ(lkl_netdev_get_ifindex(1), -LKL_ENODEV);
	halt();
}

static bool running(int ifindex)
{
	int fd = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_DGRAM, 0));
	struct lkl_ifreq ifr = { .lkl_ifr_ifindex = ifindex };

	OK(lkl_sys_ioctl(fd, LKL_SIOCGIFNAME, (long)&ifr));
	OK(lkl_sys_ioctl(fd, LKL_SIOCGIFFLAGS, (long)&ifr));
	lkl_sys_close(fd);
	return ifr.lkl_ifr_flags & LKL_IFF_RUNNING;
}

static void await(int ifindex, bool want)
{
	for (int i = 0; running(ifindex) != want; i++) {
		CHECK(i < 3000);
		msleep(10);
	}
}

static void host(const char *command)
{
	EQ(system(command), 0);
}

/* The host's end goes down, comes back, and is deleted under load. */
static void test_tap(void)
{
	struct lkl_netdev *nd;
	bool stop = false;
	pthread_t sender;
	int id, ifindex;
	long long begin;
	void *failed;

	if (!host_namespace()) {
		printf("(no namespace or tap here)\n");
		return;
	}
	host("ip tuntap add t0 mode tap && ip addr add 10.1.0.2/24 dev t0");
	nd = lkl_netdev_tap_create("t0", 0xd983);
	CHECK(nd);
	id = OK(lkl_netdev_add(nd, NULL));
	boot("mem=64M");
	up(id, "10.1.0.1");
	ifindex = lkl_netdev_get_ifindex(id);
	await(ifindex, false);
	host("ip link set t0 up");
	await(ifindex, true);
	ping("10.1.0.2", 10);
	host("ip link set t0 down");
	await(ifindex, false);
	host("ip link set t0 up");
	await(ifindex, true);
	ping("10.1.0.2", 10);

	sender = start(load, &stop);
	msleep(100);
	host("ip link del t0");
	await(ifindex, false);
	msleep(100);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	EQ(pthread_join(sender, &failed), 0);
	/* A thread that waits does not look at what is gone again and again. */
	begin = now(CLOCK_PROCESS_CPUTIME_ID);
	EQ(lkl_sys_poll(NULL, 0, 1000), 0);
	CHECK(now(CLOCK_PROCESS_CPUTIME_ID) - begin < 500000000);
	lkl_netdev_free(nd);
	CHECK(lkl_netdev_get_ifindex(id) < 0);
	halt();
}

/* Sends as fast as it can, until the other end is closed. */
static void *flood(void *fd)
{
	unsigned char frame[4 + 1000] = { 0, 0, 3, 0xe8 };

	memset(frame + 4, 0xff, 6);
	while (send((long)fd, frame, sizeof(frame), MSG_NOSIGNAL) > 0)
		;
	return NULL;
}

static long received(void)
{
	char text[32] = "";
	int fd = OK(lkl_sys_open("/sysfs/class/net/eth0/statistics/rx_packets",
				 LKL_O_RDONLY, 0));

	OK(lkl_sys_read(fd, text, sizeof(text) - 1));
	lkl_sys_close(fd);
	return atol(text);
}

/* What fills the wire while no kernel runs is received by the next one. */
static void test_reboot(void)
{
	struct lkl_netdev *nd;
	pthread_t sender;
	int fd[2], id;

	EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	nd = lkl_netdev_fd_create(fd[1], 0);
	CHECK(nd);
	id = OK(lkl_netdev_add(nd, NULL));
	sender = start(flood, (void *)(long)fd[0]);
	lkl_host_ops.print = NULL;
	OK(lkl_init(&lkl_host_ops));
	for (int i = 0; i < 30; i++) {
		OK(lkl_start_kernel("mem=64M"));
		up(id, "10.1.0.1");
		for (int k = 0; received() < 100; k++) {
			if (k == 3000)
				FAIL("boot %d: only %ld frames", i, received());
			msleep(10);
		}
		EQ(lkl_sys_halt(), 0);
	}
	lkl_netdev_free(nd);
	pthread_join(sender, NULL);
	lkl_cleanup();
}

static const struct check tests[] = {
	{ "reboot", test_reboot },
	{ "own", test_own },
	{ "hotplug", test_hotplug },
	{ "tap", test_tap },
};

CHECK_MAIN(tests)
