// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filter of a packet socket, in the language of classic BPF: what of the
 * host's frames is for the library.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "raw.h"

#define MAX_CODE 128

struct code {
	struct sock_filter insns[MAX_CODE];
	unsigned int len;
};

static void emit(struct code *c, uint16_t op, uint32_t k, uint8_t yes,
		 uint8_t no)
{
	c->insns[c->len++] = (struct sock_filter){ op, yes, no, k };
}

static void load_byte(struct code *c, int offset)
{
	emit(c, BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF + offset, 0, 0);
}

static void load_half(struct code *c, int offset)
{
	emit(c, BPF_LD | BPF_H | BPF_ABS, SKF_NET_OFF + offset, 0, 0);
}

static void accept_all(struct code *c)
{
	emit(c, BPF_RET | BPF_K, UINT32_MAX, 0, 0);
}

static void drop_all(struct code *c)
{
	emit(c, BPF_RET | BPF_K, 0, 0, 0);
}

static void accept_if(struct code *c, uint32_t value)
{
	emit(c, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	accept_all(c);
}

static void drop_if(struct code *c, uint32_t value)
{
	emit(c, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	drop_all(c);
}

/* Run what is emitted from here to end_if() if the value is this one. */
static unsigned int begin_if(struct code *c, uint32_t value)
{
	emit(c, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 0);
	return c->len - 1;
}

static void end_if(struct code *c, unsigned int begin)
{
	c->insns[begin].jf = c->len - begin - 1;
}

/* A port is in the accumulator. */
static void accept_ports(struct code *c, const struct raw_ports *p)
{
	unsigned int i;

	for (i = 0; i < p->count; i++) {
		emit(c, BPF_JMP | BPF_JGE | BPF_K, p->ranges[i].first, 0, 2);
		emit(c, BPF_JMP | BPF_JGT | BPF_K, p->ranges[i].last, 1, 0);
		accept_all(c);
	}
	drop_all(c);
}

static void filter_ipv4(struct code *c, const struct raw_ports *p)
{
	unsigned int begin;

	/* A fragment without ports may be ours. */
	load_half(c, 6);
	emit(c, BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 0, 1);
	accept_all(c);
	load_byte(c, 9);
	begin = begin_if(c, IPPROTO_ICMP);
	/* The host answers these. */
	emit(c, BPF_LDX | BPF_B | BPF_MSH, SKF_NET_OFF, 0, 0);
	emit(c, BPF_LD | BPF_B | BPF_IND, SKF_NET_OFF, 0, 0);
	drop_if(c, 8);
	accept_all(c);
	end_if(c, begin);
	emit(c, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 2, 0);
	emit(c, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 1, 0);
	drop_all(c);
	emit(c, BPF_LDX | BPF_B | BPF_MSH, SKF_NET_OFF, 0, 0);
	emit(c, BPF_LD | BPF_H | BPF_IND, SKF_NET_OFF + 2, 0, 0);
	accept_ports(c, p);
}

static void filter_ipv6(struct code *c, const struct raw_ports *p)
{
	unsigned int begin;

	load_byte(c, 6);
	accept_if(c, IPPROTO_FRAGMENT);
	begin = begin_if(c, IPPROTO_ICMPV6);
	load_byte(c, 40);
	drop_if(c, 128);
	accept_all(c);
	end_if(c, begin);
	emit(c, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 2, 0);
	emit(c, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 1, 0);
	drop_all(c);
	load_half(c, 42);
	accept_ports(c, p);
}

static void filter_ports(struct code *c, const struct raw_ports *p, bool cooked)
{
	unsigned int begin;

	emit(c, BPF_LD | BPF_H | BPF_ABS, SKF_AD_OFF + SKF_AD_PROTOCOL, 0, 0);
	if (!cooked)
		accept_if(c, ETH_P_ARP);
	begin = begin_if(c, ETH_P_IP);
	filter_ipv4(c, p);
	end_if(c, begin);
	begin = begin_if(c, ETH_P_IPV6);
	filter_ipv6(c, p);
	end_if(c, begin);
	drop_all(c);
}

static void filter_address(struct code *c, const unsigned char *mac)
{
	emit(c, BPF_LD | BPF_B | BPF_ABS, 0, 0, 0);
	emit(c, BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1);
	accept_all(c);
	emit(c, BPF_LD | BPF_W | BPF_ABS, 0, 0, 0);
	emit(c, BPF_JMP | BPF_JEQ | BPF_K,
	     (uint32_t)mac[0] << 24 | mac[1] << 16 | mac[2] << 8 | mac[3], 1,
	     0);
	drop_all(c);
	emit(c, BPF_LD | BPF_H | BPF_ABS, 4, 0, 0);
	accept_if(c, mac[4] << 8 | mac[5]);
	drop_all(c);
}

int lkl_raw_filter(int fd, const struct raw_ports *p, bool cooked,
		   const unsigned char *mac)
{
	struct code c = { .len = 0 };
	struct sock_fprog prog;

	/* What the host sends; and VLANs, whose tag is not in the frame. */
	emit(&c, BPF_LD | BPF_B | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE, 0, 0);
	drop_if(&c, PACKET_OUTGOING);
	emit(&c, BPF_LD | BPF_B | BPF_ABS, SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT,
	     0, 0);
	emit(&c, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	drop_all(&c);
	if (p->count)
		filter_ports(&c, p, cooked);
	else
		filter_address(&c, mac);
	prog = (struct sock_fprog){ c.len, c.insns };
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog))
		       ? -errno
		       : 0;
}
