// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP and IP of the library's kernel, between two of its network namespaces:
 * what is asked for is in effect, and all data arrives.
 */
#include <lkl/linux/eventpoll.h>
#include <lkl/linux/inet_diag.h>
#include <lkl/linux/sock_diag.h>

#include "netlab.h"

#define MB (1 << 20)

/* The congestion control of established connections, as diagnosis sees it. */
static int store_congestion(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *attr;

	mnl_attr_for_each(
		attr, nlh,
		sizeof(struct lkl_inet_diag_msg)) if (mnl_attr_get_type(attr) ==
						      LKL_INET_DIAG_CONG)
		snprintf(arg, 16, "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static char diagnosed[16];

static void diagnose(int fd)
{
	char name[16] = "";
	int len = sizeof(name);

	OK(lkl_sys_getsockopt(fd, LKL_IPPROTO_TCP, LKL_TCP_CONGESTION, name,
			      &len));
	snprintf(diagnosed, sizeof(diagnosed), "%s", name);
}

/* Both families, all ways to select BBR, and what says that it is there. */
static void loopback(void)
{
	static const char *const addrs[] = { "127.0.0.1", "::1" };
	struct lkl_inet_diag_req_v2 req = {
		.sdiag_protocol = LKL_IPPROTO_TCP,
		.idiag_ext = 1 << (LKL_INET_DIAG_CONG - 1),
		.idiag_states = -1,
	};
	struct lab lab = lab_start();

	(void)lab;
	for (int i = 0; i < 4; i++) {
		struct flow f = { .addr = addrs[i % 2],
				  .bytes = 8 * MB,
				  .cc = i < 2 ? "bbr" : NULL,
				  .tune = diagnose };
		char seen[16] = "";
		int fd;

		if (i == 2) {
			EQ(lkl_sysctl("net.ipv4.tcp_congestion_control", "bbr"),
			   0);
			EQ(lkl_qdisc_add(1, "root", "fq"), 0);
		}
		flow(NULL, &f);
		EQ(strcmp(diagnosed, "bbr"), 0);
		/* BBR paces, others do not. */
		CHECK(f.info.tcpi_pacing_rate != ~0ull);
		CHECK(f.info.tcpi_options & LKL_TCPI_OPT_SACK);
		CHECK(f.info.tcpi_options & LKL_TCPI_OPT_TIMESTAMPS);
		CHECK(f.info.tcpi_options & LKL_TCPI_OPT_WSCALE);

		/* A listener that inherits it is seen from outside. */
		fd = sock_bound(addrs[i % 2], 7000, LKL_SOCK_STREAM, 0);
		OK(lkl_sys_listen(fd, 1));
		if (i < 2)
			OK(lkl_sys_setsockopt(fd, LKL_IPPROTO_TCP,
					      LKL_TCP_CONGESTION, "bbr", 3));
		req.sdiag_family = i % 2 ? LKL_AF_INET6 : LKL_AF_INET;
		OK(nl_talk(LKL_NETLINK_SOCK_DIAG,
			   nl_request(LKL_SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req,
				      sizeof(req)),
			   store_congestion, seen));
		EQ(strcmp(seen, "bbr"), 0);
		lkl_sys_close(fd);
	}
	show(LKL_RTM_GETQDISC, 0, 1);
	LINE(1, "qdisc dev 1 parent ffffffff handle 80010000 fq\n");
	halt();
}

/* Timings on a busy machine: one good round of so many is enough. */
#define ROUNDS 4

/* Packets are to be lost, or marked, not bursts of them. */
static void no_bursts(int ifindex)
{
	struct lkl_ifinfomsg link = { .ifi_index = ifindex };
	struct nlmsghdr *nlh =
		nl_request(LKL_RTM_NEWLINK, 0, &link, sizeof(link));

	mnl_attr_put_u32(nlh, LKL_IFLA_GSO_MAX_SEGS, 1);
	OK(nl_talk(LKL_NETLINK_ROUTE, nlh, NULL, NULL));
}

/* What BBR is wanted for: losses do not make it slow. */
static void bbr(void)
{
	struct lab lab = lab_start();
	double gain = 0;

	no_bursts(lab.near);
	EQ(lkl_qdisc_add(lab.near, "root",
			 "netem delay 10ms loss 4% rate 100mbit limit 500"),
	   0);
	for (int i = 0; i < ROUNDS && gain < 2; i++) {
		struct flow cubic = { .addr = "10.0.0.2",
				      .bytes = MB,
				      .cc = "cubic" };
		struct flow bbr = { .addr = "fd00::2",
				    .bytes = MB,
				    .cc = "bbr" };

		flow(&lab, &cubic);
		flow(&lab, &bbr);
		CHECK(cubic.info.tcpi_total_retrans &&
		      bbr.info.tcpi_total_retrans);
		gain = cubic.seconds / bbr.seconds;
		printf("1 MiB, 100 Mbit/s, 10 ms, 4 %% loss: "
		       "cubic %.2f s, bbr %.2f s\n",
		       cubic.seconds, bbr.seconds);
	}
	if (gain < 2)
		FAIL("with losses BBR is only %.2f times as fast", gain);
	halt();
}

static void pace(int fd)
{
	unsigned int rate = 2 * MB;

	OK(lkl_sys_setsockopt(fd, LKL_SOL_SOCKET, LKL_SO_MAX_PACING_RATE,
			      (void *)&rate, sizeof(rate)));
}

/* Most bytes that a packet socket has got within 20 ms. */
static long burst(int fd)
{
	static struct {
		long long when;
		long len;
	} seen[65536];
	static unsigned char frame[1 << 17];
	int count = 0, first = 0;
	long within = 0, most = 0, len;

	while ((len = lkl_sys_recv(fd, frame, sizeof(frame), 0)) > 0) {
		struct lkl_timespec ts;

		OK(lkl_sys_ioctl(fd, LKL_SIOCGSTAMPNS_OLD, (long)&ts));
		seen[count].when = ts.tv_sec * 1000000000LL + ts.tv_nsec;
		seen[count].len = len;
		within += len;
		while (seen[first].when < seen[count].when - 20000000)
			within -= seen[first++].len;
		if (within > most)
			most = within;
		CHECK(++count < 65536);
	}
	return most;
}

/* fq sends at the rate that the socket wants, evenly. */
static void pacing(void)
{
	struct flow paced = { .addr = "10.0.0.2", .bytes = MB, .tune = pace };
	struct flow free = { .addr = "10.0.0.2", .bytes = MB };
	struct lab lab = lab_start();
	long evenly = 1, at_once = 0;
	int fd;

	EQ(lkl_qdisc_add(lab.near, "root", "fq"), 0);
	fd = sniff(lab.near);
	for (int i = 0; i < ROUNDS && at_once < 3 * evenly; i++) {
		flow(&lab, &paced);
		CHECK(paced.seconds > 0.4);
		evenly = burst(fd);
		flow(&lab, &free);
		at_once = burst(fd);
	}
	/* 20 ms at 2 MiB/s are 42 KB, and the first packets go at once. */
	if (at_once < 3 * evenly)
		FAIL("in 20 ms %ld bytes are sent, without pacing %ld", evenly,
		     at_once);
	halt();
}

/*
 * Congestion is told, not made felt; again, if the first packet was lost, which
 * asks for that.
 */
static void ecn(void)
{
	struct flow f = { .addr = "10.0.0.2", .bytes = MB };
	struct lab lab = lab_start();
	int round = 0;

	no_bursts(lab.near);
	EQ(lkl_sysctl("net.ipv4.tcp_ecn", "1"), 0);
	EQ(lkl_qdisc_add(lab.near, "root",
			 "netem delay 1ms loss 3% ecn limit 10000"),
	   0);
	do
		flow(&lab, &f);
	while (!(f.info.tcpi_options & LKL_TCPI_OPT_ECN) && ++round < ROUNDS);
	CHECK(f.info.tcpi_options & LKL_TCPI_OPT_ECN);
	CHECK(f.server_info.tcpi_options & LKL_TCPI_OPT_ECN_SEEN);
	CHECK(f.info.tcpi_delivered_ce > 0);
	halt();
}

static void *echo_once(void *arg)
{
	int fd = OK(lkl_sys_accept(*(int *)arg, NULL, NULL));
	char c;

	EQ(lkl_sys_read(fd, &c, 1), 1);
	EQ(lkl_sys_write(fd, &c, 1), 1);
	lkl_sys_close(fd);
	return NULL;
}

/* The second connection carries data in its first packet. */
static void fastopen(void)
{
	struct lab lab = lab_start();
	int listener, fd, len;
	const struct lkl_sockaddr *sa = sock_addr("10.0.0.2", 7000, &len);

	ns_enter(lab.there);
	EQ(lkl_sysctl("net.ipv4.tcp_fastopen", "3"), 0);
	listener = sock_bound("10.0.0.2", 7000, LKL_SOCK_STREAM, 0);
	sock_int(listener, LKL_IPPROTO_TCP, LKL_TCP_FASTOPEN, 16);
	OK(lkl_sys_listen(listener, 16));
	ns_enter(lab.here);
	for (int i = 0; i < 2; i++) {
		pthread_t id = start(echo_once, &listener);
		char c = 'a' + i;

		fd = sock_open("10.0.0.2", LKL_SOCK_STREAM, 0);
		EQ(lkl_sys_sendto(fd, &c, 1, LKL_MSG_FASTOPEN,
				  (struct lkl_sockaddr *)sa, len),
		   1);
		EQ(lkl_sys_read(fd, &c, 1), 1);
		EQ(c, 'a' + i);
		EQ(!!(tcp_info(fd).tcpi_options & LKL_TCPI_OPT_SYN_DATA), i);
		lkl_sys_close(fd);
		pthread_join(id, NULL);
	}
	halt();
}

/* A value of a table of names and values like /proc/net/snmp. */
static long counter(const char *path, const char *table, const char *name)
{
	static char text[16384];
	char *names, *values, *save1, *save2, *n, *v;
	long fd, len;

	OK(lkl_mount_fs("proc"));
	fd = OK(lkl_sys_open(path, LKL_O_RDONLY, 0));
	len = OK(lkl_sys_read(fd, text, sizeof(text) - 1));
	text[len] = 0;
	lkl_sys_close(fd);
	names = strstr(text, table);
	CHECK(names);
	values = strstr(names + 1, table);
	CHECK(values);
	*strchr(values, '\n') = 0;
	values[-1] = 0;
	n = strtok_r(names, " ", &save1);
	v = strtok_r(values, " ", &save2);
	while (n && v && strcmp(n, name)) {
		n = strtok_r(NULL, " ", &save1);
		v = strtok_r(NULL, " ", &save2);
	}
	if (!n || !v)
		FAIL("no %s in %s", name, path);
	return atol(v);
}

/* Packets larger than the link: fragmented, and path MTU discovered. */
static void mtu(void)
{
	static const char *const addrs[] = { "10.1.0.2", "fd00:1::2" };
	static char data[8000], got[9000];
	struct lab lab = lab_start(), far;
	struct flow f = { .bytes = MB };
	int fd, to, len;
	long n;

	/* here - there (router, 1300 bytes) - far */
	far.here = lab.there;
	far.there = ns_new();
	ns_enter(lab.there);
	lab_cable(&far, 1, "onward", "end");
	EQ(lkl_if_set_mtu(far.near, 1300), 0);
	EQ(lkl_sysctl("net.ipv4.ip_forward", "1"), 0);
	EQ(lkl_sysctl("net.ipv6.conf.all.forwarding", "1"), 0);
	ns_enter(far.there);
	EQ(lkl_set_ipv4_gateway(ip4("10.1.0.1")), 0);
	EQ(lkl_set_ipv6_gateway(ip6("fd00:1::1")), 0);
	ns_enter(lab.here);
	EQ(lkl_set_ipv4_gateway(ip4("10.0.0.2")), 0);
	EQ(lkl_set_ipv6_gateway(ip6("fd00::2")), 0);

	memset(data, 'x', sizeof(data));
	lab.there = far.there;
	for (int i = 0; i < 2; i++) {
		const struct lkl_sockaddr *sa;

		ns_enter(far.there);
		to = sock_bound(addrs[i], 7000, LKL_SOCK_DGRAM, 0);
		ns_enter(lab.here);
		fd = sock_open(addrs[i], LKL_SOCK_DGRAM, 0);
		sa = sock_addr(addrs[i], 7000, &len);
		/* IPv6 learns by losing the first. */
		do {
			EQ(lkl_sys_sendto(fd, data, sizeof(data), 0,
					  (struct lkl_sockaddr *)sa, len),
			   sizeof(data));
			msleep(20);
			n = lkl_sys_recv(to, got, sizeof(got),
					 LKL_MSG_DONTWAIT);
		} while (n == -LKL_EAGAIN);
		EQ(n, sizeof(data));
		EQ(memcmp(data, got, sizeof(data)), 0);
		lkl_sys_close(to);
		lkl_sys_close(fd);

		f.addr = addrs[i];
		flow(&lab, &f);
		EQ(f.info.tcpi_pmtu, 1300);
	}
	halt();
}

static uint16_t checksum(const void *data, int len, uint32_t sum)
{
	uint16_t word;

	for (int i = 0; i < len; i += 2) {
		memcpy(&word, (const char *)data + i, 2);
		sum += word;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static long available_kb(void)
{
	char text[200] = "";
	long fd = OK(lkl_sys_open("/proc/meminfo", LKL_O_RDONLY, 0));

	OK(lkl_sys_read(fd, text, sizeof(text) - 1));
	lkl_sys_close(fd);
	return atol(strstr(text, "MemAvailable:") + 13);
}

/* Requests from everywhere that are never completed. */
static void synflood(void)
{
	struct {
		struct lkl_iphdr ip;
		struct lkl_tcphdr tcp;
	} __attribute__((packed)) syn = {
		.ip = { .version = 4,
			.ihl = 5,
			.ttl = 64,
			.protocol = LKL_IPPROTO_TCP,
			.tot_len = htons(sizeof(syn)),
			.daddr = ip4("10.0.0.2") },
		.tcp = { .doff = 5,
			 .syn = 1,
			 .window = htons(1000),
			 .dest = htons(7000) },
	};
	struct lab lab = lab_start();
	int listener, fd, len, raw;
	const struct lkl_sockaddr *to;
	long before, after;
	pthread_t id;
	char c = 'x';

	ns_enter(lab.there);
	EQ(lkl_set_ipv4_gateway(ip4("10.0.0.1")), 0);
	listener = sock_bound("10.0.0.2", 7000, LKL_SOCK_STREAM, 0);
	OK(lkl_sys_listen(listener, 128));
	ns_enter(lab.here);
	before = counter("/proc/net/netstat", "TcpExt:", "SyncookiesSent");
	EQ(before, 0);
	before = available_kb();
	raw = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_RAW, LKL_IPPROTO_RAW));
	to = sock_addr("10.0.0.2", 0, &len);
	for (uint32_t i = 0; i < 50000; i++) {
		struct {
			uint32_t from, to;
			uint16_t protocol, len;
		} pseudo = { 0, syn.ip.daddr, htons(LKL_IPPROTO_TCP),
			     htons(sizeof(syn.tcp)) };

		syn.ip.saddr = pseudo.from = htonl(0x0b000000 + i);
		syn.tcp.source = htons(1024 + i % 60000);
		syn.tcp.seq = i;
		syn.tcp.check = 0;
		syn.tcp.check = checksum(
			&syn.tcp, sizeof(syn.tcp),
			(uint16_t)~checksum(&pseudo, sizeof(pseudo), 0));
		OK(lkl_sys_sendto(raw, &syn, sizeof(syn), 0,
				  (struct lkl_sockaddr *)to, len));
	}
	after = available_kb();
	if (before - after > 8192)
		FAIL("%ld KiB of memory are gone", before - after);

	/* One that is meant gets through. */
	id = start(echo_once, &listener);
	fd = sock_open("10.0.0.2", LKL_SOCK_STREAM, 0);
	to = sock_addr("10.0.0.2", 7000, &len);
	OK(lkl_sys_connect(fd, (struct lkl_sockaddr *)to, len));
	EQ(lkl_sys_write(fd, &c, 1), 1);
	EQ(lkl_sys_read(fd, &c, 1), 1);
	pthread_join(id, NULL);
	ns_enter(lab.there);
	after = counter("/proc/thread-self/net/netstat",
			"TcpExt:", "SyncookiesSent");
	if (after < 10000)
		FAIL("%ld SYN cookies only", after);
	halt();
}

#define CONNECTIONS 1000

/* Echo what comes on any number of connections, until all have come. */
static void *echo_all(void *arg)
{
	struct lkl_epoll_event ev = { .events = LKL_POLLIN }, evs[64];
	int listener = *(int *)arg, ep = OK(lkl_sys_epoll_create1(0));
	char buf[2048];

	ev.data = listener;
	OK(lkl_sys_epoll_ctl(ep, LKL_EPOLL_CTL_ADD, listener, &ev));
	for (int open = 0, closed = 0; closed < CONNECTIONS;) {
		int n = OK(lkl_sys_epoll_wait(ep, evs, 64, -1));

		for (int i = 0; i < n; i++) {
			int fd = evs[i].data;
			long len;

			if (fd == listener) {
				fd = OK(lkl_sys_accept(listener, NULL, NULL));
				ev.data = fd;
				OK(lkl_sys_epoll_ctl(ep, LKL_EPOLL_CTL_ADD, fd,
						     &ev));
				open++;
				continue;
			}
			len = OK(lkl_sys_read(fd, buf, sizeof(buf)));
			/* None closes before all are open. */
			if (!len) {
				EQ(open, CONNECTIONS);
				closed++;
				lkl_sys_close(fd);
				continue;
			}
			EQ(lkl_sys_write(fd, buf, len), len);
		}
	}
	lkl_sys_close(ep);
	return NULL;
}

static void connections(void)
{
	static int fds[CONNECTIONS];
	static char data[1024], got[1024];
	struct lab lab = lab_start();
	const struct lkl_sockaddr *sa;
	int listener, len;
	pthread_t id;

	EQ(lkl_set_fd_limit(4096), 0);
	ns_enter(lab.there);
	listener = sock_bound("10.0.0.2", 7000, LKL_SOCK_STREAM, 0);
	OK(lkl_sys_listen(listener, 1024));
	ns_enter(lab.here);
	id = start(echo_all, &listener);
	sa = sock_addr("10.0.0.2", 7000, &len);
	for (int i = 0; i < CONNECTIONS; i++) {
		fds[i] = sock_open("10.0.0.2", LKL_SOCK_STREAM, 0);
		OK(lkl_sys_connect(fds[i], (struct lkl_sockaddr *)sa, len));
	}
	for (int i = 0; i < CONNECTIONS; i++) {
		memset(data, i, sizeof(data));
		EQ(lkl_sys_write(fds[i], data, sizeof(data)), sizeof(data));
	}
	for (int i = 0; i < CONNECTIONS; i++) {
		memset(data, i, sizeof(data));
		EQ(lkl_sys_recv(fds[i], got, sizeof(got), LKL_MSG_WAITALL),
		   sizeof(got));
		EQ(memcmp(data, got, sizeof(data)), 0);
	}
	for (int i = 0; i < CONNECTIONS; i++)
		lkl_sys_close(fds[i]);
	pthread_join(id, NULL);
	halt();
}

#define UNREAD 8

/* Data that is not read for a while is kept, also by a small kernel. */
static void unread(void)
{
	static char data[64 << 10];
	int listener, len, from[UNREAD], to[UNREAD];
	const struct lkl_sockaddr *sa = sock_addr("127.0.0.1", 7000, &len);
	long sent[UNREAD] = { 0 }, n;

	boot("mem=64M loglevel=4");
	EQ(lkl_if_up(1), 0);
	listener = sock_bound("127.0.0.1", 7000, LKL_SOCK_STREAM, 0);
	OK(lkl_sys_listen(listener, UNREAD));
	for (int i = 0; i < UNREAD; i++) {
		from[i] = sock_open("127.0.0.1", LKL_SOCK_STREAM, 0);
		OK(lkl_sys_connect(from[i], (struct lkl_sockaddr *)sa, len));
		to[i] = OK(lkl_sys_accept(listener, NULL, NULL));
		while ((n = lkl_sys_send(from[i], data, sizeof(data),
					 LKL_MSG_DONTWAIT)) > 0)
			sent[i] += n;
		EQ(n, -LKL_EAGAIN);
		OK(lkl_sys_shutdown(from[i], LKL_SHUT_WR));
	}
	for (int i = 0; i < UNREAD; i++) {
		while ((n = OK(lkl_sys_read(to[i], data, sizeof(data)))))
			sent[i] -= n;
		EQ(sent[i], 0);
	}
	EQ(counter("/proc/net/netstat", "TcpExt:", "TCPRcvQDrop"), 0);
	EQ(counter("/proc/net/netstat", "TcpExt:", "TCPMemoryPressures"), 0);
	halt();
}

static const struct check tests[] = {
	{ "loopback", loopback }, { "bbr", bbr },
	{ "pacing", pacing },	  { "ecn", ecn },
	{ "fastopen", fastopen }, { "mtu", mtu },
	{ "synflood", synflood }, { "connections", connections },
	{ "unread", unread },
};

CHECK_MAIN(tests)
