/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of the network: namespaces, links and netlink messages inside the
 * library's kernel.
 */
#ifndef NETLAB_H
#define NETLAB_H

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>

#include "check.h"
#include <lkl/linux/fib_rules.h>
#include <lkl/linux/veth.h>

#define UNUSED __attribute__((unused))

/*
 * Namespaces
 */

/* A descriptor of the thread's network namespace. */
UNUSED static int ns_get(void)
{
	int fd = OK(lkl_sys_socket(LKL_AF_UNIX, LKL_SOCK_DGRAM, 0));
	int ns = OK(lkl_sys_ioctl(fd, LKL_SIOCGSKNS, 0));

	lkl_sys_close(fd);
	return ns;
}

UNUSED static void ns_enter(int ns)
{
	EQ(lkl_sys_setns(ns, LKL_CLONE_NEWNET), 0);
}

/* A descriptor of a new namespace, whose loopback interface is up. */
UNUSED static int ns_new(void)
{
	int old = ns_get(), ns;

	EQ(lkl_sys_unshare(LKL_CLONE_NEWNET), 0);
	EQ(lkl_if_up(1), 0);
	ns = ns_get();
	ns_enter(old);
	lkl_sys_close(old);
	return ns;
}

/* A network namespace of the host; 0 when there can be none, or no taps. */
UNUSED static int host_namespace(void)
{
	char map[40];
	int len = snprintf(map, sizeof(map), "0 %d 1", geteuid()), fd;

	if (unshare(CLONE_NEWNET)) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
			return 0;
		/* Programs that are run shall have the capabilities, too. */
		fd = open("/proc/self/uid_map", O_WRONLY);
		EQ(write(fd, map, len), len);
		close(fd);
	}
	return !access("/dev/net/tun", R_OK | W_OK);
}

/*
 * Netlink
 */

UNUSED static struct nlmsghdr *nl_request(int type, int flags, const void *head,
					  size_t len)
{
	static _Thread_local _Alignas(8) char buf[8192];
	struct nlmsghdr *nlh;

	memset(buf, 0, sizeof(buf));
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	memcpy(mnl_nlmsg_put_extra_header(nlh, len), head, len);
	return nlh;
}

/* Returns 0 or a negative error number. */
UNUSED static int nl_talk(int protocol, const struct nlmsghdr *nlh, mnl_cb_t fn,
			  void *arg)
{
	int fd = OK(lkl_sys_socket(LKL_AF_NETLINK, LKL_SOCK_RAW, protocol));
	int more = MNL_CB_OK, err = 0;
	static char answer[1 << 16];

	OK(lkl_sys_send(fd, nlh, nlh->nlmsg_len, 0));
	while (more > MNL_CB_STOP) {
		long len = OK(lkl_sys_recv(fd, answer, sizeof(answer), 0));

		more = mnl_cb_run(answer, len, 0, 0, fn, arg);
		if (more == MNL_CB_ERROR)
			err = -errno;
	}
	lkl_sys_close(fd);
	return err;
}

/* A link of a kind; @put puts the kind's attributes. */
UNUSED static int link_add(const char *name, const char *kind, int under,
			   void (*put)(struct nlmsghdr *nlh, const void *arg),
			   const void *arg)
{
	struct lkl_ifinfomsg link = { 0 };
	struct nlmsghdr *nlh = nl_request(LKL_RTM_NEWLINK,
					  NLM_F_CREATE | NLM_F_EXCL, &link,
					  sizeof(link));
	struct nlattr *info, *data;

	mnl_attr_put_strz(nlh, LKL_IFLA_IFNAME, name);
	if (under)
		mnl_attr_put_u32(nlh, LKL_IFLA_LINK, under);
	info = mnl_attr_nest_start(nlh, LKL_IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, LKL_IFLA_INFO_KIND, kind);
	if (put) {
		data = mnl_attr_nest_start(nlh, LKL_IFLA_INFO_DATA);
		put(nlh, arg);
		mnl_attr_nest_end(nlh, data);
	}
	mnl_attr_nest_end(nlh, info);
	OK(nl_talk(LKL_NETLINK_ROUTE, nlh, NULL, NULL));
	return OK(lkl_ifname_to_ifindex(name));
}

struct veth_peer {
	const char *name;
	int ns;
};

UNUSED static void put_peer(struct nlmsghdr *nlh, const void *arg)
{
	struct nlattr *peer = mnl_attr_nest_start(nlh, LKL_VETH_INFO_PEER);
	const struct veth_peer *p = arg;

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct lkl_ifinfomsg));
	mnl_attr_put_strz(nlh, LKL_IFLA_IFNAME, p->name);
	mnl_attr_put_u32(nlh, LKL_IFLA_NET_NS_FD, p->ns);
	mnl_attr_nest_end(nlh, peer);
}

/* A cable from here to a namespace; its index here. */
UNUSED static int veth_add(const char *name, const char *peer, int ns)
{
	struct veth_peer arg = { peer, ns };

	return link_add(name, "veth", 0, put_peer, &arg);
}

/*
 * What a dump says, a line per object.
 */

static char shown[1 << 16];
static int shown_len;

#define SHOW(...)                                                              \
	(shown_len +=                                                          \
	 snprintf(shown + shown_len, sizeof(shown) - shown_len, __VA_ARGS__))

static void show_addr(int af, const struct nlattr *attr)
{
	char addr[64];

	if (!attr)
		SHOW("any");
	else
		SHOW("%s", inet_ntop(af, mnl_attr_get_payload(attr), addr,
				     sizeof(addr)));
}

static int show_one(const struct nlmsghdr *nlh, void *arg)
{
	union {
		struct lkl_ifinfomsg link;
		struct lkl_ifaddrmsg addr;
		struct lkl_rtmsg route;
		struct lkl_fib_rule_hdr rule;
		struct lkl_ndmsg neigh;
		struct lkl_tcmsg tc;
	} *u = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr[256] = { 0 };
	static const size_t size[] = {
		sizeof(u->link),  sizeof(u->addr), sizeof(u->route),
		sizeof(u->neigh), sizeof(u->rule), sizeof(u->tc),
		sizeof(u->tc),
	};
	int group = (nlh->nlmsg_type - LKL_RTM_BASE) / 4;
	struct nlattr *a;

	(void)arg;
	mnl_attr_for_each(a, nlh, size[group]) attr[mnl_attr_get_type(a)] = a;
	switch (nlh->nlmsg_type) {
	case LKL_RTM_NEWLINK:
		SHOW("link %d %s mtu %u %s", u->link.ifi_index,
		     mnl_attr_get_str(attr[LKL_IFLA_IFNAME]),
		     mnl_attr_get_u32(attr[LKL_IFLA_MTU]),
		     u->link.ifi_flags & IFF_UP ? "up" : "down");
		break;
	case LKL_RTM_NEWADDR:
		SHOW("addr dev %d ", u->addr.ifa_index);
		show_addr(u->addr.ifa_family, attr[LKL_IFA_ADDRESS]);
		SHOW("/%d", u->addr.ifa_prefixlen);
		if (attr[LKL_IFA_BROADCAST]) {
			SHOW(" broadcast ");
			show_addr(u->addr.ifa_family, attr[LKL_IFA_BROADCAST]);
		}
		break;
	case LKL_RTM_NEWROUTE:
		SHOW("route table %u ", mnl_attr_get_u32(attr[LKL_RTA_TABLE]));
		show_addr(u->route.rtm_family, attr[LKL_RTA_DST]);
		SHOW("/%d", u->route.rtm_dst_len);
		if (attr[LKL_RTA_GATEWAY]) {
			SHOW(" via ");
			show_addr(u->route.rtm_family, attr[LKL_RTA_GATEWAY]);
		}
		if (attr[LKL_RTA_OIF])
			SHOW(" dev %u", mnl_attr_get_u32(attr[LKL_RTA_OIF]));
		break;
	case LKL_RTM_NEWRULE:
		SHOW("rule from ");
		show_addr(u->rule.family, attr[LKL_FRA_SRC]);
		SHOW("/%d table %u", u->rule.src_len,
		     mnl_attr_get_u32(attr[LKL_FRA_TABLE]));
		break;
	case LKL_RTM_NEWNEIGH:
		SHOW("neigh dev %d ", u->neigh.ndm_ifindex);
		show_addr(u->neigh.ndm_family, attr[LKL_NDA_DST]);
		if (attr[LKL_NDA_LLADDR]) {
			const unsigned char *mac =
				mnl_attr_get_payload(attr[LKL_NDA_LLADDR]);

			SHOW(" %02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
			     mac[2], mac[3], mac[4], mac[5]);
		}
		SHOW("%s", u->neigh.ndm_state & LKL_NUD_PERMANENT ? " permanent"
								  : "");
		break;
	case LKL_RTM_NEWQDISC:
	case LKL_RTM_NEWTCLASS:
		SHOW("%s dev %d parent %x handle %x %s",
		     nlh->nlmsg_type == LKL_RTM_NEWQDISC ? "qdisc" : "class",
		     u->tc.tcm_ifindex, u->tc.tcm_parent, u->tc.tcm_handle,
		     mnl_attr_get_str(attr[LKL_TCA_KIND]));
		break;
	}
	SHOW("\n");
	return MNL_CB_OK;
}

/* What there is, by LKL_RTM_GET*, of a family or of an interface. */
UNUSED static const char *show(int type, int family, int ifindex)
{
	struct lkl_tcmsg head = { .tcm_family = family,
				  .tcm_ifindex = ifindex };
	static const char size[] = {
		sizeof(struct lkl_ifinfomsg), sizeof(struct lkl_ifaddrmsg),
		sizeof(struct lkl_rtmsg),     sizeof(struct lkl_ndmsg),
		sizeof(struct lkl_rtmsg),     sizeof(struct lkl_tcmsg),
		sizeof(struct lkl_tcmsg),
	};

	shown_len = 0;
	shown[0] = 0;
	OK(nl_talk(LKL_NETLINK_ROUTE,
		   nl_request(type, NLM_F_DUMP, &head,
			      size[(type - LKL_RTM_BASE) / 4]),
		   show_one, NULL));
	return shown;
}

/* The shown text must have a line, or must not. */
#define LINE(want, ...)                                                        \
	do {                                                                   \
		char line_[200];                                               \
		const char *at_;                                               \
		snprintf(line_, sizeof(line_), __VA_ARGS__);                   \
		at_ = strstr(shown, line_);                                    \
		if (!!at_ != (want))                                           \
			FAIL("%s '%s' in:\n%s", (want) ? "no" : "still",       \
			     line_, shown);                                    \
	} while (0)

UNUSED static uint32_t ip4(const char *text)
{
	uint32_t addr;

	EQ(inet_pton(AF_INET, text, &addr), 1);
	return addr;
}

UNUSED static const void *ip6(const char *text)
{
	static _Thread_local struct in6_addr addr[4];
	static _Thread_local int next;
	struct in6_addr *a = &addr[next++ % 4];

	EQ(inet_pton(AF_INET6, text, a), 1);
	return a;
}

/*
 * A laboratory: this namespace, far, and a cable between "near" and "far" with
 * 10.0.0.1 and fd00::1 at this end, .2 and ::2 at the other.
 */
struct lab {
	int here, there;
	int near, far; /* indices */
};

/* A cable more, in networks 10.N.0.0/24 and fd00:N::/64. */
UNUSED static void lab_cable(struct lab *lab, int n, const char *near,
			     const char *far)
{
	char text[40];

	lab->near = veth_add(near, far, lab->there);
	for (int end = 1; end <= 2; end++) {
		int ifindex = lab->near;

		if (end == 2) {
			ns_enter(lab->there);
			ifindex = lab->far = OK(lkl_ifname_to_ifindex(far));
		}
		snprintf(text, sizeof(text), "net.ipv6.conf.%s.accept_dad",
			 end == 1 ? near : far);
		EQ(lkl_sysctl(text, "0"), 0);
		EQ(lkl_if_up(ifindex), 0);
		snprintf(text, sizeof(text), "10.%d.0.%d", n, end);
		EQ(lkl_if_set_ipv4(ifindex, ip4(text), 24), 0);
		snprintf(text, sizeof(text), "fd00:%x::%d", n, end);
		EQ(lkl_if_add_ip(ifindex, LKL_AF_INET6, ip6(text), 64), 0);
	}
	ns_enter(lab->here);
}

UNUSED static struct lab lab_start(void)
{
	struct lab lab;

	boot("mem=256M");
	EQ(lkl_if_up(1), 0);
	lab.here = ns_get();
	lab.there = ns_new();
	lab_cable(&lab, 0, "near", "far");
	return lab;
}

/*
 * Traffic
 */

/* A numeric address; what is returned stays valid for some calls. */
UNUSED static const struct lkl_sockaddr *sock_addr(const char *text, int port,
						   int *len)
{
	static _Thread_local struct lkl_sockaddr_in6 six[4];
	static _Thread_local int next;
	struct lkl_sockaddr_in6 *v6 = &six[next++ % 4];
	struct lkl_sockaddr_in *v4 = (struct lkl_sockaddr_in *)v6;

	memset(v6, 0, sizeof(*v6));
	if (strchr(text, ':')) {
		v6->sin6_family = LKL_AF_INET6;
		v6->sin6_port = htons(port);
		memcpy(&v6->sin6_addr, ip6(text), 16);
		*len = sizeof(*v6);
	} else {
		v4->sin_family = LKL_AF_INET;
		v4->sin_port = htons(port);
		v4->sin_addr.s_addr = ip4(text);
		*len = sizeof(*v4);
	}
	return (struct lkl_sockaddr *)v6;
}

UNUSED static int sock_open(const char *addr, int type, int protocol)
{
	return OK(lkl_sys_socket(strchr(addr, ':') ? LKL_AF_INET6 : LKL_AF_INET,
				 type, protocol));
}

UNUSED static int sock_bound(const char *addr, int port, int type, int protocol)
{
	int fd = sock_open(addr, type, protocol), one = 1, len;
	const struct lkl_sockaddr *sa = sock_addr(addr, port, &len);

	lkl_sys_setsockopt(fd, LKL_SOL_SOCKET, LKL_SO_REUSEADDR, (void *)&one,
			   sizeof(one));
	OK(lkl_sys_bind(fd, sa, len));
	return fd;
}

UNUSED static void sock_int(int fd, int level, int option, int value)
{
	OK(lkl_sys_setsockopt(fd, level, option, (void *)&value,
			      sizeof(value)));
}

UNUSED static int sock_get(int fd, int level, int option)
{
	int value, len = sizeof(value);

	OK(lkl_sys_getsockopt(fd, level, option, (void *)&value, &len));
	return value;
}

UNUSED static struct lkl_tcp_info tcp_info(int fd)
{
	struct lkl_tcp_info info = { 0 };
	int len = sizeof(info);

	OK(lkl_sys_getsockopt(fd, LKL_IPPROTO_TCP, LKL_TCP_INFO, (void *)&info,
			      &len));
	return info;
}

/**
 * struct flow - data on a TCP connection from here to there, all checked
 * @addr: of the server
 * @bytes: how many
 * @protocol: 0 or LKL_IPPROTO_MPTCP
 * @cc: congestion control of the sender, or NULL
 * @listen: what the server listens on, if it is not @addr
 * @server: thread that takes the connection, if it is not the library's; it is
 *	listening already
 * @tune: called with the sender's socket before it connects, may be NULL
 * @info: of the sender, after all has arrived
 * @server_info: of the receiver
 * @seconds: what it took
 */
struct flow {
	const char *addr;
	long bytes;
	int protocol;
	const char *cc;
	const char *listen;
	void *(*server)(void *flow);
	void (*tune)(int fd);
	struct lkl_tcp_info info, server_info;
	double seconds;
	int listener;
};

#define FLOW_PORT 5001
#define FLOW_PIECE 65536

/* Byte number @pos of any flow. */
static unsigned char flow_byte(long pos)
{
	return (pos * 2654435761u) >> 24 ^ pos >> 16;
}

static void *flow_server(void *arg)
{
	struct flow *f = arg;
	int fd = OK(lkl_sys_accept(f->listener, NULL, NULL));
	unsigned char *buf = malloc(FLOW_PIECE);
	long total = 0, len;

	while ((len = OK(lkl_sys_read(fd, buf, FLOW_PIECE)))) {
		for (long i = 0; i < len; i++, total++)
			if (buf[i] != flow_byte(total))
				FAIL("byte %ld of the flow is wrong", total);
	}
	EQ(total, f->bytes);
	f->server_info = tcp_info(fd);
	OK(lkl_sys_write(fd, "!", 1));
	lkl_sys_close(fd);
	lkl_sys_close(f->listener);
	free(buf);
	return NULL;
}

/* The same with a socket of the host, f->listener. */
UNUSED static void *flow_host_server(void *arg)
{
	unsigned char *buf = malloc(FLOW_PIECE);
	struct flow *f = arg;
	int fd = accept(f->listener, NULL, NULL);
	long total = 0, len;

	CHECK(fd >= 0);
	while ((len = read(fd, buf, FLOW_PIECE)) > 0) {
		for (long i = 0; i < len; i++, total++)
			if (buf[i] != flow_byte(total))
				FAIL("byte %ld of the flow is wrong", total);
	}
	EQ(total, f->bytes);
	EQ(write(fd, "!", 1), 1);
	close(fd);
	close(f->listener);
	free(buf);
	return NULL;
}

UNUSED static void flow(const struct lab *lab, struct flow *f)
{
	unsigned char *buf = malloc(FLOW_PIECE);
	const struct lkl_sockaddr *sa;
	pthread_t server;
	long done = 0;
	int fd, len;

	if (lab)
		ns_enter(lab->there);
	if (!f->server) {
		f->listener = sock_bound(f->listen ? f->listen : f->addr,
					 FLOW_PORT, LKL_SOCK_STREAM,
					 f->protocol);
		OK(lkl_sys_listen(f->listener, 1));
	}
	if (lab)
		ns_enter(lab->here);
	server = start(f->server ? f->server : flow_server, f);

	fd = sock_open(f->addr, LKL_SOCK_STREAM, f->protocol);
	if (f->cc)
		OK(lkl_sys_setsockopt(fd, LKL_IPPROTO_TCP, LKL_TCP_CONGESTION,
				      (char *)f->cc, strlen(f->cc)));
	if (f->tune)
		f->tune(fd);
	f->seconds = now(CLOCK_MONOTONIC) / 1e9;
	sa = sock_addr(f->addr, FLOW_PORT, &len);
	OK(lkl_sys_connect(fd, (struct lkl_sockaddr *)sa, len));
	while (done < f->bytes) {
		long piece = f->bytes - done, sent;

		if (piece > FLOW_PIECE)
			piece = FLOW_PIECE;
		for (long i = 0; i < piece; i++)
			buf[i] = flow_byte(done + i);
		sent = OK(lkl_sys_write(fd, buf, piece));
		done += sent;
	}
	OK(lkl_sys_shutdown(fd, LKL_SHUT_WR));
	EQ(lkl_sys_read(fd, buf, 2), 1);
	f->seconds = now(CLOCK_MONOTONIC) / 1e9 - f->seconds;
	f->info = tcp_info(fd);
	lkl_sys_close(fd);
	pthread_join(server, NULL);
	free(buf);
}

/* A packet socket that keeps what an interface sends and receives. */
UNUSED static int sniff(int ifindex)
{
	struct lkl_sockaddr_ll addr = { .sll_family = LKL_AF_PACKET,
					.sll_protocol = htons(LKL_ETH_P_ALL),
					.sll_ifindex = ifindex };
	int fd = OK(lkl_sys_socket(LKL_AF_PACKET,
				   LKL_SOCK_RAW | LKL_SOCK_NONBLOCK,
				   htons(LKL_ETH_P_ALL)));

	struct lkl_timespec ts;

	sock_int(fd, LKL_SOL_SOCKET, LKL_SO_RCVBUFFORCE, 32 << 20);
	/* From here on frames get a time, though there is none yet. */
	EQ(lkl_sys_ioctl(fd, LKL_SIOCGSTAMPNS_OLD, (long)&ts), -LKL_ENOENT);
	OK(lkl_sys_bind(fd, (struct lkl_sockaddr *)&addr, sizeof(addr)));
	return fd;
}

/* How many frames a packet socket has got that something can be said of. */
UNUSED static int sniffed(int fd,
			  int (*is)(const unsigned char *frame, long len))
{
	unsigned char *frame = malloc(1 << 17);
	int count = 0;
	long len;

	while ((len = lkl_sys_recv(fd, frame, 1 << 17, 0)) > 0)
		count += !!is(frame, len);
	EQ(len, -LKL_EAGAIN);
	free(frame);
	return count;
}

#endif /* NETLAB_H */
