// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration of the network: links, addresses, routes, rules, neighbours.
 *
 * Each function makes one rtnetlink message and sends it to the library's
 * kernel, which acts on it in the calling thread's network namespace before
 * sendto() returns; the answer is there already when it is asked for. So a
 * socket per message costs microseconds, and there is no state to keep.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <lkl.h>
#include <lkl/linux/fib_rules.h>

#include "rtnl.h"

/* Largest message that the kernel answers with. */
#define ANSWER_SIZE 32768
/* Longest time that duplicate address detection may take, in milliseconds. */
#define DAD_LIMIT 10000
/* Of rules; the same for all, or the kernel does not see what it has already.
 */
#define RULE_PRIORITY 32000

void *rtnl_put_space(struct lkl_nlmsghdr *nlh, size_t len)
{
	void *space = (char *)nlh + nlh->nlmsg_len;

	nlh->nlmsg_len += LKL_NLMSG_ALIGN(len);
	return space;
}

void rtnl_put(struct lkl_nlmsghdr *nlh, int type, size_t len, const void *data)
{
	struct lkl_nlattr *attr = rtnl_put_space(nlh, LKL_NLA_HDRLEN + len);

	attr->nla_type = type;
	attr->nla_len = LKL_NLA_HDRLEN + len;
	memcpy((char *)attr + LKL_NLA_HDRLEN, data, len);
}

void rtnl_put_u32(struct lkl_nlmsghdr *nlh, int type, uint32_t value)
{
	rtnl_put(nlh, type, sizeof(value), &value);
}

void rtnl_put_u64(struct lkl_nlmsghdr *nlh, int type, uint64_t value)
{
	rtnl_put(nlh, type, sizeof(value), &value);
}

void rtnl_put_string(struct lkl_nlmsghdr *nlh, int type, const char *value)
{
	rtnl_put(nlh, type, strlen(value) + 1, value);
}

struct lkl_nlattr *rtnl_nest(struct lkl_nlmsghdr *nlh, int type)
{
	struct lkl_nlattr *attr = rtnl_put_space(nlh, LKL_NLA_HDRLEN);

	attr->nla_type = type;
	return attr;
}

void rtnl_nest_end(struct lkl_nlmsghdr *nlh, struct lkl_nlattr *attr)
{
	attr->nla_len = (char *)nlh + nlh->nlmsg_len - (char *)attr;
}

struct lkl_nlmsghdr *rtnl_request(void *buf, int type, int flags,
				  const void *head, size_t len)
{
	struct lkl_nlmsghdr *nlh = buf;

	memset(buf, 0, RTNL_REQUEST_SIZE);
	nlh->nlmsg_len = LKL_NLMSG_HDRLEN;
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = LKL_NLM_F_REQUEST | LKL_NLM_F_ACK | flags;
	memcpy(rtnl_put_space(nlh, len), head, len);
	return nlh;
}

static int rtnl_socket(unsigned int groups)
{
	struct lkl_sockaddr_nl addr = { .nl_family = LKL_AF_NETLINK,
					.nl_groups = groups };
	int fd, err;

	fd = lkl_sys_socket(LKL_AF_NETLINK, LKL_SOCK_RAW | LKL_SOCK_CLOEXEC,
			    LKL_NETLINK_ROUTE);
	if (fd < 0)
		return fd;
	err = lkl_sys_bind(fd, (struct lkl_sockaddr *)&addr, sizeof(addr));
	if (err) {
		lkl_sys_close(fd);
		return err;
	}
	return fd;
}

/* Hand on what was received; 1 while there is more to come. */
static int answered(const void *answer, long len, rtnl_answer *fn, void *arg)
{
	const struct lkl_nlmsghdr *nlh = answer;

	for (; LKL_NLMSG_OK(nlh, len); nlh = LKL_NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_type == LKL_NLMSG_ERROR) /* or success */
			return ((struct lkl_nlmsgerr *)LKL_NLMSG_DATA(nlh))
				->error;
		if (fn)
			fn(nlh, arg);
	}
	return 1;
}

int rtnl_talk(const struct lkl_nlmsghdr *nlh, rtnl_answer *fn, void *arg)
{
	long len, ret;
	char *answer;
	int fd;

	answer = malloc(ANSWER_SIZE);
	if (!answer)
		return -LKL_ENOMEM;
	fd = rtnl_socket(0);
	if (fd < 0) {
		free(answer);
		return fd;
	}
	ret = lkl_sys_send(fd, nlh, nlh->nlmsg_len, 0);
	while (ret > 0) {
		len = lkl_sys_recv(fd, answer, ANSWER_SIZE, 0);
		ret = len < 0 ? len : answered(answer, len, fn, arg);
	}
	lkl_sys_close(fd);
	free(answer);
	return ret;
}

int rtnl_entries(const char *list, int (*fn)(char *entry, void *arg), void *arg)
{
	char *copy = strdup(list), *entry, *end, *rest;
	int ret = 0;

	if (!copy)
		return -LKL_ENOMEM;
	for (entry = strtok_r(copy, ";", &rest); entry && !ret;
	     entry = strtok_r(NULL, ";", &rest)) {
		while (isspace((unsigned char)*entry))
			entry++;
		end = entry + strlen(entry);
		while (end > entry && isspace((unsigned char)end[-1]))
			*--end = 0;
		if (*entry)
			ret = fn(entry, arg);
	}
	free(copy);
	return ret;
}

/* Bytes of an address, or a negative error number. */
static int addr_size(int af)
{
	switch (af) {
	case LKL_AF_INET:
		return 4;
	case LKL_AF_INET6:
		return 16;
	default:
		return -LKL_EAFNOSUPPORT;
	}
}

/*
 * Links
 */

static void store_ifindex(const struct lkl_nlmsghdr *nlh, void *arg)
{
	struct lkl_ifinfomsg *link = LKL_NLMSG_DATA(nlh);

	*(int *)arg = link->ifi_index;
}

int lkl_ifname_to_ifindex(const char *name)
{
	_Alignas(struct lkl_nlmsghdr) char buf[RTNL_REQUEST_SIZE];
	struct lkl_ifinfomsg link = { 0 };
	struct lkl_nlmsghdr *nlh;
	int ifindex = -LKL_ENODEV, err;

	if (strlen(name) >= LKL_IFNAMSIZ)
		return -LKL_ENODEV;
	nlh = rtnl_request(buf, LKL_RTM_GETLINK, 0, &link, sizeof(link));
	rtnl_put_string(nlh, LKL_IFLA_IFNAME, name);
	err = rtnl_talk(nlh, store_ifindex, &ifindex);
	return err ? err : ifindex;
}

static void store_link_flags(const struct lkl_nlmsghdr *nlh, void *arg)
{
	struct lkl_ifinfomsg *link = LKL_NLMSG_DATA(nlh);

	*(unsigned int *)arg = link->ifi_flags;
}

/* Whether an interface is up and connected, or a negative error number. */
static int has_link(int ifindex)
{
	_Alignas(struct lkl_nlmsghdr) char buf[RTNL_REQUEST_SIZE];
	struct lkl_ifinfomsg link = { .ifi_index = ifindex };
	unsigned int flags = 0;
	int err;

	err = rtnl_talk(
		rtnl_request(buf, LKL_RTM_GETLINK, 0, &link, sizeof(link)),
		store_link_flags, &flags);
	return err ? err : !!(flags & LKL_IFF_LOWER_UP);
}

static int set_flags(int ifindex, unsigned int flags)
{
	_Alignas(struct lkl_nlmsghdr) char buf[RTNL_REQUEST_SIZE];
	struct lkl_ifinfomsg link = { .ifi_index = ifindex,
				      .ifi_flags = flags,
				      .ifi_change = LKL_IFF_UP };

	return rtnl_talk(
		rtnl_request(buf, LKL_RTM_NEWLINK, 0, &link, sizeof(link)),
		NULL, NULL);
}

int lkl_if_up(int ifindex)
{
	return set_flags(ifindex, LKL_IFF_UP);
}

int lkl_if_down(int ifindex)
{
	return set_flags(ifindex, 0);
}

int lkl_if_set_mtu(int ifindex, int mtu)
{
	_Alignas(struct lkl_nlmsghdr) char buf[RTNL_REQUEST_SIZE];
	struct lkl_ifinfomsg link = { .ifi_index = ifindex };
	struct lkl_nlmsghdr *nlh;

	nlh = rtnl_request(buf, LKL_RTM_NEWLINK, 0, &link, sizeof(link));
	rtnl_put_u32(nlh, LKL_IFLA_MTU, mtu);
	return rtnl_talk(nlh, NULL, NULL);
}

/*
 * Addresses
 */

static int address(int type, int flags, int ifindex, int af, const void *addr,
		   unsigned int plen)
{
	_Alignas(struct lkl_nlmsghdr) char buf[RTNL_REQUEST_SIZE];
	struct lkl_ifaddrmsg msg = { .ifa_family = af,
				     .ifa_prefixlen = plen,
				     .ifa_index = ifindex };
	int size = addr_size(af);
	struct lkl_nlmsghdr *nlh;

	if (size < 0)
		return size;
	if (plen > (unsigned int)size * 8)
		return -LKL_EINVAL;
	nlh = rtnl_request(buf, type, flags, &msg, sizeof(msg));
	rtnl_put(nlh, LKL_IFA_LOCAL, size, addr);
	rtnl_put(nlh, LKL_IFA_ADDRESS, size, addr);
	if (af == LKL_AF_INET && plen < 31 && type == LKL_RTM_NEWADDR) {
		uint32_t host, broadcast;

		memcpy(&host, addr, sizeof(host));
		broadcast = host | htonl(0xffffffff >> plen);
		rtnl_put_u32(nlh, LKL_IFA_BROADCAST, broadcast);
	}
	return rtnl_talk(nlh, NULL, NULL);
}

int lkl_if_add_ip(int ifindex, int af, const void *addr, unsigned int plen)
{
	return address(LKL_RTM_NEWADDR, LKL_NLM_F_CREATE | LKL_NLM_F_EXCL,
		       ifindex, af, addr, plen);
}

int lkl_if_del_ip(int ifindex, int af, const void *addr, unsigned int plen)
{
	return address(LKL_RTM_DELADDR, 0, ifindex, af, addr, plen);
}

int lkl_if_set_ipv4(int ifindex, unsigned int addr, unsigned int masklen)
{
	return address(LKL_RTM_NEWADDR, LKL_NLM_F_CREATE | LKL_NLM_F_REPLACE,
		       ifindex, LKL_AF_INET, &addr, masklen);
}

static void store_addr_flags(const struct lkl_nlmsghdr *nlh, void *arg)
{
	struct lkl_ifaddrmsg *msg = LKL_NLMSG_DATA(nlh);
	struct lkl_rtattr *attr = LKL_IFA_RTA(msg);
	int len = LKL_IFA_PAYLOAD(nlh);

	*(uint32_t *)arg = msg->ifa_flags;
	for (; LKL_RTA_OK(attr, len); attr = LKL_RTA_NEXT(attr, len))
		if (attr->rta_type == LKL_IFA_FLAGS)
			memcpy(arg, LKL_RTA_DATA(attr), sizeof(uint32_t));
}

static int ipv6_flags(int ifindex, const void *addr, uint32_t *flags)
{
	_Alignas(struct lkl_nlmsghdr) char buf[RTNL_REQUEST_SIZE];
	struct lkl_ifaddrmsg msg = { .ifa_family = LKL_AF_INET6,
				     .ifa_index = ifindex };
	struct lkl_nlmsghdr *nlh;

	nlh = rtnl_request(buf, LKL_RTM_GETADDR, 0, &msg, sizeof(msg));
	rtnl_put(nlh, LKL_IFA_ADDRESS, 16, addr);
	return rtnl_talk(nlh, store_addr_flags, flags);
}

static long long now_ms(void)
{
	struct __lkl__kernel_timespec ts;

	lkl_sys_clock_gettime(LKL_CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Wait until a socket can be read from; 0 or a negative error number. */
static int wait_readable(int fd, long long deadline)
{
	struct lkl_pollfd pfd = { .fd = fd, .events = LKL_POLLIN };
	long long left;
	long ret;

	do {
		left = deadline - now_ms();
		if (left <= 0)
			return -LKL_ETIMEDOUT;
		ret = lkl_sys_poll(&pfd, 1, left);
	} while (ret == -LKL_EINTR);
	if (ret < 0)
		return ret;
	return ret ? 0 : -LKL_ETIMEDOUT;
}

int lkl_if_wait_ipv6_dad(int ifindex, const void *addr)
{
	long long deadline = now_ms() + DAD_LIMIT;
	uint32_t flags = 0;
	char message[16];
	int fd, err;

	/* From here on a change of state makes the socket readable. */
	fd = rtnl_socket(LKL_RTMGRP_IPV6_IFADDR);
	if (fd < 0)
		return fd;
	for (;;) {
		err = ipv6_flags(ifindex, addr, &flags);
		if (err)
			break;
		if (flags & LKL_IFA_F_DADFAILED) {
			err = -LKL_EADDRNOTAVAIL;
			break;
		}
		/* an optimistic address can be used meanwhile */
		if (!(flags & LKL_IFA_F_TENTATIVE) ||
		    flags & LKL_IFA_F_OPTIMISTIC)
			break;
		err = has_link(ifindex);
		if (err <= 0) {
			err = err ? err : -LKL_ENETDOWN;
			break;
		}
		err = wait_readable(fd, deadline);
		if (err)
			break;
		/* It does not matter what they say, or that some were lost. */
		while (lkl_sys_recv(fd, message, sizeof(message),
				    LKL_MSG_DONTWAIT) >= 0)
			;
	}
	lkl_sys_close(fd);
	return err;
}

int lkl_if_set_ipv6(int ifindex, const void *addr, unsigned int plen)
{
	int err;

	err = address(LKL_RTM_NEWADDR, LKL_NLM_F_CREATE | LKL_NLM_F_REPLACE,
		      ifindex, LKL_AF_INET6, addr, plen);
	if (!err)
		err = lkl_if_wait_ipv6_dad(ifindex, addr);
	return err == -LKL_ENETDOWN ? 0 : err;
}

/*
 * Routes.  An interface has a routing table per family of its own, which
 * traffic from the interface's address is routed by.
 */

/* The number of an interface's table, or a negative error number. */
static int if_table(int ifindex, int af)
{
	int table = 2 * ifindex + (af == LKL_AF_INET6);

	if (ifindex <= 0)
		return -LKL_ENODEV;
	/* These have another meaning: default, main, local. */
	if (table >= LKL_RT_TABLE_DEFAULT && table <= LKL_RT_TABLE_LOCAL)
		return -LKL_ERANGE;
	return table;
}

/* @dst of @plen bits, or everything; @gw, or what the interface reaches. */
static int route(int type, int flags, int ifindex, int af, int table,
		 const void *dst, unsigned int plen, const void *gw)
{
	_Alignas(struct lkl_nlmsghdr) char buf[RTNL_REQUEST_SIZE];
	struct lkl_rtmsg msg = { .rtm_family = af,
				 .rtm_dst_len = plen,
				 .rtm_protocol = LKL_RTPROT_STATIC,
				 .rtm_scope = gw ? LKL_RT_SCOPE_UNIVERSE
						 : LKL_RT_SCOPE_LINK,
				 .rtm_type = LKL_RTN_UNICAST };
	int size = addr_size(af);
	struct lkl_nlmsghdr *nlh;

	if (size < 0)
		return size;
	if (plen > (unsigned int)size * 8)
		return -LKL_EINVAL;
	if (table < 0)
		return table;
	nlh = rtnl_request(buf, type, flags, &msg, sizeof(msg));
	rtnl_put_u32(nlh, LKL_RTA_TABLE, table);
	if (plen) {
		unsigned char net[16];

		memcpy(net, dst, size);
		for (int i = plen / 8; i < size; i++)
			net[i] &= (unsigned int)i == plen / 8
					  ? 0xff00 >> plen % 8
					  : 0;
		rtnl_put(nlh, LKL_RTA_DST, size, net);
	}
	if (gw)
		rtnl_put(nlh, LKL_RTA_GATEWAY, size, gw);
	if (ifindex)
		rtnl_put_u32(nlh, LKL_RTA_OIF, ifindex);
	return rtnl_talk(nlh, NULL, NULL);
}

#define ADD (LKL_NLM_F_CREATE | LKL_NLM_F_EXCL)
#define SET (LKL_NLM_F_CREATE | LKL_NLM_F_REPLACE)

int lkl_add_gateway(int af, const void *gw)
{
	return route(LKL_RTM_NEWROUTE, ADD, 0, af, LKL_RT_TABLE_MAIN, NULL, 0,
		     gw);
}

int lkl_set_ipv4_gateway(unsigned int gw)
{
	return route(LKL_RTM_NEWROUTE, SET, 0, LKL_AF_INET, LKL_RT_TABLE_MAIN,
		     NULL, 0, &gw);
}

int lkl_set_ipv6_gateway(const void *gw)
{
	return route(LKL_RTM_NEWROUTE, SET, 0, LKL_AF_INET6, LKL_RT_TABLE_MAIN,
		     NULL, 0, gw);
}

int rtnl_default_route(int ifindex, int af)
{
	return route(LKL_RTM_NEWROUTE, SET, ifindex, af, LKL_RT_TABLE_MAIN,
		     NULL, 0, NULL);
}

int lkl_if_add_gateway(int ifindex, int af, const void *gw)
{
	return route(LKL_RTM_NEWROUTE, ADD, ifindex, af, if_table(ifindex, af),
		     NULL, 0, gw);
}

int lkl_if_add_linklocal(int ifindex, int af, const void *addr, int plen)
{
	return route(LKL_RTM_NEWROUTE, ADD, ifindex, af, if_table(ifindex, af),
		     addr, plen, NULL);
}

int lkl_if_add_rule_from_saddr(int ifindex, int af, const void *saddr)
{
	_Alignas(struct lkl_nlmsghdr) char buf[RTNL_REQUEST_SIZE];
	struct lkl_fib_rule_hdr rule = { .family = af,
					 .action = LKL_FR_ACT_TO_TBL };
	int size = addr_size(af), table = if_table(ifindex, af);
	struct lkl_nlmsghdr *nlh;

	if (size < 0)
		return size;
	if (table < 0)
		return table;
	rule.src_len = size * 8;
	nlh = rtnl_request(buf, LKL_RTM_NEWRULE, ADD, &rule, sizeof(rule));
	rtnl_put(nlh, LKL_FRA_SRC, size, saddr);
	rtnl_put_u32(nlh, LKL_FRA_TABLE, table);
	rtnl_put_u32(nlh, LKL_FRA_PRIORITY, RULE_PRIORITY);
	return rtnl_talk(nlh, NULL, NULL);
}

/* Rule, subnet and gateway of an interface; on failure nothing is left. */
static int if_set_gateway(int ifindex, int af, const void *addr,
			  unsigned int plen, const void *gw)
{
	int table = if_table(ifindex, af), err;

	err = route(LKL_RTM_NEWROUTE, SET, ifindex, af, table, addr, plen,
		    NULL);
	if (err)
		return err;
	err = route(LKL_RTM_NEWROUTE, SET, ifindex, af, table, NULL, 0, gw);
	if (!err)
		err = lkl_if_add_rule_from_saddr(ifindex, af, addr);
	if (!err || err == -LKL_EEXIST)
		return 0;
	route(LKL_RTM_DELROUTE, 0, ifindex, af, table, NULL, 0, gw);
	route(LKL_RTM_DELROUTE, 0, ifindex, af, table, addr, plen, NULL);
	return err;
}

int lkl_if_set_ipv4_gateway(int ifindex, unsigned int addr,
			    unsigned int masklen, unsigned int gw)
{
	return if_set_gateway(ifindex, LKL_AF_INET, &addr, masklen, &gw);
}

int lkl_if_set_ipv6_gateway(int ifindex, const void *addr, unsigned int plen,
			    const void *gw)
{
	return if_set_gateway(ifindex, LKL_AF_INET6, addr, plen, gw);
}

int lkl_add_neighbor(int ifindex, int af, const void *ip, const void *mac)
{
	_Alignas(struct lkl_nlmsghdr) char buf[RTNL_REQUEST_SIZE];
	struct lkl_ndmsg msg = { .ndm_family = af,
				 .ndm_ifindex = ifindex,
				 .ndm_state = LKL_NUD_PERMANENT };
	int size = addr_size(af);
	struct lkl_nlmsghdr *nlh;

	if (size < 0)
		return size;
	nlh = rtnl_request(buf, LKL_RTM_NEWNEIGH, SET, &msg, sizeof(msg));
	rtnl_put(nlh, LKL_NDA_DST, size, ip);
	rtnl_put(nlh, LKL_NDA_LLADDR, LKL_ETH_ALEN, mac);
	return rtnl_talk(nlh, NULL, NULL);
}
