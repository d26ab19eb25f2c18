// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the network does in the library and on the host: inside one stack, and
 * from one stack to another.
 *
 * The peer is a process on the host's stack, in a network namespace of its own.
 * The library reaches it through a tap, the host through a veth to a namespace
 * more.  Rounds alternate between them, and all connections use cubic, so that
 * the wires are compared and nothing else.  bench/run reads what is printed.
 *
 * usage: net [rounds]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <lkl.h>
#include <lkl_host.h>

#define MAX_ROUNDS 101
#define BLOCK (128 << 10)

/* The peer's ports, and what the benchmark itself uses. */
enum { SINK = 5001, SOURCE, ECHO, COUNT, FLOOD, LOCAL };

static int rounds = 9;
static double seconds = 0.5;

/* Of the peer: UDP packets that it has got. */
static volatile unsigned long *counted;
static clockid_t peer_clock;

static char buf[BLOCK];

static void die(const char *what, long err)
{
	fprintf(stderr, "net: %s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(1);
}

static long need(long ret, const char *what)
{
	if (ret < 0)
		die(what, ret);
	return ret;
}

static long on_lkl(long nr, long a, long b, long c, long d, long e, long f)
{
	long params[6] = { a, b, c, d, e, f };

	return lkl_syscall(nr, params);
}

static long on_host(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret = syscall(nr, a, b, c, d, e, f);

	return ret < 0 ? -errno : ret;
}

/* A stack: how to call it, and the peer's address seen from there. */
struct stack {
	const char *name;
	long (*call)(long nr, long a, long b, long c, long d, long e, long f);
	const char *peer;
};

static const struct stack stacks[2] = { { "lkl", on_lkl, "10.1.0.1" },
					{ "host", on_host, "10.2.0.1" } };

static struct sockaddr_in address(const char *text, int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = inet_addr(text) };
}

static int new_socket(const struct stack *s, int type)
{
	int one = 1, fd;

	fd = need(s->call(SYS_socket, AF_INET, type, 0, 0, 0, 0), "socket");
	s->call(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, (long)&one,
		sizeof(one), 0);
	if (type == SOCK_STREAM) {
		need(s->call(SYS_setsockopt, fd, IPPROTO_TCP, TCP_CONGESTION,
			     (long)"cubic", 5, 0),
		     "cubic");
		s->call(SYS_setsockopt, fd, IPPROTO_TCP, TCP_NODELAY,
			(long)&one, sizeof(one), 0);
	}
	return fd;
}

static int bound(const struct stack *s, int type, const char *addr, int port)
{
	struct sockaddr_in to = address(addr, port);
	int fd = new_socket(s, type);

	need(s->call(SYS_bind, fd, (long)&to, sizeof(to), 0, 0, 0), "bind");
	if (type == SOCK_STREAM)
		need(s->call(SYS_listen, fd, 8, 0, 0, 0, 0), "listen");
	return fd;
}

static int connected(const struct stack *s, int type, const char *addr,
		     int port)
{
	struct sockaddr_in to = address(addr, port);
	int fd = new_socket(s, type);

	need(s->call(SYS_connect, fd, (long)&to, sizeof(to), 0, 0, 0),
	     "connect");
	return fd;
}

static double now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static long transfer(const struct stack *s, long nr, int fd, size_t size)
{
	return s->call(nr, fd, (long)buf, size, 0, 0, 0);
}

/*
 * What both ends do with a connection.
 */

static void sink(const struct stack *s, int fd)
{
	while (transfer(s, SYS_read, fd, BLOCK) > 0)
		;
}

static void source(const struct stack *s, int fd)
{
	while (transfer(s, SYS_write, fd, BLOCK) > 0)
		;
}

static void echo(const struct stack *s, int fd)
{
	while (transfer(s, SYS_read, fd, 1) == 1)
		transfer(s, SYS_write, fd, 1);
}

struct service {
	const struct stack *stack;
	void (*run)(const struct stack *s, int fd);
	int listener;
};

/* Serve one connection after the other. */
static void *serve(void *arg)
{
	struct service *v = arg;
	long fd;

	while ((fd = v->stack->call(SYS_accept, v->listener, 0, 0, 0, 0, 0)) >=
	       0) {
		v->run(v->stack, fd);
		v->stack->call(SYS_close, fd, 0, 0, 0, 0, 0);
	}
	return NULL;
}

/*
 * The peer.
 */

static void *count(void *arg)
{
	int fd = bound(&stacks[1], SOCK_DGRAM, "0.0.0.0", COUNT);

	(void)arg;
	while (recv(fd, buf, BLOCK, 0) >= 0)
		++*counted;
	return NULL;
}

/* Send to the peer that asks, for as long as it asks for. */
static void *flood(void *arg)
{
	int fd = bound(&stacks[1], SOCK_DGRAM, "0.0.0.0", FLOOD);
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char packet[64];
	double end;

	(void)arg;
	while (recvfrom(fd, &end, sizeof(end), 0, (void *)&from, &len) > 0)
		while (now(CLOCK_MONOTONIC) < end)
			sendto(fd, packet, sizeof(packet), 0, (void *)&from,
			       sizeof(from));
	return NULL;
}

static void peer(int ready)
{
	static struct service services[] = { { &stacks[1], sink, 0 },
					     { &stacks[1], source, 0 },
					     { &stacks[1], echo, 0 } };
	pthread_t id;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 3; i++) {
		services[i].listener =
			bound(&stacks[1], SOCK_STREAM, "0.0.0.0", SINK + i);
		pthread_create(&id, NULL, serve, &services[i]);
	}
	pthread_create(&id, NULL, count, NULL);
	pthread_create(&id, NULL, flood, NULL);
	need(write(ready, "", 1), "ready");
	pause();
}

/*
 * Figures, each per second; @cpu becomes the processor time of both ends.
 */

static double send_stream(const struct stack *s, int fd)
{
	double start = now(CLOCK_MONOTONIC), end = start;
	unsigned long bytes = 0;

	for (; end < start + seconds; end = now(CLOCK_MONOTONIC))
		bytes += need(transfer(s, SYS_write, fd, BLOCK), "write");
	s->call(SYS_close, fd, 0, 0, 0, 0, 0);
	return bytes / (end - start) / 1e6;
}

static double round_trips(const struct stack *s, int fd)
{
	double start = now(CLOCK_MONOTONIC), end = start;
	unsigned long trips = 0;

	for (; end < start + seconds; end = now(CLOCK_MONOTONIC), trips++)
		if (transfer(s, SYS_write, fd, 1) != 1 ||
		    transfer(s, SYS_read, fd, 1) != 1)
			die("echo", EIO);
	s->call(SYS_close, fd, 0, 0, 0, 0, 0);
	return trips / (end - start);
}

/* Both ends are here. */
static double loopback(const struct stack *s,
		       void (*run)(const struct stack *s, int fd),
		       double (*client)(const struct stack *s, int fd))
{
	struct service v = { s, run, 0 };
	pthread_t id;
	double value;

	v.listener = bound(s, SOCK_STREAM, "127.0.0.1", LOCAL);
	pthread_create(&id, NULL, serve, &v);
	value = client(s, connected(s, SOCK_STREAM, "127.0.0.1", LOCAL));
	s->call(SYS_shutdown, v.listener, SHUT_RDWR, 0, 0, 0, 0);
	pthread_join(id, NULL);
	s->call(SYS_close, v.listener, 0, 0, 0, 0, 0);
	return value;
}

static double loopback_stream(const struct stack *s)
{
	return loopback(s, sink, send_stream);
}

static double loopback_trips(const struct stack *s)
{
	return loopback(s, echo, round_trips);
}

/* No other CPU has to be woken, which is most of the time otherwise. */
static double loopback_pinned(const struct stack *s)
{
	cpu_set_t before, one;
	double value;

	sched_getaffinity(0, sizeof(before), &before);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	value = loopback_trips(s);
	sched_setaffinity(0, sizeof(before), &before);
	return value;
}

static double wire_send(const struct stack *s)
{
	return send_stream(s, connected(s, SOCK_STREAM, s->peer, SINK));
}

static double wire_receive(const struct stack *s)
{
	int fd = connected(s, SOCK_STREAM, s->peer, SOURCE);
	double start = now(CLOCK_MONOTONIC), end = start;
	unsigned long bytes = 0;

	for (; end < start + seconds; end = now(CLOCK_MONOTONIC))
		bytes += need(transfer(s, SYS_read, fd, BLOCK), "read");
	s->call(SYS_close, fd, 0, 0, 0, 0, 0);
	return bytes / (end - start) / 1e6;
}

/* Processor time of a round trip, both ends. */
static double trip_cpu;

static double wire_trips(const struct stack *s)
{
	double cpu = now(CLOCK_PROCESS_CPUTIME_ID) + now(peer_clock), rate;

	rate = round_trips(s, connected(s, SOCK_STREAM, s->peer, ECHO));
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) + now(peer_clock) - cpu;
	trip_cpu = cpu / (rate * seconds) * 1e6;
	return rate;
}

static double udp_send(const struct stack *s)
{
	int fd = connected(s, SOCK_DGRAM, s->peer, COUNT);
	double start = now(CLOCK_MONOTONIC), end = start;
	unsigned long before = *counted;

	for (; end < start + seconds; end = now(CLOCK_MONOTONIC))
		transfer(s, SYS_write, fd, 64);
	s->call(SYS_close, fd, 0, 0, 0, 0, 0);
	return (*counted - before) / (end - start);
}

static double udp_receive(const struct stack *s)
{
	int fd = connected(s, SOCK_DGRAM, s->peer, FLOOD);
	double start = now(CLOCK_MONOTONIC), end = start + seconds;
	struct timeval limit = { .tv_usec = 100000 };
	unsigned long packets = 0;

	need(s->call(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, (long)&limit,
		     sizeof(limit), 0),
	     "timeout");
	s->call(SYS_write, fd, (long)&end, sizeof(end), 0, 0, 0);
	while (transfer(s, SYS_read, fd, BLOCK) > 0)
		packets++;
	s->call(SYS_close, fd, 0, 0, 0, 0, 0);
	return packets / seconds;
}

static void print(const char *name, const char *unit, const char *side,
		  const double *values, int n)
{
	printf("%s\t%s\t%s", name, unit, side);
	for (int r = 0; r < n; r++)
		printf("\t%.3f", values[r]);
	printf("\n");
	fflush(stdout);
}

static const struct figure {
	const char *name;
	const char *unit;
	double (*run)(const struct stack *s);
} figures[] = {
	{ "TCP stream, loopback", "MB/s", loopback_stream },
	{ "TCP 1-byte round trips, loopback", "1/s", loopback_trips },
	{ "TCP 1-byte round trips, loopback, one CPU", "1/s", loopback_pinned },
	{ "TCP send, tap or veth", "MB/s", wire_send },
	{ "TCP receive, tap or veth", "MB/s", wire_receive },
	{ "TCP 1-byte round trips, tap or veth", "1/s", wire_trips },
	{ "UDP send 64 bytes, tap or veth", "1/s", udp_send },
	{ "UDP receive 64 bytes, tap or veth", "1/s", udp_receive },
};

static void measure(const struct figure *f)
{
	static double values[2][MAX_ROUNDS], cpu[2][MAX_ROUNDS];

	for (int r = -1; r < rounds; r++) {
		for (int i = 0; i < 2; i++) {
			double value = f->run(&stacks[i]);

			if (r < 0)
				continue;
			values[i][r] = value;
			cpu[i][r] = trip_cpu;
		}
	}
	for (int i = 0; i < 2; i++)
		print(f->name, f->unit, stacks[i].name, values[i], rounds);
	for (int i = 0; i < 2 && f->run == wire_trips; i++)
		print("the same, processor time of both ends", "us",
		      stacks[i].name, cpu[i], rounds);
}

static void measure_idle(unsigned int idle)
{
	double cpu = now(CLOCK_PROCESS_CPUTIME_ID);

	sleep(idle);
	cpu = (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e3 / idle;
	print("processor time of an idle tap", "ms/10 s", "lkl",
	      &(double){ cpu * 10 }, 1);
}

/* Two namespaces, and the tap from the first. */
static struct lkl_netdev *set_up(void)
{
	struct lkl_netdev *tap;
	char text[300];
	int ready[2];
	pid_t pid;

	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		die("no network namespace", errno);
	tap = lkl_netdev_tap_create("bench0", 0xd983);
	if (!tap)
		exit(1);
	need(pipe(ready), "pipe");
	pid = fork();
	if (!pid)
		peer(ready[1]);
	if (need(read(ready[0], buf, 1), "peer") != 1)
		die("peer", EPIPE);
	need(clock_getcpuclockid(pid, &peer_clock), "clock");
	snprintf(text, sizeof(text),
		 "ip addr add 10.1.0.1/24 dev bench0 && ip link set bench0 up "
		 "&& ip link add veth0 type veth peer name veth1 && "
		 "ip addr add 10.2.0.1/24 dev veth0 && ip link set veth0 up");
	if (system(text) || unshare(CLONE_NEWNET))
		die("namespaces", EPERM);
	snprintf(text, sizeof(text),
		 "nsenter -t %d -n ip link set veth1 netns %d && "
		 "ip link set lo up && ip addr add 10.2.0.2/24 dev veth1 && "
		 "ip link set veth1 up",
		 pid, getpid());
	if (system(text))
		die("namespaces", EPERM);
	return tap;
}

int main(int argc, char **argv)
{
	struct lkl_netdev *tap;
	unsigned int idle = 10;
	int ifindex, id;

	if (argc > 1)
		rounds = atoi(argv[1]);
	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "net: rounds must be 1 to %d\n", MAX_ROUNDS);
		return 2;
	}
	if (getenv("QUICK")) {
		seconds = 0.2;
		idle = 2;
	}
	signal(SIGPIPE, SIG_IGN);
	counted = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	tap = set_up();
	need(lkl_init(&lkl_host_ops), "lkl_init");
	id = need(lkl_netdev_add(tap, NULL), "tap");
	need(lkl_start_kernel("mem=2G loglevel=4"), "boot");
	ifindex = need(lkl_netdev_get_ifindex(id), "tap");
	need(lkl_if_up(1), "loopback");
	need(lkl_if_up(ifindex), "tap");
	need(lkl_if_set_ipv4(ifindex, inet_addr("10.1.0.2"), 24), "address");
	for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++)
		measure(&figures[i]);
	measure_idle(idle);
	lkl_sys_halt();
	lkl_netdev_free(tap);
	lkl_cleanup();
	return 0;
}
