// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run a program behind an interface that is limited and filtered, without root:
 *
 *	shape RATE PROGRAM [ARG...]
 *
 * What the program prints travels by TCP through an interface of the library's
 * kernel that sends RATE bits per second, like 8M, and nothing but that
 * connection; it arrives in another network namespace of the library and is
 * printed from there.  Links, addresses, queues, classes and filters are made
 * with libnl-3, as on any Linux.
 *
 *	cc shape.c $(pkg-config --cflags --libs lkl-nl libnl-route-3.0)
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <netlink/route/act/gact.h>
#include <netlink/route/addr.h>
#include <netlink/route/class.h>
#include <netlink/route/cls/u32.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/qdisc/htb.h>
#include <netlink/route/tc.h>

#include <lkl.h>
#include <lkl_nl.h>

#define PORT 5000
#define NEAR "10.99.0.1/24"
#define FAR "10.99.0.2/24"
/* Offsets in an IP packet without options, as u32 counts. */
#define IP_PROTOCOL 9
#define TCP_DESTINATION 22

extern char **environ;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "shape: %s: %s\n", what, why);
	exit(1);
}

/* The value of a call to the library's kernel, or of libnl. */
static long sys(const char *what, long ret)
{
	if (ret < 0)
		die(what, lkl_strerror(ret));
	return ret;
}

static void nl(const char *what, int err)
{
	if (err < 0)
		die(what, nl_geterror(err));
}

/* A descriptor of the calling thread's network namespace. */
static int this_namespace(void)
{
	int fd = sys("socket", lkl_sys_socket(LKL_AF_INET, LKL_SOCK_DGRAM, 0));
	int ns = sys("namespace", lkl_sys_ioctl(fd, LKL_SIOCGSKNS, 0));

	lkl_sys_close(fd);
	return ns;
}

/* An interface gets an address and goes up. */
static struct rtnl_link *set_up(struct nl_sock *sk, const char *name,
				const char *address)
{
	struct rtnl_link *link, *change = rtnl_link_alloc();
	struct rtnl_addr *addr = rtnl_addr_alloc();
	struct nl_addr *local;

	nl(name, rtnl_link_get_kernel(sk, 0, name, &link));
	rtnl_link_set_flags(change, IFF_UP);
	nl(name, rtnl_link_change(sk, link, change, 0));
	nl(address, nl_addr_parse(address, AF_INET, &local));
	rtnl_addr_set_link(addr, link);
	nl(address, rtnl_addr_set_local(addr, local));
	nl(address, rtnl_addr_add(sk, addr, 0));
	nl_addr_put(local);
	rtnl_addr_put(addr);
	rtnl_link_put(change);
	return link;
}

/* A cable to the other namespace. */
static void connect_namespaces(struct nl_sock *sk, int far)
{
	struct rtnl_link *veth = rtnl_link_veth_alloc(), *peer;

	peer = rtnl_link_veth_get_peer(veth);
	rtnl_link_set_name(veth, "near");
	rtnl_link_set_name(peer, "far");
	rtnl_link_set_ns_fd(peer, far);
	nl("veth", rtnl_link_add(sk, veth, NLM_F_CREATE | NLM_F_EXCL));
	rtnl_link_put(peer);
	rtnl_link_put(veth);
}

/* One class, which sends at a rate. */
static void limit(struct nl_sock *sk, struct rtnl_link *link, uint64_t bytes)
{
	struct rtnl_qdisc *qdisc = rtnl_qdisc_alloc();
	struct rtnl_class *class = rtnl_class_alloc();

	rtnl_tc_set_link(TC_CAST(qdisc), link);
	rtnl_tc_set_parent(TC_CAST(qdisc), TC_H_ROOT);
	rtnl_tc_set_handle(TC_CAST(qdisc), TC_HANDLE(1, 0));
	nl("htb", rtnl_tc_set_kind(TC_CAST(qdisc), "htb"));
	nl("htb", rtnl_qdisc_add(sk, qdisc, NLM_F_CREATE));

	rtnl_tc_set_link(TC_CAST(class), link);
	rtnl_tc_set_parent(TC_CAST(class), TC_HANDLE(1, 0));
	rtnl_tc_set_handle(TC_CAST(class), TC_HANDLE(1, 10));
	nl("class", rtnl_tc_set_kind(TC_CAST(class), "htb"));
	nl("rate", rtnl_htb_set_rate64(class, bytes));
	nl("class", rtnl_class_add(sk, class, NLM_F_CREATE));
	rtnl_class_put(class);
	rtnl_qdisc_put(qdisc);
}

static struct rtnl_cls *filter(struct rtnl_link *link, int prio, int protocol)
{
	struct rtnl_cls *cls = rtnl_cls_alloc();

	rtnl_tc_set_link(TC_CAST(cls), link);
	rtnl_tc_set_parent(TC_CAST(cls), TC_HANDLE(1, 0));
	rtnl_cls_set_prio(cls, prio);
	rtnl_cls_set_protocol(cls, protocol);
	nl("u32", rtnl_tc_set_kind(TC_CAST(cls), "u32"));
	return cls;
}

/* The connection goes to the class, all other IP traffic nowhere. */
static void restrict_to(struct nl_sock *sk, struct rtnl_link *link, int port)
{
	struct rtnl_cls *cls = filter(link, 1, ETH_P_IP);
	struct rtnl_act *drop = rtnl_act_alloc();

	nl("match",
	   rtnl_u32_add_key_uint8(cls, IPPROTO_TCP, 0xff, IP_PROTOCOL, 0));
	nl("match",
	   rtnl_u32_add_key_uint16(cls, port, 0xffff, TCP_DESTINATION, 0));
	nl("class", rtnl_u32_set_classid(cls, TC_HANDLE(1, 10)));
	nl("class", rtnl_u32_set_cls_terminal(cls));
	nl("filter", rtnl_cls_add(sk, cls, NLM_F_CREATE));
	rtnl_cls_put(cls);

	cls = filter(link, 2, ETH_P_IP);
	nl("match", rtnl_u32_add_key_uint8(cls, 0, 0, 0, 0));
	nl("gact", rtnl_tc_set_kind(TC_CAST(drop), "gact"));
	nl("gact", rtnl_gact_set_action(drop, TC_ACT_SHOT));
	nl("gact", rtnl_u32_add_action(cls, drop));
	nl("filter", rtnl_cls_add(sk, cls, NLM_F_CREATE));
	rtnl_cls_put(cls);
	rtnl_act_put(drop);
}

static struct lkl_sockaddr_in far_address(void)
{
	struct lkl_sockaddr_in addr = { .sin_family = LKL_AF_INET,
					.sin_port = htons(PORT) };

	inet_pton(AF_INET, "10.99.0.2", &addr.sin_addr);
	return addr;
}

/* The other end: print what arrives; @arg is a socket that listens. */
static void *receiver(void *arg)
{
	int conn = sys("accept", lkl_sys_accept(*(int *)arg, NULL, NULL));
	static char buf[65536];
	long len;

	while ((len = sys("receive", lkl_sys_read(conn, buf, sizeof(buf)))))
		if (fwrite(buf, 1, len, stdout) != (size_t)len)
			die("output", "cannot write");
	fflush(stdout);
	lkl_sys_close(conn);
	return NULL;
}

/* Run the program and send what it prints; returns the number of bytes. */
static long long run(int conn, char **argv, int *status)
{
	posix_spawn_file_actions_t actions;
	static char buf[65536];
	long long total = 0;
	int fds[2], err;
	ssize_t len;
	pid_t pid;

	if (pipe(fds))
		die("pipe", "cannot open");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
	posix_spawn_file_actions_addclose(&actions, fds[0]);
	posix_spawn_file_actions_addclose(&actions, fds[1]);
	err = posix_spawnp(&pid, *argv, &actions, NULL, argv, environ);
	if (err)
		die(*argv, strerror(err));
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	while ((len = read(fds[0], buf, sizeof(buf))) > 0) {
		for (ssize_t done = 0; done < len;)
			done += sys("send", lkl_sys_write(conn, buf + done,
							  len - done));
		total += len;
	}
	close(fds[0]);
	waitpid(pid, status, 0);
	return total;
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct lkl_sockaddr_in addr = far_address();
	int near, far, listener, conn, status = 0;
	struct rtnl_link *link;
	struct nl_sock *sk;
	pthread_t thread;
	double start;
	long long bytes;
	long rate;

	rate = argc < 3 ? -1 : nl_size2int(argv[1]);
	if (rate <= 0) {
		fprintf(stderr, "usage: shape RATE PROGRAM [ARG...]\n");
		return 2;
	}
	lkl_host_ops.print = NULL;
	sys("init", lkl_init(&lkl_host_ops));
	sys("boot", lkl_start_kernel("mem=64M"));

	near = this_namespace();
	sys("namespace", lkl_sys_unshare(LKL_CLONE_NEWNET));
	far = this_namespace();
	sys("namespace", lkl_sys_setns(near, LKL_CLONE_NEWNET));

	sk = lkl_nl_socket_alloc();
	connect_namespaces(sk, far);
	link = set_up(sk, "near", NEAR);
	limit(sk, link, rate / 8);
	restrict_to(sk, link, PORT);
	rtnl_link_put(link);
	lkl_nl_socket_free(sk);

	/* A socket stays in the namespace that it was made in. */
	sys("namespace", lkl_sys_setns(far, LKL_CLONE_NEWNET));
	sk = lkl_nl_socket_alloc();
	rtnl_link_put(set_up(sk, "far", FAR));
	lkl_nl_socket_free(sk);
	listener =
		sys("socket", lkl_sys_socket(LKL_AF_INET, LKL_SOCK_STREAM, 0));
	sys("bind", lkl_sys_bind(listener, (void *)&addr, sizeof(addr)));
	sys("listen", lkl_sys_listen(listener, 1));
	sys("namespace", lkl_sys_setns(near, LKL_CLONE_NEWNET));
	pthread_create(&thread, NULL, receiver, &listener);

	conn = sys("socket", lkl_sys_socket(LKL_AF_INET, LKL_SOCK_STREAM, 0));
	sys("connect", lkl_sys_connect(conn, (void *)&addr, sizeof(addr)));
	start = seconds();
	bytes = run(conn, argv + 2, &status);
	lkl_sys_close(conn);
	pthread_join(thread, NULL);
	fprintf(stderr, "shape: %lld bytes in %.2f s\n", bytes,
		seconds() - start);

	lkl_sys_halt();
	lkl_cleanup();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
