// SPDX-License-Identifier: GPL-2.0-only
/*
 * A node of a network for tests and benchmarks: the same program runs on the
 * library's stack, over any wire, or on the host's.
 *
 * usage: netnode [-w WIRE] [-o OFFLOAD] [-m MAC] [-a ADDRESS/LEN]... [-g
 * GATEWAY]
 *		[-cz] [-b CMDLINE] [-p PCAP] COMMAND [ARGUMENT]...
 *
 * Without -w the host's stack is used.  WIRE is TYPE:PARAMETER, -c compares
 * what is received with what should have been sent, -z sends without copying.
 *
 *	ping ADDRESS COUNT
 *	sink PORT			receive one TCP stream
 *	source ADDRESS PORT BYTES	send one
 *	echo PORT			answer TCP and UDP until killed
 *	rr ADDRESS PORT SECONDS		TCP, a byte to and fro
 *	udp ADDRESS PORT SIZE COUNT	to and fro
 *	blast ADDRESS PORT SECONDS	64-byte datagrams
 *	count PORT			count them, until none came for a second
 *	loop BYTES			send a TCP stream to itself
 *	proxy PORT ADDRESS PORT		from the library's stack to the host's
 *	idle SECONDS			without IPv6, after some time
 *
 * Prints a line of KEY=VALUE; cpu is in seconds.  "ready" is printed to
 * standard error when others may begin.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <lkl.h>
#include <lkl_host.h>

#define MIB (1UL << 20)
#define CHUNK (64UL << 10)

/* What is sent: from the position in the stream, again and again. */
static unsigned char pattern[MIB + CHUNK];
static bool compares;
static bool inside;

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *fmt,
								...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "netnode: ");
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(1);
}

/* A system call of the stack in use; -errno on failure. */
#define sys(nr, ...) sys_(nr, (long[6]){ __VA_ARGS__ })

static long sys_(long nr, long *p)
{
	long ret;

	if (inside)
		return lkl_syscall(nr, p);
	ret = syscall(nr, p[0], p[1], p[2], p[3], p[4], p[5]);
	return ret < 0 ? -errno : ret;
}

static long ok(const char *what, long ret)
{
	if (ret < 0)
		die("%s: %s", what, strerror(-ret));
	return ret;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static double cpu(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return r.ru_utime.tv_sec + r.ru_stime.tv_sec +
	       (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static double begin, begin_cpu;

static void measure(void)
{
	begin_cpu = cpu();
	begin = now();
}

static void result(const char *what, double amount)
{
	double t = now() - begin, c = cpu() - begin_cpu;

	printf("%s=%.0f seconds=%.6f rate=%.1f cpu=%.6f\n", what, amount, t,
	       amount / t, c);
	fflush(stdout);
}

/*
 * Sockets.
 */

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t len;
};

static struct address parse(const char *host, const char *port)
{
	struct address a;

	memset(&a, 0, sizeof(a));
	if (inet_pton(AF_INET, host, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons(atoi(port));
		a.len = sizeof(a.in);
	} else if (inet_pton(AF_INET6, host, &a.in6.sin6_addr) == 1) {
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_port = htons(atoi(port));
		a.len = sizeof(a.in6);
	} else {
		die("no address: %s", host);
	}
	return a;
}

static void set(int fd, int level, int option, int value)
{
	ok("setsockopt", sys(__NR_setsockopt, fd, level, option, (long)&value,
			     sizeof(value)));
}

static void set_timeout(int fd, long milliseconds)
{
	struct timeval tv = { milliseconds / 1000, milliseconds % 1000 * 1000 };

	ok("setsockopt", sys(__NR_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO,
			     (long)&tv, sizeof(tv)));
}

static int new_socket(int family, int type, int protocol)
{
	return ok("socket", sys(__NR_socket, family, type, protocol));
}

/* For both families. */
static int bound(int type, const char *port)
{
	int fd = new_socket(AF_INET6, type, 0);
	struct address a = parse("::", port);

	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	ok("bind", sys(__NR_bind, fd, (long)&a.any, a.len));
	return fd;
}

static int listening(const char *port)
{
	int fd = bound(SOCK_STREAM, port);

	ok("listen", sys(__NR_listen, fd, 64));
	return fd;
}

static void ready(void)
{
	fprintf(stderr, "ready\n");
}

static int accepted(int fd)
{
	fd = ok("accept", sys(__NR_accept4, fd, 0, 0, 0));
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	return fd;
}

static int connected(const char *host, const char *port, int type)
{
	struct address a = parse(host, port);
	int fd, tries;
	long ret;

	/* The other side may have yet to begin. */
	for (tries = 0;; tries++) {
		fd = new_socket(a.any.sa_family, type, 0);
		ret = sys(__NR_connect, fd, (long)&a.any, a.len);
		if (!ret || tries == 200)
			break;
		sys(__NR_close, fd);
		usleep(100000);
	}
	ok("connect", ret);
	if (type == SOCK_STREAM)
		set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	return fd;
}

/* Send without copying (-z). */
static bool zerocopy;

/* Take what tells that memory is not needed any more, as there is room for
 * little. */
static void drain_errors(int fd)
{
	char control[256];
	struct msghdr msg = { .msg_control = control };

	do
		msg.msg_controllen = sizeof(control);
	while (sys(__NR_recvmsg, fd, (long)&msg, MSG_ERRQUEUE | MSG_DONTWAIT, 0,
		   0, 0) >= 0);
}

static void send_stream(int fd, unsigned long bytes)
{
	int flags = MSG_NOSIGNAL | (zerocopy ? MSG_ZEROCOPY : 0), one = 1;
	unsigned long pos = 0;

	if (zerocopy)
		ok("SO_ZEROCOPY", sys(__NR_setsockopt, fd, SOL_SOCKET,
				      SO_ZEROCOPY, (long)&one, sizeof(one), 0));
	while (pos < bytes) {
		unsigned long n = bytes - pos < CHUNK ? bytes - pos : CHUNK;

		pos += ok("send",
			  sys(__NR_sendto, fd, (long)&pattern[pos % MIB], n,
			      flags, 0, 0));
		if (zerocopy)
			drain_errors(fd);
	}
}

static unsigned long receive_stream(int fd)
{
	static unsigned char buf[CHUNK];
	unsigned long pos = 0;
	long n;

	while ((n = ok("recv",
		       sys(__NR_recvfrom, fd, (long)buf, CHUNK, 0, 0, 0)))) {
		if (compares && memcmp(buf, &pattern[pos % MIB], n))
			die("wrong data between byte %lu and %lu", pos,
			    pos + n);
		pos += n;
	}
	return pos;
}

/* This stack is gone soon: wait until the other side knows. */
static void finish(int fd)
{
	struct linger linger = { 1, 5 };

	ok("setsockopt", sys(__NR_setsockopt, fd, SOL_SOCKET, SO_LINGER,
			     (long)&linger, sizeof(linger)));
	sys(__NR_close, fd);
}

/*
 * Commands.
 */

static void run_ping(char **arg)
{
	struct address a = parse(arg[0], "0");
	bool v6 = a.any.sa_family == AF_INET6;
	int fd = v6 ? new_socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
		    : new_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	int count = atoi(arg[1]), i, replies = 0;

	set_timeout(fd, 10000);
	measure();
	for (i = 0; i < count; i++) {
		struct icmp6_hdr echo = {
			.icmp6_type = v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO,
		};
		unsigned char buf[256];
		long n;

		echo.icmp6_seq = htons(i);
		echo.icmp6_id = getpid();
		if (!v6) {
			uint32_t sum = echo.icmp6_type + echo.icmp6_id +
				       echo.icmp6_seq;

			echo.icmp6_cksum = ~((sum & 0xffff) + (sum >> 16));
		}
		n = sys(__NR_sendto, fd, (long)&echo, sizeof(echo), 0,
			(long)&a.any, a.len);
		if (n < 0)
			continue;
		do {
			struct icmp6_hdr *r = (void *)(buf + (v6 ? 0 : 20));

			n = sys(__NR_recvfrom, fd, (long)buf, sizeof(buf), 0, 0,
				0);
			if (n > 0 &&
			    r->icmp6_type ==
				    (v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) &&
			    r->icmp6_seq == echo.icmp6_seq &&
			    r->icmp6_id == echo.icmp6_id) {
				replies++;
				break;
			}
		} while (n > 0);
	}
	result("replies", replies);
	if (replies < count)
		die("%d of %d replies from %s", replies, count, arg[0]);
}

static void run_sink(char **arg)
{
	int fd = listening(arg[0]);
	unsigned long n;

	ready();
	fd = accepted(fd);
	measure();
	n = receive_stream(fd);
	result("bytes", n);
	finish(fd);
}

static void run_source(char **arg)
{
	unsigned long bytes = strtoul(arg[2], NULL, 0);
	int fd = connected(arg[0], arg[1], SOCK_STREAM);
	char c;

	measure();
	send_stream(fd, bytes);
	ok("shutdown", sys(__NR_shutdown, fd, SHUT_WR));
	/* Closed by the other side: it has everything. */
	ok("recv", sys(__NR_recvfrom, fd, (long)&c, 1, 0, 0, 0));
	result("bytes", bytes);
}

static void *echo_udp(void *arg)
{
	int fd = *(int *)arg;
	static char buf[65536];

	for (;;) {
		struct address a = { .len = sizeof(a.in6) };
		long n = sys(__NR_recvfrom, fd, (long)buf, sizeof(buf), 0,
			     (long)&a.any, (long)&a.len);

		if (n >= 0)
			sys(__NR_sendto, fd, (long)buf, n, 0, (long)&a.any,
			    a.len);
	}
	return NULL;
}

static void *echo_tcp(void *arg)
{
	int fd = (long)arg;
	char buf[4096];
	long n;

	while ((n = sys(__NR_recvfrom, fd, (long)buf, sizeof(buf), 0, 0, 0)) >
	       0)
		sys(__NR_sendto, fd, (long)buf, n, MSG_NOSIGNAL, 0, 0);
	sys(__NR_close, fd);
	return NULL;
}

static void run_echo(char **arg)
{
	int udp = bound(SOCK_DGRAM, arg[0]), fd = listening(arg[0]);
	pthread_t thread;

	pthread_create(&thread, NULL, echo_udp, &udp);
	ready();
	for (;;) {
		long conn = accepted(fd);

		pthread_create(&thread, NULL, echo_tcp, (void *)conn);
		pthread_detach(thread);
	}
}

static void run_rr(char **arg)
{
	int fd = connected(arg[0], arg[1], SOCK_STREAM);
	double end;
	long count = 0;
	char c = 0;

	measure();
	end = begin + atof(arg[2]);
	do {
		ok("send", sys(__NR_sendto, fd, (long)&c, 1, 0, 0, 0));
		if (!ok("recv", sys(__NR_recvfrom, fd, (long)&c, 1, 0, 0, 0)))
			die("the connection was closed");
		count++;
	} while (now() < end);
	result("transactions", count);
}

static void run_udp(char **arg)
{
	int fd = connected(arg[0], arg[1], SOCK_DGRAM), size = atoi(arg[2]);
	static char buf[65536];
	int i, count = atoi(arg[3]);

	set_timeout(fd, 10000);
	measure();
	for (i = 0; i < count; i++) {
		ok("send", sys(__NR_sendto, fd, (long)&pattern[i % MIB], size,
			       0, 0, 0));
		if (ok("recv", sys(__NR_recvfrom, fd, (long)buf, sizeof(buf), 0,
				   0, 0)) != size ||
		    memcmp(buf, &pattern[i % MIB], size))
			die("datagram %d is not what it was", i);
	}
	result("datagrams", count);
}

static void run_blast(char **arg)
{
	int fd = connected(arg[0], arg[1], SOCK_DGRAM), i;
	double end;
	long count = 0;

	measure();
	end = begin + atof(arg[2]);
	do {
		for (i = 0; i < 64; i++)
			count += sys(__NR_sendto, fd, (long)pattern, 64, 0, 0,
				     0) == 64;
	} while (now() < end);
	result("datagrams", count);
}

static void run_count(char **arg)
{
	int fd = bound(SOCK_DGRAM, arg[0]);
	char buf[64];
	long count = 1;

	ready();
	ok("recv", sys(__NR_recvfrom, fd, (long)buf, sizeof(buf), 0, 0, 0));
	set_timeout(fd, 1000);
	measure();
	while (sys(__NR_recvfrom, fd, (long)buf, sizeof(buf), 0, 0, 0) == 64)
		count++;
	begin += 1; /* which it waited for nothing */
	result("datagrams", count);
}

static void *loop_source(void *arg)
{
	int fd = connected("127.0.0.1", "9", SOCK_STREAM);

	send_stream(fd, *(unsigned long *)arg);
	sys(__NR_close, fd);
	return NULL;
}

static void run_loop(char **arg)
{
	unsigned long bytes = strtoul(arg[0], NULL, 0), n;
	int fd = listening("9");
	pthread_t thread;

	pthread_create(&thread, NULL, loop_source, &bytes);
	fd = accepted(fd);
	measure();
	n = receive_stream(fd);
	result("bytes", n);
	pthread_join(thread, NULL);
}

static void *proxy_back(void *arg)
{
	int *fd = arg;
	char buf[4096];
	long n;

	while ((n = read(fd[1], buf, sizeof(buf))) > 0)
		sys(__NR_sendto, fd[0], (long)buf, n, MSG_NOSIGNAL, 0, 0);
	finish(fd[0]);
	return NULL;
}

static void run_proxy(char **arg)
{
	struct address a = parse(arg[1], arg[2]);
	int listener = listening(arg[0]), fd[2];
	static char buf[CHUNK];
	pthread_t thread;
	long n;

	ready();
	fd[0] = accepted(listener);
	fd[1] = socket(a.any.sa_family, SOCK_STREAM, 0);
	if (connect(fd[1], &a.any, a.len))
		die("connect to the host: %s", strerror(errno));
	pthread_create(&thread, NULL, proxy_back, fd);
	while ((n = ok("recv",
		       sys(__NR_recvfrom, fd[0], (long)buf, CHUNK, 0, 0, 0)))) {
		if (send(fd[1], buf, n, MSG_NOSIGNAL) != n)
			die("the host's server: %s", strerror(errno));
	}
	shutdown(fd[1], SHUT_WR);
	pthread_join(thread, NULL);
}

/* How often threads have gone to sleep. */
static long sleeps(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return r.ru_nvcsw;
}

static void run_idle(char **arg)
{
	double seconds = atof(arg[0]);
	long before;

	/* Which sends something of its own now and then. */
	if (inside)
		ok("disable_ipv6",
		   lkl_sysctl("net.ipv6.conf.all.disable_ipv6", "1"));
	usleep(seconds * 2e6);
	before = sleeps();
	measure();
	usleep(seconds * 1e6);
	/* This thread has, too. */
	result("sleeps", sleeps() - before - (seconds > 0));
}

static const struct {
	const char *name;
	int args;
	void (*run)(char **arg);
} commands[] = {
	{ "ping", 2, run_ping },     { "sink", 1, run_sink },
	{ "source", 3, run_source }, { "echo", 1, run_echo },
	{ "rr", 3, run_rr },	     { "udp", 4, run_udp },
	{ "blast", 3, run_blast },   { "count", 1, run_count },
	{ "loop", 1, run_loop },     { "proxy", 3, run_proxy },
	{ "idle", 1, run_idle },
};

/*
 * The library's stack.
 */

static struct lkl_netdev *make_wire(char *wire, int offload)
{
	char *param = strchr(wire, ':');

	if (param)
		*param++ = 0;
	if (!strcmp(wire, "tap"))
		return lkl_netdev_tap_create(param, offload);
	if (!strcmp(wire, "fd"))
		return lkl_netdev_fd_create(atoi(param), offload);
	if (!strcmp(wire, "pipe"))
		return lkl_netdev_pipe_create(param, offload);
	if (!strcmp(wire, "raw"))
		return lkl_netdev_raw_create(param);
	if (!strcmp(wire, "macvtap"))
		return lkl_netdev_macvtap_create(param, offload);
	if (!strcmp(wire, "vde"))
		return lkl_netdev_vde_create(param);
	if (!strcmp(wire, "xdp"))
		return lkl_netdev_xdp_create(param);
	if (!strcmp(wire, "vhost-user"))
		return lkl_netdev_vhost_user_create(param, offload);
	if (!strcmp(wire, "vhost-user-server"))
		return lkl_netdev_vhost_user_server_create(param, offload);
	if (!strcmp(wire, "dpdk"))
		return lkl_netdev_dpdk_create(param, offload, NULL);
	if (!strcmp(wire, "user"))
		return lkl_netdev_user_create(param);
	die("no such wire: %s", wire);
}

/* File for frames, or NULL. */
static const char *pcap;

static void boot(char *wire, unsigned int offload, unsigned char *mac,
		 const char *cmdline)
{
	struct lkl_netdev_args args = { mac, offload, pcap };
	struct lkl_netdev *nd = NULL;

	if (strcmp(wire, "none")) {
		nd = make_wire(wire, offload);
		if (!nd)
			exit(1);
	}
	if (!getenv("V"))
		lkl_host_ops.print = NULL;
	ok("lkl_init", lkl_init(&lkl_host_ops));
	if (nd)
		ok("lkl_netdev_add", lkl_netdev_add(nd, &args));
	ok("lkl_start_kernel", lkl_start_kernel("%s", cmdline));
	ok("lo", lkl_if_up(1));
	/* No other host has our addresses. */
	ok("accept_dad", lkl_sysctl("net.ipv6.conf.all.accept_dad", "0"));
	if (nd)
		ok("accept_dad",
		   lkl_sysctl("net.ipv6.conf.eth0.accept_dad", "0"));
	if (nd)
		ok("lkl_if_up", lkl_if_up(lkl_netdev_get_ifindex(0)));
	inside = true;
}

static void add_address(char *address)
{
	char *len = strchr(address, '/');
	struct address a;
	void *p;

	if (!len)
		die("not ADDRESS/LEN: %s", address);
	*len++ = 0;
	a = parse(address, "0");
	p = a.any.sa_family == AF_INET ? (void *)&a.in.sin_addr
				       : (void *)&a.in6.sin6_addr;
	ok(address, lkl_if_add_ip(lkl_netdev_get_ifindex(0), a.any.sa_family, p,
				  atoi(len)));
}

/* "dev" needs no gateway: the interface has no link-layer addresses. */
static void add_gateway(const char *gateway)
{
	struct address a;

	if (!strcmp(gateway, "dev")) {
		struct lkl_rtentry route = {
			.rt_dst.sa_family = AF_INET,
			.rt_genmask.sa_family = AF_INET,
			.rt_flags = LKL_RTF_UP,
			.rt_dev = "eth0",
		};
		int fd = new_socket(AF_INET, SOCK_DGRAM, 0);

		ok("route", lkl_sys_ioctl(fd, LKL_SIOCADDRT, (long)&route));
		return;
	}
	a = parse(gateway, "0");
	ok(gateway, lkl_add_gateway(a.any.sa_family,
				    a.any.sa_family == AF_INET
					    ? (void *)&a.in.sin_addr
					    : (void *)&a.in6.sin6_addr));
}

int main(int argc, char **argv)
{
	char *wire = NULL, *addresses[8], *gateways[2];
	const char *cmdline = "mem=256M loglevel=4";
	int c, addrs = 0, gws = 0, i;
	unsigned int offload = 0, k;
	unsigned char mac[6], *macp = NULL;
	unsigned long long seed = 1;

	while ((c = getopt(argc, argv, "+w:o:m:a:g:czb:p:")) != -1) {
		switch (c) {
		case 'w':
			wire = optarg;
			break;
		case 'o':
			offload = strtoul(optarg, NULL, 16);
			break;
		case 'm':
			macp = mac;
			if (sscanf(optarg, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx",
				   &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
				   &mac[5]) != 6)
				die("not an Ethernet address: %s", optarg);
			break;
		case 'a':
			addresses[addrs++ % 8] = optarg;
			break;
		case 'g':
			gateways[gws++ % 2] = optarg;
			break;
		case 'c':
			compares = true;
			break;
		case 'z':
			zerocopy = true;
			break;
		case 'b':
			cmdline = optarg;
			break;
		case 'p':
			pcap = optarg;
			break;
		default:
			return 1;
		}
	}
	for (k = 0; k < MIB; k++) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		pattern[k] = seed >> 56;
	}
	memcpy(pattern + MIB, pattern, CHUNK);

	if (wire)
		boot(wire, offload, macp, cmdline);
	for (i = 0; i < addrs; i++)
		add_address(addresses[i]);
	for (i = 0; i < gws; i++)
		add_gateway(gateways[i]);
	argv += optind;
	argc -= optind;
	for (k = 0; argc && k < sizeof(commands) / sizeof(*commands); k++) {
		if (strcmp(argv[0], commands[k].name))
			continue;
		if (argc - 1 != commands[k].args)
			break;
		commands[k].run(argv + 1);
		return wire && lkl_sys_halt() < 0;
	}
	die("no such command, or not its arguments");
}
