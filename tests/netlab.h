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

#endif /* NETLAB_H */
