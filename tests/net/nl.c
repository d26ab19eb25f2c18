// SPDX-License-Identifier: GPL-2.0-only
/*
 * libnl-3 on the library's kernel: its caches show and change what there is,
 * and any number of sockets leaves nothing behind.  With an argument "cycles N"
 * that many sockets are opened.
 */
#include <poll.h>

#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/class.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/qdisc/htb.h>
#include <netlink/route/route.h>
#include <netlink/route/tc.h>

#include <lkl_nl.h>

#include "netlab.h"

/* An error of libnl is one of ours. */
#define NLOK(expr)                                                             \
	({                                                                     \
		int nl_ = (expr);                                              \
		if (nl_ < 0)                                                   \
			FAIL("%s: %s", #expr, nl_geterror(nl_));               \
		nl_;                                                           \
	})

static struct nl_addr *addr(const char *text, int family)
{
	struct nl_addr *a;

	NLOK(nl_addr_parse(text, family, &a));
	return a;
}

static int cached(int err, struct nl_cache **cache)
{
	int n = NLOK(err) + nl_cache_nitems(*cache);

	nl_cache_free(*cache);
	return n;
}

/* A device with an address, a route, a neighbour, a queue and a class. */
static int build(struct nl_sock *sk)
{
	struct nl_addr *a = addr("10.5.0.1/24", AF_INET);
	struct nl_addr *gw = addr("10.5.0.254", AF_INET);
	struct nl_addr *dst = addr("10.6.0.0/16", AF_INET);
	struct nl_addr *mac = addr("12:34:56:78:9a:bc", AF_LLC);
	struct rtnl_link *link = rtnl_link_alloc(), *change;
	struct rtnl_addr *ra = rtnl_addr_alloc();
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *nh = rtnl_route_nh_alloc();
	struct rtnl_neigh *neigh = rtnl_neigh_alloc();
	struct rtnl_qdisc *qdisc = rtnl_qdisc_alloc();
	struct rtnl_class *class = rtnl_class_alloc();
	int ifindex;

	rtnl_link_set_name(link, "nl0");
	NLOK(rtnl_link_set_type(link, "dummy"));
	NLOK(rtnl_link_add(sk, link, NLM_F_CREATE | NLM_F_EXCL));
	EQ(rtnl_link_add(sk, link, NLM_F_CREATE | NLM_F_EXCL), -NLE_EXIST);
	rtnl_link_put(link);
	NLOK(rtnl_link_get_kernel(sk, 0, "nl0", &link));
	ifindex = rtnl_link_get_ifindex(link);
	change = rtnl_link_alloc();
	rtnl_link_set_flags(change, IFF_UP);
	rtnl_link_set_mtu(change, 1300);
	NLOK(rtnl_link_change(sk, link, change, 0));
	rtnl_link_put(change);

	rtnl_addr_set_ifindex(ra, ifindex);
	NLOK(rtnl_addr_set_local(ra, a));
	NLOK(rtnl_addr_add(sk, ra, 0));

	NLOK(rtnl_route_set_dst(route, dst));
	rtnl_route_nh_set_ifindex(nh, ifindex);
	rtnl_route_nh_set_gateway(nh, gw);
	rtnl_route_add_nexthop(route, nh);
	NLOK(rtnl_route_add(sk, route, NLM_F_CREATE));

	rtnl_neigh_set_ifindex(neigh, ifindex);
	NLOK(rtnl_neigh_set_dst(neigh, gw));
	rtnl_neigh_set_lladdr(neigh, mac);
	rtnl_neigh_set_state(neigh, NUD_PERMANENT);
	NLOK(rtnl_neigh_add(sk, neigh, NLM_F_CREATE));

	rtnl_tc_set_link(TC_CAST(qdisc), link);
	rtnl_tc_set_parent(TC_CAST(qdisc), TC_H_ROOT);
	rtnl_tc_set_handle(TC_CAST(qdisc), TC_HANDLE(1, 0));
	NLOK(rtnl_tc_set_kind(TC_CAST(qdisc), "htb"));
	NLOK(rtnl_qdisc_add(sk, qdisc, NLM_F_CREATE));
	rtnl_tc_set_link(TC_CAST(class), link);
	rtnl_tc_set_parent(TC_CAST(class), TC_HANDLE(1, 0));
	rtnl_tc_set_handle(TC_CAST(class), TC_HANDLE(1, 7));
	NLOK(rtnl_tc_set_kind(TC_CAST(class), "htb"));
	NLOK(rtnl_htb_set_rate(class, 125000));
	NLOK(rtnl_class_add(sk, class, NLM_F_CREATE));

	rtnl_class_put(class);
	rtnl_qdisc_put(qdisc);
	rtnl_neigh_put(neigh);
	rtnl_route_put(route);
	rtnl_addr_put(ra);
	rtnl_link_put(link);
	nl_addr_put(mac);
	nl_addr_put(dst);
	nl_addr_put(gw);
	nl_addr_put(a);
	return ifindex;
}

static void caches(void)
{
	struct nl_cache *links, *cache;
	struct rtnl_neigh *neigh;
	struct rtnl_class *class;
	struct rtnl_link *link;
	struct nl_sock *sk;
	struct nl_addr *gw = addr("10.5.0.254", AF_INET);
	char text[64];
	int ifindex;

	boot("mem=64M");
	sk = lkl_nl_socket_alloc();
	CHECK(sk);
	ifindex = build(sk);

	/* What libnl did is there, */
	show(LKL_RTM_GETLINK, 0, 0);
	LINE(1, "link %d nl0 mtu 1300 up\n", ifindex);
	show(LKL_RTM_GETADDR, LKL_AF_INET, 0);
	LINE(1, "addr dev %d 10.5.0.1/24", ifindex);
	show(LKL_RTM_GETROUTE, LKL_AF_INET, 0);
	LINE(1, "10.6.0.0/16 via 10.5.0.254 dev %d", ifindex);
	show(LKL_RTM_GETNEIGH, 0, 0);
	LINE(1, "10.5.0.254 12:34:56:78:9a:bc permanent");
	show(LKL_RTM_GETTCLASS, 0, ifindex);
	LINE(1, "class dev %d parent ffffffff handle 10007 htb", ifindex);

	/* and libnl sees it. */
	NLOK(rtnl_link_alloc_cache(sk, AF_UNSPEC, &links));
	link = rtnl_link_get_by_name(links, "nl0");
	CHECK(link);
	EQ(rtnl_link_get_mtu(link), 1300);
	EQ(nl_cache_nitems(links), 2);
	EQ(cached(rtnl_addr_alloc_cache(sk, &cache), &cache), 2);
	NLOK(rtnl_route_alloc_cache(sk, AF_INET, 0, &cache));
	CHECK(nl_cache_nitems(cache) >= 3);
	nl_cache_free(cache);
	NLOK(rtnl_neigh_alloc_cache(sk, &cache));
	neigh = rtnl_neigh_get(cache, ifindex, gw);
	CHECK(neigh);
	nl_addr2str(rtnl_neigh_get_lladdr(neigh), text, sizeof(text));
	EQ(strcmp(text, "12:34:56:78:9a:bc"), 0);
	rtnl_neigh_put(neigh);
	nl_cache_free(cache);
	NLOK(rtnl_qdisc_alloc_cache(sk, &cache));
	CHECK(nl_cache_nitems(cache) >= 1);
	nl_cache_free(cache);
	NLOK(rtnl_class_alloc_cache(sk, ifindex, &cache));
	class = rtnl_class_get(cache, ifindex, TC_HANDLE(1, 7));
	CHECK(class);
	EQ(rtnl_htb_get_rate(class), 125000);
	rtnl_class_put(class);
	nl_cache_free(cache);

	/* Changes of others come with a refill. */
	EQ(lkl_if_set_mtu(ifindex, 1200), 0);
	EQ(rtnl_link_get_mtu(link), 1300);
	rtnl_link_put(link);
	NLOK(nl_cache_refill(sk, links));
	link = rtnl_link_get_by_name(links, "nl0");
	EQ(rtnl_link_get_mtu(link), 1200);
	NLOK(rtnl_link_delete(sk, link));
	EQ(lkl_ifname_to_ifindex("nl0"), -LKL_ENODEV);
	rtnl_link_put(link);
	nl_cache_free(links);
	nl_addr_put(gw);
	lkl_nl_socket_free(sk);
	lkl_nl_socket_free(NULL);
	/* Nothing is open. */
	EQ(lkl_sys_dup(OK(lkl_sys_open("/", LKL_O_RDONLY, 0))), 1);
	halt();
}

/* Programs that connect by themselves, and that watch a group. */
static void connected(void)
{
	struct nl_sock *sk = lkl_nl_socket_alloc();
	int group = LKL_RTNLGRP_LINK, fd, there, here;
	struct lkl_pollfd pfd = { .events = LKL_POLLIN };
	struct nl_cache *cache;

	boot("mem=64M");
	NLOK(nl_connect(sk, NETLINK_ROUTE));
	EQ(cached(rtnl_link_alloc_cache(sk, AF_UNSPEC, &cache), &cache), 1);
	fd = NLOK(lkl_nl_socket_get_fd(sk, NETLINK_ROUTE));
	EQ(lkl_sys_setsockopt(fd, LKL_SOL_NETLINK, LKL_NETLINK_ADD_MEMBERSHIP,
			      (void *)&group, sizeof(group)),
	   0);
	pfd.fd = fd;
	EQ(lkl_sys_poll(&pfd, 1, 0), 0);
	EQ(lkl_if_up(1), 0);
	EQ(lkl_sys_poll(&pfd, 1, 10000), 1);
	nl_socket_disable_seq_check(sk);
	NLOK(nl_recvmsgs_default(sk));
	lkl_nl_socket_free(sk);

	/* A socket belongs to the namespace of its first message. */
	here = ns_get();
	there = ns_new();
	ns_enter(there);
	link_add("d0", "dummy", 0, NULL, NULL);
	sk = lkl_nl_socket_alloc();
	EQ(cached(rtnl_link_alloc_cache(sk, AF_UNSPEC, &cache), &cache), 2);
	ns_enter(here);
	EQ(cached(rtnl_link_alloc_cache(sk, AF_UNSPEC, &cache), &cache), 2);
	lkl_nl_socket_free(sk);
	halt();

	/* Without a kernel it is an error. */
	sk = lkl_nl_socket_alloc();
	CHECK(rtnl_link_alloc_cache(sk, AF_UNSPEC, &cache) < 0);
	lkl_nl_socket_free(sk);
}

static int seen_links;

static void on_change(struct nl_cache *cache, struct nl_object *object,
		      int action, void *arg)
{
	struct rtnl_link *link = (struct rtnl_link *)object;

	(void)cache, (void)arg;
	if (action == NL_ACT_NEW && !strcmp(rtnl_link_get_name(link), "w0"))
		seen_links++;
}

static int on_message(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(*(int *)arg)++;
	return NL_OK;
}

static int readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n = poll(&p, 1, ms);

	CHECK(n >= 0);
	return n;
}

/* Events in the ordinary way: libnl's functions, and the host's poll(). */
static void events(void)
{
	struct nl_sock *sk = lkl_nl_socket_alloc();
	int messages = 0, fd, group = LKL_RTNLGRP_LINK, open;
	struct nl_cache_mngr *mngr;
	struct nl_cache *links;

	boot("mem=64M");
	open = entries("/proc/self/fd");
	NLOK(nl_connect(sk, NETLINK_ROUTE));
	CHECK(nl_connect(sk, NETLINK_GENERIC) < 0);
	nl_socket_disable_seq_check(sk);
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, on_message,
			    &messages);
	NLOK(nl_socket_set_nonblocking(sk));
	NLOK(nl_socket_set_buffer_size(sk, 1 << 16, 0));
	CHECK(nl_socket_add_memberships(sk, 9999, 0) < 0);
	fd = NLOK(nl_socket_get_fd(sk));
	for (int i = 0; i < 50; i++) {
		NLOK(nl_socket_add_memberships(sk, group,
					       LKL_RTNLGRP_IPV4_IFADDR, 0));
		EQ(readable(fd, 0), 0);
		EQ(i % 2 ? lkl_if_down(1) : lkl_if_up(1), 0);
		EQ(readable(fd, 10000), 1);
		messages = 0;
		while (nl_recvmsgs_default(sk) >= 0)
			;
		CHECK(messages >= 1);
		EQ(readable(fd, 0), 0);
		NLOK(nl_socket_drop_memberships(sk, group,
						LKL_RTNLGRP_IPV4_IFADDR, 0));
		EQ(i % 2 ? lkl_if_up(1) : lkl_if_down(1), 0);
		EQ(i % 2 ? lkl_if_down(1) : lkl_if_up(1), 0);
		EQ(readable(fd, 0), 0);
	}
	lkl_nl_socket_free(sk);
	EQ(entries("/proc/self/fd"), open);

	sk = lkl_nl_socket_alloc();
	NLOK(nl_cache_mngr_alloc(sk, NETLINK_ROUTE, 0, &mngr));
	NLOK(nl_cache_mngr_add(mngr, "route/link", on_change, NULL, &links));
	EQ(nl_cache_nitems(links), 1);
	EQ(readable(NLOK(nl_cache_mngr_get_fd(mngr)), 0), 0);
	link_add("w0", "dummy", 0, NULL, NULL);
	while (!seen_links)
		CHECK(NLOK(nl_cache_mngr_poll(mngr, 10000)) > 0);
	EQ(nl_cache_nitems(links), 2);
	nl_cache_mngr_free(mngr);
	/* That of the host is still libnl's. */
	sk = nl_socket_alloc();
	NLOK(nl_connect(sk, NETLINK_ROUTE));
	NLOK(nl_socket_add_membership(sk, group));
	NLOK(nl_socket_get_fd(sk));
	nl_socket_free(sk);
	EQ(entries("/proc/self/fd"), open);
	halt();
}

static long resident_kb(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	CHECK(f && fscanf(f, "%*s %ld", &pages) == 1);
	fclose(f);
	return pages * 4;
}

/* What the kernel has not in use, when what it is about to free is free. */
static long free_kb(void)
{
	struct lkl_sysinfo info;
	long most = 0;

	for (int i = 0; i < 20; i++) {
		msleep(10);
		OK(lkl_sys_sysinfo(&info));
		if ((long)(info.freeram >> 10) > most)
			most = info.freeram >> 10;
	}
	return most;
}

/* Have all of the kernel's RAM be resident: which pages it takes is no leak. */
static void touch_ram(void)
{
	int fd = OK(lkl_sys_memfd_create("fill", 0));
	static char buf[1 << 20];

	memset(buf, 1, sizeof(buf));
	for (long left = free_kb() - 4096; left > 0; left -= 1024)
		OK(lkl_sys_write(fd, buf, sizeof(buf)));
	OK(lkl_sys_close(fd));
}

/* Open, dump, close: as a daemon does in a day that does so twice a second. */
static void cycles(void)
{
	struct nl_cache *links, *addrs, *routes;
	const int count = 200000;
	long before = 0, after, free_before = 0, free_after;
	struct nl_sock *sk;
	long long start;

	boot("mem=64M");
	sk = lkl_nl_socket_alloc();
	build(sk);
	lkl_nl_socket_free(sk);
	touch_ram();
	start = now(CLOCK_MONOTONIC);
	for (int i = 0; i < count; i++) {
		if (i == count / 4) {
			before = resident_kb();
			free_before = free_kb();
		}
		sk = lkl_nl_socket_alloc();
		NLOK(rtnl_link_alloc_cache(sk, AF_UNSPEC, &links));
		NLOK(rtnl_addr_alloc_cache(sk, &addrs));
		NLOK(rtnl_route_alloc_cache(sk, AF_INET, 0, &routes));
		EQ(nl_cache_nitems(links), 2);
		nl_cache_free(routes);
		nl_cache_free(addrs);
		nl_cache_free(links);
		/* The descriptor is found again if the function is not ours. */
		if (i & 1)
			lkl_nl_socket_free(sk);
		else
			nl_socket_free(sk);
	}
	start = now(CLOCK_MONOTONIC) - start;
	after = resident_kb();
	free_after = free_kb();
	printf("%d cycles, %lld us each; resident %ld KiB, then %ld KiB; "
	       "free in the kernel %ld KiB, then %ld KiB\n",
	       count, start / 1000 / count, before, after, free_before,
	       free_after);
	if (after > before + 1024 || free_after < free_before - 1024)
		FAIL("memory grew");
	CHECK(OK(lkl_sys_open("/", LKL_O_RDONLY, 0)) < 10);
	halt();
}

static const struct check tests[] = {
	{ "caches", caches },
	{ "connected", connected },
	{ "events", events },
	{ "cycles", cycles },
};

CHECK_MAIN(tests)
