// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions that configure the network, each read back through netlink, and
 * what they say when they cannot.
 */
#include <sys/resource.h>

#include <lkl/linux/pkt_sched.h>

#include "netlab.h"

#define NO_IF 999

static int dummy(const char *name)
{
	int ifindex = link_add(name, "dummy", 0, NULL, NULL);

	EQ(lkl_if_up(ifindex), 0);
	return ifindex;
}

static void links(void)
{
	int ifindex;

	boot("mem=64M");
	EQ(lkl_ifname_to_ifindex("lo"), 1);
	EQ(lkl_ifname_to_ifindex("none"), -LKL_ENODEV);
	EQ(lkl_ifname_to_ifindex("a name that is too long"), -LKL_ENODEV);
	EQ(lkl_if_up(NO_IF), -LKL_ENODEV);
	EQ(lkl_if_down(NO_IF), -LKL_ENODEV);
	EQ(lkl_if_set_mtu(NO_IF, 1500), -LKL_ENODEV);

	ifindex = dummy("d0");
	show(LKL_RTM_GETLINK, 0, 0);
	LINE(1, "link %d d0 mtu 1500 up\n", ifindex);
	EQ(lkl_if_set_mtu(ifindex, 9000), 0);
	EQ(lkl_if_set_mtu(ifindex, 20), 0);
	EQ(lkl_if_set_mtu(ifindex, -1), -LKL_EINVAL);
	EQ(lkl_if_down(ifindex), 0);
	show(LKL_RTM_GETLINK, 0, 0);
	LINE(1, "link %d d0 mtu 20 down\n", ifindex);
	/* Nothing remains open. */
	EQ(lkl_sys_dup(lkl_sys_open("/", LKL_O_RDONLY, 0)), 1);
	halt();
}

static void addresses(void)
{
	uint32_t a = ip4("10.1.2.3");
	int ifindex;

	boot("mem=64M");
	ifindex = dummy("d0");
	EQ(lkl_if_set_ipv4(ifindex, a, 24), 0);
	EQ(lkl_if_set_ipv4(ifindex, a, 24), 0);
	EQ(lkl_if_add_ip(ifindex, LKL_AF_INET, &a, 24), -LKL_EEXIST);
	EQ(lkl_if_set_ipv4(ifindex, ip4("10.9.0.1"), 31), 0);
	EQ(lkl_if_set_ipv4(ifindex, a, 33), -LKL_EINVAL);
	EQ(lkl_if_set_ipv4(NO_IF, a, 24), -LKL_ENODEV);
	EQ(lkl_if_add_ip(ifindex, 77, &a, 24), -LKL_EAFNOSUPPORT);
	show(LKL_RTM_GETADDR, LKL_AF_INET, 0);
	LINE(1, "addr dev %d 10.1.2.3/24 broadcast 10.1.2.255\n", ifindex);
	LINE(1, "addr dev %d 10.9.0.1/31\n", ifindex);
	EQ(lkl_if_del_ip(ifindex, LKL_AF_INET, &a, 24), 0);
	EQ(lkl_if_del_ip(ifindex, LKL_AF_INET, &a, 24), -LKL_EADDRNOTAVAIL);
	show(LKL_RTM_GETADDR, LKL_AF_INET, 0);
	LINE(0, "10.1.2.3");

	EQ(lkl_if_set_ipv6(ifindex, ip6("fd00::1"), 64), 0);
	EQ(lkl_if_set_ipv6(ifindex, ip6("fd00::1"), 64), 0);
	EQ(lkl_if_add_ip(ifindex, LKL_AF_INET6, ip6("fd00::1"), 64),
	   -LKL_EEXIST);
	EQ(lkl_if_set_ipv6(ifindex, ip6("fd00::1"), 129), -LKL_EINVAL);
	EQ(lkl_if_set_ipv6(NO_IF, ip6("fd00::1"), 64), -LKL_ENODEV);
	show(LKL_RTM_GETADDR, LKL_AF_INET6, 0);
	LINE(1, "addr dev %d fd00::1/64\n", ifindex);
	EQ(lkl_if_del_ip(ifindex, LKL_AF_INET6, ip6("fd00::1"), 64), 0);
	show(LKL_RTM_GETADDR, LKL_AF_INET6, 0);
	LINE(0, "fd00::1/64");
	halt();
}

static void gateways(void)
{
	uint32_t gw = ip4("10.1.2.1"), far = ip4("192.168.9.9");
	int ifindex;

	boot("mem=64M");
	ifindex = dummy("d0");
	EQ(lkl_set_ipv4_gateway(gw), -LKL_ENETUNREACH);
	EQ(lkl_if_set_ipv4(ifindex, ip4("10.1.2.3"), 24), 0);
	EQ(lkl_set_ipv4_gateway(gw), 0);
	EQ(lkl_set_ipv4_gateway(gw), 0);
	EQ(lkl_add_gateway(LKL_AF_INET, &gw), -LKL_EEXIST);
	EQ(lkl_add_gateway(1, &gw), -LKL_EAFNOSUPPORT);
	show(LKL_RTM_GETROUTE, LKL_AF_INET, 0);
	LINE(1, "route table 254 any/0 via 10.1.2.1 dev %d\n", ifindex);

	EQ(lkl_if_set_ipv6(ifindex, ip6("fd00::3"), 64), 0);
	EQ(lkl_set_ipv6_gateway(ip6("fd00::1")), 0);
	EQ(lkl_add_gateway(LKL_AF_INET6, ip6("fd00::1")), -LKL_EEXIST);
	show(LKL_RTM_GETROUTE, LKL_AF_INET6, 0);
	LINE(1, "route table 254 any/0 via fd00::1 dev %d\n", ifindex);

	/* Routing by source address: a failure leaves nothing. */
	EQ(lkl_if_set_ipv4_gateway(ifindex, ip4("10.1.2.3"), 24, far),
	   -LKL_ENETUNREACH);
	show(LKL_RTM_GETROUTE, LKL_AF_INET, 0);
	LINE(0, "table %d ", 2 * ifindex);
	EQ(lkl_if_set_ipv4_gateway(NO_IF, ip4("10.1.2.3"), 24, gw),
	   -LKL_ENODEV);
	for (int i = 0; i < 2; i++) {
		EQ(lkl_if_set_ipv4_gateway(ifindex, ip4("10.1.2.3"), 22, gw),
		   0);
		EQ(lkl_if_set_ipv6_gateway(ifindex, ip6("fd00::3"), 60,
					   ip6("fd00::1")),
		   0);
	}
	show(LKL_RTM_GETROUTE, LKL_AF_INET, 0);
	LINE(1, "route table %d 10.1.0.0/22 dev %d\n", 2 * ifindex, ifindex);
	LINE(1, "route table %d any/0 via 10.1.2.1 dev %d\n", 2 * ifindex,
	     ifindex);
	show(LKL_RTM_GETROUTE, LKL_AF_INET6, 0);
	LINE(1, "route table %d fd00::/60 dev %d\n", 2 * ifindex + 1, ifindex);
	LINE(1, "route table %d any/0 via fd00::1 dev %d\n", 2 * ifindex + 1,
	     ifindex);
	show(LKL_RTM_GETRULE, LKL_AF_INET, 0);
	LINE(1, "rule from 10.1.2.3/32 table %d\n", 2 * ifindex);
	show(LKL_RTM_GETRULE, LKL_AF_INET6, 0);
	LINE(1, "rule from fd00::3/128 table %d\n", 2 * ifindex + 1);
	halt();
}

/* The steps of which the gateways above are made. */
static void tables(void)
{
	uint32_t a = ip4("10.1.2.3"), gw = ip4("10.1.2.1");
	int ifindex;

	boot("mem=64M");
	ifindex = dummy("d0");
	EQ(lkl_if_add_linklocal(ifindex, LKL_AF_INET, &a, 24), 0);
	EQ(lkl_if_add_linklocal(ifindex, LKL_AF_INET, &a, 24), -LKL_EEXIST);
	EQ(lkl_if_add_linklocal(ifindex, LKL_AF_INET, &a, -1), -LKL_EINVAL);
	EQ(lkl_if_add_gateway(ifindex, LKL_AF_INET, &gw), 0);
	EQ(lkl_if_add_gateway(ifindex, LKL_AF_INET, &gw), -LKL_EEXIST);
	EQ(lkl_if_add_rule_from_saddr(ifindex, LKL_AF_INET, &a), 0);
	EQ(lkl_if_add_rule_from_saddr(ifindex, LKL_AF_INET, &a), -LKL_EEXIST);
	EQ(lkl_if_add_rule_from_saddr(ifindex, 5, &a), -LKL_EAFNOSUPPORT);
	EQ(lkl_if_add_rule_from_saddr(-1, LKL_AF_INET, &a), -LKL_ENODEV);
	/* Their tables would be main and local. */
	EQ(lkl_if_add_linklocal(127, LKL_AF_INET, &a, 24), -LKL_ERANGE);
	EQ(lkl_if_add_linklocal(127, LKL_AF_INET6, ip6("fd00::"), 64),
	   -LKL_ERANGE);
	show(LKL_RTM_GETROUTE, LKL_AF_INET, 0);
	LINE(1, "route table %d 10.1.2.0/24 dev %d\n", 2 * ifindex, ifindex);
	halt();
}

static void neighbours(void)
{
	uint32_t a = ip4("10.1.2.9");
	int ifindex;

	boot("mem=64M");
	ifindex = dummy("d0");
	for (int i = 0; i < 2; i++)
		EQ(lkl_add_neighbor(ifindex, LKL_AF_INET, &a,
				    "\x12\x34\x56\x78\x9a\xbc"),
		   0);
	EQ(lkl_add_neighbor(ifindex, LKL_AF_INET6, ip6("fd00::9"),
			    "\x12\x34\x56\x78\x9a\xbd"),
	   0);
	EQ(lkl_add_neighbor(ifindex, 99, &a, "\1\2\3\4\5\6"),
	   -LKL_EAFNOSUPPORT);
	EQ(lkl_add_neighbor(NO_IF, LKL_AF_INET, &a, "\1\2\3\4\5\6"),
	   -LKL_ENODEV);
	show(LKL_RTM_GETNEIGH, 0, 0);
	LINE(1, "neigh dev %d 10.1.2.9 12:34:56:78:9a:bc permanent\n", ifindex);
	LINE(1, "neigh dev %d fd00::9 12:34:56:78:9a:bd permanent\n", ifindex);
	halt();
}

/* Waiting for IPv6 takes no CPU, and notices when another host has the address.
 */
static void dad(void)
{
	long long start, cpu;
	int there, a, here;

	boot("mem=64M");
	here = ns_get();
	there = ns_new();
	a = veth_add("a", "b", there);
	EQ(lkl_if_set_ipv6(a, ip6("fd00::1"), 64), 0); /* down: no waiting */
	EQ(lkl_if_wait_ipv6_dad(a, ip6("fd00::1")), -LKL_ENETDOWN);
	ns_enter(there);
	EQ(lkl_if_up(OK(lkl_ifname_to_ifindex("b"))), 0);
	ns_enter(here);
	EQ(lkl_if_up(a), 0);
	start = now(CLOCK_MONOTONIC);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	EQ(lkl_if_wait_ipv6_dad(a, ip6("fd00::1")), 0);
	start = now(CLOCK_MONOTONIC) - start;
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	CHECK(start > 500000000);
	if (cpu > start / 20)
		FAIL("%lld of %lld ms were spent on waiting", cpu / 1000000,
		     start / 1000000);
	EQ(lkl_if_wait_ipv6_dad(a, ip6("fd00::2")), -LKL_EADDRNOTAVAIL);
	ns_enter(there);
	EQ(lkl_if_set_ipv6(OK(lkl_ifname_to_ifindex("b")), ip6("fd00::1"), 64),
	   -LKL_EADDRNOTAVAIL);
	halt();
}

/* An address by router advertisement. */
static void autoconf(void)
{
	struct {
		uint8_t type, code;
		uint16_t checksum;
		uint8_t hops, flags;
		uint16_t lifetime;
		uint32_t reachable, retrans;
		struct {
			uint8_t type, len, plen, flags;
			uint32_t valid, preferred, reserved;
			uint8_t prefix[16];
		} prefix;
	} adv = {
		.type = 134,
		.lifetime = htons(1800),
		.prefix = { 3, 4, 64, 0xc0, htonl(3600), htonl(3600), 0,
			    "\x20\x01\x0d\xb8" },
	};
	struct lkl_sockaddr_in6 to = { .sin6_family = LKL_AF_INET6 };
	int there, a, b, here, fd, hops = 255;

	boot("mem=64M");
	here = ns_get();
	there = ns_new();
	a = veth_add("a", "b", there);
	EQ(lkl_if_up(a), 0);
	ns_enter(there);
	EQ(lkl_sysctl("net.ipv6.conf.b.accept_dad", "0"), 0);
	b = OK(lkl_ifname_to_ifindex("b"));
	EQ(lkl_if_up(b), 0);
	fd = OK(lkl_sys_socket(LKL_AF_INET6, LKL_SOCK_RAW, LKL_IPPROTO_ICMPV6));
	OK(lkl_sys_setsockopt(fd, LKL_IPPROTO_IPV6, LKL_IPV6_MULTICAST_HOPS,
			      (void *)&hops, sizeof(hops)));
	memcpy(&to.sin6_addr, ip6("ff02::1"), 16);
	to.sin6_scope_id = b;
	/* It can be sent, and is heard, once each has its own address. */
	for (int i = 0; i < 300; i++) {
		lkl_sys_sendto(fd, &adv, sizeof(adv), 0,
			       (struct lkl_sockaddr *)&to, sizeof(to));
		ns_enter(here);
		show(LKL_RTM_GETADDR, LKL_AF_INET6, 0);
		if (strstr(shown, "2001:db8::"))
			break;
		ns_enter(there);
		msleep(100);
	}
	LINE(1, "addr dev %d 2001:db8::", a);
	show(LKL_RTM_GETROUTE, LKL_AF_INET6, 0);
	LINE(1, "route table 254 any/0 via fe80::");
	halt();
}

/* An address by DHCP, while booting; the wire has a server. */
static void dhcp(void)
{
	struct lkl_netdev *wire = lkl_netdev_user_create(NULL);
	long long start = now(CLOCK_MONOTONIC);

	CHECK(wire);
	lkl_host_ops.print = NULL;
	OK(lkl_init(&lkl_host_ops));
	OK(lkl_netdev_add(wire, NULL));
	OK(lkl_start_kernel("mem=64M ip=dhcp"));
	start = now(CLOCK_MONOTONIC) - start;
	show(LKL_RTM_GETADDR, LKL_AF_INET, 0);
	LINE(1, "addr dev %d 10.0.2.15/24 broadcast 10.0.2.255\n",
	     lkl_ifname_to_ifindex("eth0"));
	show(LKL_RTM_GETROUTE, LKL_AF_INET, 0);
	LINE(1, "route table 254 any/0 via 10.0.2.2 dev");
	CHECK(start < 30000000000);
	halt();
	lkl_netdev_free(wire);
}

/* An integer that a queueing discipline or class has somewhere in its options.
 */
struct tc_value {
	int is_class;
	uint32_t handle;
	int attr;
	int offset;
	uint64_t value;
	int found;
};

static int find_value(const struct nlmsghdr *nlh, void *arg)
{
	struct lkl_tcmsg *tc = mnl_nlmsg_get_payload(nlh);
	struct tc_value *v = arg;
	struct nlattr *a, *b;

	if (v->handle && tc->tcm_handle != v->handle)
		return MNL_CB_OK;
	mnl_attr_for_each(a, nlh, sizeof(*tc))
	{
		if (mnl_attr_get_type(a) != LKL_TCA_OPTIONS)
			continue;
		if (v->attr < 0) {
			memcpy(&v->value,
			       (char *)mnl_attr_get_payload(a) + v->offset, 4);
			v->found = 1;
			continue;
		}
		/* netem's attributes follow a structure */
		for (b = (void *)((char *)mnl_attr_get_payload(a) +
				  (v->attr >= 100 ? 24 : 0));
		     mnl_attr_ok(b, (char *)mnl_attr_get_payload(a) +
					    mnl_attr_get_payload_len(a) -
					    (char *)b);
		     b = mnl_attr_next(b)) {
			size_t len = mnl_attr_get_payload_len(b);

			if (mnl_attr_get_type(b) != v->attr % 100)
				continue;
			memcpy(&v->value,
			       (char *)mnl_attr_get_payload(b) + v->offset,
			       len > 8 ? 4 : len);
			v->found = 1;
		}
	}
	return MNL_CB_OK;
}

#define NETEM(attr) (100 + LKL_TCA_NETEM_##attr)

static const struct qdisc_case {
	const char *where, *what;
	int err;
	struct tc_value want;
} qdiscs[] = {
	/* clang-format off */
	{ "root", "pfifo", 0, {} },
	{ "root", "fq", 0, { .attr = LKL_TCA_FQ_PLIMIT, .value = 10000 } },
	{ "root", "fq limit 500 nopacing", 0, { .attr = LKL_TCA_FQ_RATE_ENABLE, .value = 0 } },
	{ "root", "fq maxrate 8mbit", 0, { .attr = LKL_TCA_FQ_FLOW_MAX_RATE, .value = 1000000 } },
	{ "root", "fq quantum 3k", 0, { .attr = LKL_TCA_FQ_QUANTUM, .value = 3072 } },
	{ "root", "fq horizon 2s", 0, { .attr = LKL_TCA_FQ_HORIZON, .value = 2000000 } },
	{ "root", "fq_codel", 0, { .attr = LKL_TCA_FQ_CODEL_TARGET, .value = 4999 } },
	{ "root", "fq_codel target 20ms noecn", 0, { .attr = LKL_TCA_FQ_CODEL_TARGET, .value = 19999 } },
	{ "root", "netem", 0, { .attr = -1, .offset = 4, .value = 1000 } },
	{ "root", "netem delay 10ms 2.5ms loss 1%", 0, { .attr = NETEM(LATENCY64), .value = 10000000 } },
	{ "root", "netem delay 10ms 2.5ms loss 1%", 0, { .attr = NETEM(JITTER64), .value = 2500000 } },
	{ "root", "netem delay 10ms loss 50% 25% limit 7", 0, { .attr = -1, .offset = 8, .value = UINT32_MAX / 2 } },
	{ "root", "netem rate 1gbit corrupt 100%", 0, { .attr = NETEM(CORRUPT), .value = UINT32_MAX } },
	{ "root", "netem rate 1gbit", 0, { .attr = NETEM(RATE), .value = 125000000 } },
	{ "root", "netem rate 80gbit", 0, { .attr = NETEM(RATE64), .value = 10000000000 } },
	{ "root", "netem delay 1ms reorder 25%", 0, { .attr = NETEM(REORDER), .value = UINT32_MAX / 4 } },
	{ "root", "tbf rate 8mbit", 0, { .attr = LKL_TCA_TBF_PARMS, .offset = 8, .value = 1000000 } },
	{ "root", "tbf rate 8mbit burst 10kb limit 50kb", 0, { .attr = LKL_TCA_TBF_PARMS, .offset = 24, .value = 51200 } },
	{ "root", "tbf rate 8mbit burst 10kb latency 1s", 0, { .attr = LKL_TCA_TBF_PARMS, .offset = 24, .value = 1010240 } },
	{ "root handle 1:", "htb default 1f", 0, { .attr = LKL_TCA_HTB_INIT, .offset = 8, .value = 0x1f } },
	{ "parent 1: classid 1:1f", "htb rate 8mbit ceil 16mbit prio 3", 0, { .is_class = 1, .handle = 0x1001f, .attr = LKL_TCA_HTB_PARMS, .offset = 8, .value = 1000000 } },
	{ "parent 1: classid 1:1f", "htb rate 80gbit", 0, { .is_class = 1, .handle = 0x1001f, .attr = LKL_TCA_HTB_RATE64, .value = 10000000000 } },
	{ "parent 1:1f handle 20:", "fq_codel limit 99", 0, { .handle = 0x200000, .attr = LKL_TCA_FQ_CODEL_LIMIT, .value = 99 } },
	{ "ingress", "clsact", 0, {} },

	{ "root", "no_such_qdisc", -LKL_ENOENT, {} },
	{ "root", "a_name_that_is_too_long", -LKL_ENOENT, {} },
	{ "root", "", -LKL_EINVAL, {} },
	{ "", "fq", -LKL_EINVAL, {} },
	{ "rooot", "fq", -LKL_EINVAL, {} },
	{ "parent", "fq", -LKL_EINVAL, {} },
	{ "parent 10", "fq", -LKL_EINVAL, {} },
	{ "root handle 1:x", "fq", -LKL_EINVAL, {} },
	{ "root", "fq limit", -LKL_EINVAL, {} },
	{ "root", "fq limit many", -LKL_EINVAL, {} },
	{ "root", "fq limit -1", -LKL_EINVAL, {} },
	{ "root", "fq limit nan", -LKL_EINVAL, {} },
	{ "root", "fq limits 5", -LKL_EINVAL, {} },
	{ "root", "fq quantum 1e30", -LKL_ERANGE, {} },
	{ "root", "pfifo limit 5", -LKL_EINVAL, {} },
	{ "root", "netem loss 101%", -LKL_ERANGE, {} },
	{ "root", "netem delay 10 apples", -LKL_EINVAL, {} },
	{ "root", "netem reorder 5%", -LKL_EINVAL, {} },
	{ "root", "tbf", -LKL_EINVAL, {} },
	{ "root", "tbf rate 1mbit limit 9k latency 1ms", -LKL_EINVAL, {} },
	{ "parent 1: classid 1:30", "htb ceil 1mbit", -LKL_EINVAL, {} },
	{ "parent 7:1", "fq", -LKL_ENOENT, {} },
	/* clang-format on */
};

static void qdisc(void)
{
	int ifindex;

	boot("mem=64M");
	ifindex = dummy("d0");
	for (size_t i = 0; i < ARRAY_SIZE(qdiscs); i++) {
		const struct qdisc_case *c = &qdiscs[i];
		struct tc_value v = c->want;
		struct lkl_tcmsg tc = { .tcm_ifindex = ifindex };
		int err = lkl_qdisc_add(ifindex, c->where, c->what);

		if (err != c->err)
			FAIL("%s|%s: %d, not %d", c->where, c->what, err,
			     c->err);
		if (!v.attr)
			continue;
		v.value = 0;
		OK(nl_talk(LKL_NETLINK_ROUTE,
			   nl_request(v.is_class ? LKL_RTM_GETTCLASS
						 : LKL_RTM_GETQDISC,
				      NLM_F_DUMP, &tc, sizeof(tc)),
			   find_value, &v));
		/* Probabilities are rounded. */
		if (!v.found || v.value - c->want.value + 2 > 4)
			FAIL("%s|%s: %llu, not %llu", c->where, c->what,
			     (long long)v.value, (long long)c->want.value);
	}
	EQ(lkl_qdisc_add(NO_IF, "root", "fq"), -LKL_ENODEV);
	show(LKL_RTM_GETQDISC, 0, ifindex);
	LINE(1, "qdisc dev %d parent ffffffff handle 10000 htb\n", ifindex);
	LINE(1, "qdisc dev %d parent 1001f handle 200000 fq_codel\n", ifindex);
	LINE(1, "qdisc dev %d parent fffffff1 handle ffff0000 clsact\n",
	     ifindex);

	lkl_qdisc_parse_add(ifindex, " ; root|fq ;ingress|ingress; ");
	show(LKL_RTM_GETQDISC, 0, ifindex);
	LINE(1, " fq\n");
	LINE(1, " ingress\n");
	halt();
}

/* What a value of /proc/sys is. */
static const char *sysctl_value(const char *path)
{
	static char value[100];
	char file[200];
	long fd, len;

	OK(lkl_mount_fs("proc"));
	snprintf(file, sizeof(file), "/proc/sys/%s", path);
	fd = OK(lkl_sys_open(file, LKL_O_RDONLY, 0));
	len = OK(lkl_sys_read(fd, value, sizeof(value) - 1));
	value[len] = 0;
	lkl_sys_close(fd);
	return value;
}

static void sysctls(void)
{
	struct lkl_stat st;
	int fds[2];

	boot("mem=64M");
	EQ(lkl_sysctl("net.ipv4.tcp_wmem", "4096 87380 2147483647"), 0);
	EQ(lkl_sysctl("net/ipv4/tcp_rmem", "4096 87380 1000000"), 0);
	EQ(lkl_sysctl("net.ipv4.no_such_thing", "1"), -LKL_ENOENT);
	EQ(lkl_sysctl("net.ipv4.tcp_sack", "many"), -LKL_EINVAL);
	EQ(lkl_sysctl("net.ipv4.tcp_available_congestion_control", "x"),
	   -LKL_EACCES);
	link_add("d0.5", "dummy", 0, NULL, NULL);
	EQ(lkl_sysctl("net.ipv4.conf.d0/5.forwarding", "1"), 0);
	lkl_sysctl_parse_write("net.ipv4.tcp_congestion_control=bbr; "
			       "net.core.default_qdisc = fq");
	/* No mount of /proc is left, and no descriptor. */
	EQ(lkl_sys_stat("/proc", &st), -LKL_ENOENT);
	EQ(lkl_sys_pipe2(fds, 0), 0);
	EQ(fds[0], 0);

	EQ(strcmp(sysctl_value("net/ipv4/tcp_wmem"),
		  "4096\t87380\t2147483647\n"),
	   0);
	EQ(strcmp(sysctl_value("net/ipv4/conf/d0.5/forwarding"), "1\n"), 0);
	EQ(strcmp(sysctl_value("net/ipv4/tcp_congestion_control"), "bbr\n"), 0);
	EQ(strcmp(sysctl_value("net/core/default_qdisc"), "fq\n"), 0);

	/* It is the thread's own namespace that changes. */
	ns_enter(ns_new());
	EQ(lkl_sysctl("net.ipv4.ip_forward", "1"), 0);
	halt();
}

/* One line about the first thing that is wrong, and no more is done. */
static void messages(void)
{
	static const struct {
		int sysctl;
		const char *list, *line;
	} cases[] = {
		{ 0, "root|fq;root|netem dela 10ms;root|pfifo",
		  "lkl: qdisc 'root|netem dela 10ms': dela: Invalid "
		  "argument\n" },
		{ 0, "root fq", "lkl: qdisc 'root fq': there is no '|'\n" },
		{ 0, "root|tbf rate 1mbits",
		  "lkl: qdisc 'root|tbf rate 1mbits': 1mbits: Invalid "
		  "argument\n" },
		{ 0, "rot|fq", "lkl: qdisc 'rot|fq': rot: Invalid argument\n" },
		{ 1, "net.ipv4.tcp_sack=0;x.y=1;net.ipv4.tcp_sack=1",
		  "lkl: sysctl 'x.y' = '1': No such file or directory\n" },
		{ 1, "net.ipv4.tcp_sack",
		  "lkl: sysctl 'net.ipv4.tcp_sack': there is no '='\n" },
	};
	char line[200] = "";
	int fds[2], err = dup(2), ifindex;

	boot("mem=64M");
	ifindex = dummy("d0");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ssize_t len;

		EQ(pipe(fds), 0);
		dup2(fds[1], 2);
		if (cases[i].sysctl)
			lkl_sysctl_parse_write(cases[i].list);
		else
			lkl_qdisc_parse_add(ifindex, cases[i].list);
		dup2(err, 2);
		close(fds[1]);
		len = read(fds[0], line, sizeof(line) - 1);
		line[len > 0 ? len : 0] = 0;
		if (strcmp(line, cases[i].line))
			FAIL("%s: %s", cases[i].list, line);
		close(fds[0]);
	}
	show(LKL_RTM_GETQDISC, 0, ifindex);
	LINE(1, " fq\n");
	EQ(strcmp(sysctl_value("net/ipv4/tcp_sack"), "0\n"), 0);
	halt();
}

static const struct check tests[] = {
	{ "links", links },	      { "addresses", addresses },
	{ "gateways", gateways },     { "tables", tables },
	{ "neighbours", neighbours }, { "dad", dad },
	{ "autoconf", autoconf },     { "dhcp", dhcp },
	{ "qdisc", qdisc },	      { "sysctls", sysctls },
	{ "messages", messages },
};

CHECK_MAIN(tests)
