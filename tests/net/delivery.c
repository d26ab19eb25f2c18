// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which packets reach a socket of the library's kernel: rules of nftables,
 * multicast groups; between two of its network namespaces.
 */
#include <lkl/linux/netfilter.h>
#include <lkl/linux/netfilter/nf_tables.h>
#include <lkl/linux/netfilter/nfnetlink.h>

#include "netlab.h"

/* A batch of nf_tables messages. */
static _Alignas(8) char batch[8192];
static size_t batch_len;

static struct nlmsghdr *nft_begin(int type, int flags, int family)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(batch + batch_len);
	struct lkl_nfgenmsg *head =
		mnl_nlmsg_put_extra_header(nlh, sizeof(*head));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	head->nfgen_family = family;
	if (type == LKL_NFNL_MSG_BATCH_BEGIN || type == LKL_NFNL_MSG_BATCH_END)
		head->res_id = htons(LKL_NFNL_SUBSYS_NFTABLES);
	return nlh;
}

static void nft_end(struct nlmsghdr *nlh)
{
	batch_len += NLMSG_ALIGN(nlh->nlmsg_len);
}

#define NFT(message) (LKL_NFNL_SUBSYS_NFTABLES << 8 | LKL_NFT_MSG_##message)

/* An expression of a rule: begin, and end with the nests that it opened. */
static void expr_begin(struct nlmsghdr *nlh, const char *name,
		       struct nlattr *nest[2])
{
	nest[0] = mnl_attr_nest_start(nlh, LKL_NFTA_LIST_ELEM);
	mnl_attr_put_strz(nlh, LKL_NFTA_EXPR_NAME, name);
	nest[1] = mnl_attr_nest_start(nlh, LKL_NFTA_EXPR_DATA);
}

static void expr_end(struct nlmsghdr *nlh, struct nlattr *nest[2])
{
	mnl_attr_nest_end(nlh, nest[1]);
	mnl_attr_nest_end(nlh, nest[0]);
}

static void put_be32(struct nlmsghdr *nlh, int type, uint32_t value)
{
	mnl_attr_put_u32(nlh, type, htonl(value));
}

/* Register 1 must hold a value. */
static void expr_cmp(struct nlmsghdr *nlh, const void *value, size_t len)
{
	struct nlattr *nest[2], *data;

	expr_begin(nlh, "cmp", nest);
	put_be32(nlh, LKL_NFTA_CMP_SREG, LKL_NFT_REG_1);
	put_be32(nlh, LKL_NFTA_CMP_OP, LKL_NFT_CMP_EQ);
	data = mnl_attr_nest_start(nlh, LKL_NFTA_CMP_DATA);
	mnl_attr_put(nlh, LKL_NFTA_DATA_VALUE, len, value);
	mnl_attr_nest_end(nlh, data);
	expr_end(nlh, nest);
}

/* Drop UDP packets to a port, in both families. */
static void nft_drop(int port)
{
	uint16_t be_port = htons(port);
	struct nlattr *nest[2], *exprs, *data, *verdict, *hook;
	struct nlmsghdr *nlh;
	uint8_t udp = LKL_IPPROTO_UDP;

	nft_end(nft_begin(LKL_NFNL_MSG_BATCH_BEGIN, 0, 0));
	nlh = nft_begin(NFT(NEWTABLE), NLM_F_CREATE, LKL_NFPROTO_INET);
	mnl_attr_put_strz(nlh, LKL_NFTA_TABLE_NAME, "t");
	nft_end(nlh);

	nlh = nft_begin(NFT(NEWCHAIN), NLM_F_CREATE, LKL_NFPROTO_INET);
	mnl_attr_put_strz(nlh, LKL_NFTA_CHAIN_TABLE, "t");
	mnl_attr_put_strz(nlh, LKL_NFTA_CHAIN_NAME, "in");
	mnl_attr_put_strz(nlh, LKL_NFTA_CHAIN_TYPE, "filter");
	hook = mnl_attr_nest_start(nlh, LKL_NFTA_CHAIN_HOOK);
	put_be32(nlh, LKL_NFTA_HOOK_HOOKNUM, LKL_NF_INET_LOCAL_IN);
	put_be32(nlh, LKL_NFTA_HOOK_PRIORITY, 0);
	mnl_attr_nest_end(nlh, hook);
	nft_end(nlh);

	nlh = nft_begin(NFT(NEWRULE), NLM_F_CREATE | NLM_F_APPEND,
			LKL_NFPROTO_INET);
	mnl_attr_put_strz(nlh, LKL_NFTA_RULE_TABLE, "t");
	mnl_attr_put_strz(nlh, LKL_NFTA_RULE_CHAIN, "in");
	exprs = mnl_attr_nest_start(nlh, LKL_NFTA_RULE_EXPRESSIONS);
	expr_begin(nlh, "meta", nest);
	put_be32(nlh, LKL_NFTA_META_KEY, LKL_NFT_META_L4PROTO);
	put_be32(nlh, LKL_NFTA_META_DREG, LKL_NFT_REG_1);
	expr_end(nlh, nest);
	expr_cmp(nlh, &udp, sizeof(udp));
	expr_begin(nlh, "payload", nest);
	put_be32(nlh, LKL_NFTA_PAYLOAD_DREG, LKL_NFT_REG_1);
	put_be32(nlh, LKL_NFTA_PAYLOAD_BASE, LKL_NFT_PAYLOAD_TRANSPORT_HEADER);
	put_be32(nlh, LKL_NFTA_PAYLOAD_OFFSET, 2);
	put_be32(nlh, LKL_NFTA_PAYLOAD_LEN, 2);
	expr_end(nlh, nest);
	expr_cmp(nlh, &be_port, sizeof(be_port));
	expr_begin(nlh, "immediate", nest);
	put_be32(nlh, LKL_NFTA_IMMEDIATE_DREG, LKL_NFT_REG_VERDICT);
	data = mnl_attr_nest_start(nlh, LKL_NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(nlh, LKL_NFTA_DATA_VERDICT);
	put_be32(nlh, LKL_NFTA_VERDICT_CODE, LKL_NF_DROP);
	mnl_attr_nest_end(nlh, verdict);
	mnl_attr_nest_end(nlh, data);
	expr_end(nlh, nest);
	mnl_attr_nest_end(nlh, exprs);
	nlh->nlmsg_flags |= NLM_F_ACK;
	nft_end(nlh);
	nft_end(nft_begin(LKL_NFNL_MSG_BATCH_END, 0, 0));
}

static void nftables(void)
{
	static const char *const addrs[] = { "10.0.0.2", "fd00::2" };
	struct lab lab = lab_start();
	struct nlmsgerr *answer;
	char buf[8192];
	long len;
	int fd;

	ns_enter(lab.there);
	nft_drop(7777);
	fd = OK(lkl_sys_socket(LKL_AF_NETLINK, LKL_SOCK_RAW,
			       LKL_NETLINK_NETFILTER));
	EQ(lkl_sys_send(fd, batch, batch_len, 0), batch_len);
	len = OK(lkl_sys_recv(fd, buf, sizeof(buf), 0));
	CHECK(len >= (long)(sizeof(struct nlmsghdr) + sizeof(*answer)));
	answer = mnl_nlmsg_get_payload((struct nlmsghdr *)buf);
	EQ(((struct nlmsghdr *)buf)->nlmsg_type, NLMSG_ERROR);
	EQ(answer->error, 0);
	lkl_sys_close(fd);

	for (int i = 0; i < 4; i++) {
		int port = i < 2 ? 7777 : 7778, from, to, alen;
		const struct lkl_sockaddr *sa;

		ns_enter(lab.there);
		to = sock_bound(addrs[i % 2], port,
				LKL_SOCK_DGRAM | LKL_SOCK_NONBLOCK, 0);
		ns_enter(lab.here);
		from = sock_open(addrs[i % 2], LKL_SOCK_DGRAM, 0);
		sa = sock_addr(addrs[i % 2], port, &alen);
		EQ(lkl_sys_sendto(from, "x", 1, 0, (struct lkl_sockaddr *)sa,
				  alen),
		   1);
		/* Neighbours must find each other first. */
		for (int ms = 0; ms < 100; ms++) {
			len = lkl_sys_recv(to, buf, sizeof(buf), 0);
			if (len > 0)
				break;
			msleep(1);
		}
		EQ(len, i < 2 ? -LKL_EAGAIN : 1);
		lkl_sys_close(from);
		lkl_sys_close(to);
	}
	halt();
}

static void multicast(void)
{
	static const char *const groups[] = { "239.1.2.3", "ff15::123" };
	struct lab lab = lab_start();

	for (int i = 0; i < 2; i++) {
		struct lkl_ip_mreqn v4 = { .imr_ifindex = lab.far };
		struct lkl_ipv6_mreq v6 = { .ipv6mr_ifindex = lab.far };
		int from, to, len, got = 0;
		const struct lkl_sockaddr *sa;
		char c;

		ns_enter(lab.there);
		to = sock_bound(groups[i], 7000,
				LKL_SOCK_DGRAM | LKL_SOCK_NONBLOCK, 0);
		if (i) {
			memcpy(&v6.ipv6mr_multiaddr, ip6(groups[i]), 16);
			OK(lkl_sys_setsockopt(to, LKL_IPPROTO_IPV6,
					      LKL_IPV6_ADD_MEMBERSHIP,
					      (void *)&v6, sizeof(v6)));
		} else {
			v4.imr_multiaddr.s_addr = ip4(groups[i]);
			OK(lkl_sys_setsockopt(to, LKL_IPPROTO_IP,
					      LKL_IP_ADD_MEMBERSHIP,
					      (void *)&v4, sizeof(v4)));
		}
		ns_enter(lab.here);
		from = sock_open(groups[i], LKL_SOCK_DGRAM, 0);
		v4.imr_ifindex = lab.near;
		if (i)
			sock_int(from, LKL_IPPROTO_IPV6, LKL_IPV6_MULTICAST_IF,
				 lab.near);
		else
			OK(lkl_sys_setsockopt(from, LKL_IPPROTO_IP,
					      LKL_IP_MULTICAST_IF, (void *)&v4,
					      sizeof(v4)));
		sa = sock_addr(groups[i], 7000, &len);
		for (int n = 0; n < 3; n++)
			EQ(lkl_sys_sendto(from, "m", 1, 0,
					  (struct lkl_sockaddr *)sa, len),
			   1);
		while (got < 3 && lkl_sys_recv(to, &c, 1, 0) == 1)
			got++;
		EQ(got, 3);
		/* A socket that has left a group gets nothing of it. */
		if (i)
			OK(lkl_sys_setsockopt(to, LKL_IPPROTO_IPV6,
					      LKL_IPV6_DROP_MEMBERSHIP,
					      (void *)&v6, sizeof(v6)));
		else {
			v4.imr_ifindex = lab.far;
			OK(lkl_sys_setsockopt(to, LKL_IPPROTO_IP,
					      LKL_IP_DROP_MEMBERSHIP,
					      (void *)&v4, sizeof(v4)));
		}
		EQ(lkl_sys_sendto(from, "m", 1, 0, (struct lkl_sockaddr *)sa,
				  len),
		   1);
		EQ(lkl_sys_recv(to, &c, 1, 0), -LKL_EAGAIN);
		lkl_sys_close(from);
		lkl_sys_close(to);
	}
	halt();
}

static const struct check tests[] = {
	{ "nftables", nftables },
	{ "multicast", multicast },
};

CHECK_MAIN(tests)
