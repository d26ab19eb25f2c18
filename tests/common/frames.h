/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames of many protocols, and mutations of them, most with checksums that are
 * right again.  The same in each run.
 */
#ifndef TESTS_FRAMES_H
#define TESTS_FRAMES_H

#include <linux/if_ether.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define MAX_FRAME 20000
#define ETH 14

/*
 * The corpus.  A family of 0 means that the protocol is Ethernet's.
 */
#define INNER4                                                                 \
	"4500 0020 0000 0000 40 11 0000 0a010002 0a010001"                     \
	"0007 1234 000c 0000 61626364"
#define INNER6                                                                 \
	"60000000 000c 11 40 fd010000000000000000000000000002"                 \
	"fd010000000000000000000000000001 0007 1234 000c 0000 61626364"

static const struct {
	int family;
	int protocol;
	const char *payload;
} corpus[] = {
	/* UDP: plain, DHCP, VXLAN, GUE, L2TP, WireGuard */
	{ 4, 17, "1234 0007 0010 0000 6162636465666768" },
	{ 4, 17, "0043 0044 0014 0000 02010600 00000001 00000000" },
	{ 4, 17, "1234 12b5 0024 0000 08000000 00000100" INNER4 },
	{ 4, 17, "1234 170f 0024 0000 01000000" INNER4 },
	{ 4, 17, "1234 06a5 0010 0000 c802 0008 00000001" },
	{ 4, 17, "1234 ca6c 0010 0000 01000000 00000001" },
	/* TCP: SYN, with Fast Open and MPTCP, data, RST, urgent data */
	{ 4, 6,
	  "4000 0009 00000001 00000000 a002 ffff 0000 0000 020405b4 0402"
	  "080a 00000001 00000000 0103 0307" },
	{ 4, 6,
	  "4001 0009 00000001 00000000 a002 ffff 0000 0000 2202 1e0c 0081"
	  "0001020304050607 01010101" },
	{ 4, 6, "4000 0009 00000002 00000001 5018 ffff 0000 0000 6162636465" },
	{ 4, 6, "4000 0009 00000002 00000001 5014 ffff 0000 0000" },
	{ 4, 6, "4000 0009 00000002 00000001 5038 ffff 0000 0003 61626364" },
	/* ICMP: echo, fragmentation needed, redirect, time stamp */
	{ 4, 1, "08 00 0000 0001 0001 6162636465666768" },
	{ 4, 1, "03 04 0000 0000 0200" INNER4 },
	{ 4, 1, "05 01 0000 0a010001" INNER4 },
	{ 4, 1, "0d 00 0000 0001 0001 00000000 00000000 00000000" },
	/* IGMP, IPIP, SIT, GRE, ESP, AH, SCTP, UDP-Lite, DCCP */
	{ 4, 2, "11 64 0000 e0000001" },
	{ 4, 2, "22 00 0000 00000001 04000001 e0000005 0a010001" },
	{ 4, 4, INNER4 },
	{ 4, 41, INNER6 },
	{ 4, 47, "b000 0800 00000001 00000001 00000001" INNER4 },
	{ 4, 50, "00000001 00000001 6162636465666768 6162636465666768" },
	{ 4, 51,
	  "11 04 0000 00000001 00000001 616263646566676861626364" INNER4 },
	{ 4, 132,
	  "1234 0007 00000000 00000000 01000014 00000001 00010000 0001"
	  "0001 00000001" },
	{ 4, 136, "1234 0007 0008 0000 6162636465666768" },
	{ 4, 33, "1234 0007 05000000 00000000 00000001 00000000" },
	/* The same over IPv6, and its extension headers */
	{ 6, 17, "1234 0007 0010 0000 6162636465666768" },
	{ 6, 6,
	  "4000 0009 00000001 00000000 a002 ffff 0000 0000 020405b4 0402"
	  "080a 00000001 00000000 0103 0307" },
	{ 6, 0, "11 00 05 02 0000 0100 1234 0007 000c 0000 61626364" },
	{ 6, 43,
	  "11 02 00 01 00000000 fd010000000000000000000000000002"
	  "1234 0007 000c 0000 61626364" },
	{ 6, 43,
	  "11 02 04 00 00000000 fd010000000000000000000000000002"
	  "1234 0007 000c 0000 61626364" },
	{ 6, 44, "11 00 0001 00000001 1234 0007 0010 0000 6162636465666768" },
	{ 6, 60, "11 00 01 04 00000000 1234 0007 000c 0000 61626364" },
	{ 6, 51, "11 04 0000 00000001 00000001 616263646566676861626364" },
	{ 6, 4, INNER4 },
	{ 6, 41, INNER6 },
	/* ICMPv6: echo, too big, solicitations, advertisements, MLD, redirect
	 */
	{ 6, 58, "80 00 0000 0001 0001 6162636465666768" },
	{ 6, 58, "02 00 0000 00000500" INNER6 },
	{ 6, 58,
	  "87 00 0000 00000000 fd010000000000000000000000000002"
	  "0101 020000000001" },
	{ 6, 58,
	  "88 00 0000 60000000 fd010000000000000000000000000001"
	  "0201 020000000001" },
	{ 6, 58,
	  "86 00 0000 40 00 0708 00000000 00000000 0304 40c0 00000e10"
	  "00000e10 00000000 20010db8000000000000000000000000 0501 0000"
	  "00000578 1803 4000 00000e10 20010db8000100000000000000000000"
	  "1903 0000 00000e10 20010db8000000000000000000000001" },
	{ 6, 58, "85 00 0000 00000000 0101 020000000001" },
	{ 6, 58, "82 00 0000 0064 0000 00000000000000000000000000000000" },
	{ 6, 58,
	  "8f 00 0000 0000 0001 04000000"
	  "ff020000000000000000000000000005" },
	{ 6, 58,
	  "89 00 0000 00000000 fe800000000000000000000000000001"
	  "fd010000000000000000000000000001 0201 020000000001" },
	/* ARP, VLANs, MPLS, PPPoE, LLDP, spanning tree, EAPOL, PTP, LLC */
	{ 0, 0x0806,
	  "0001 0800 06 04 0001 020000000001 0a010001 000000000000"
	  "0a010002" },
	{ 0, 0x0806,
	  "0001 0800 06 04 0002 020000000001 0a010001 020000000002"
	  "0a010002" },
	{ 0, 0x8100, "0001 0800" INNER4 },
	{ 0, 0x88a8, "0001 8100 0002 86dd" INNER6 },
	{ 0, 0x8847, "00010140" INNER4 },
	{ 0, 0x8864, "1100 0001 0022 0021" INNER4 },
	{ 0, 0x88cc, "0207 04020000000001 0403 057731 0602 0078 0000" },
	{ 0, 0x888e, "0101 0000" },
	{ 0, 0x88f7, "0002 002c 00000000 00000000" },
	{ 0, 0x0026, "42 42 03 0000 00 00 00 8000020000000001 00000000" },
	{ 0, 0x000a, "aa aa 03 000000 0800 4500" },
};

static const unsigned char here[6] = { 2, 0, 0, 0, 0, 1 };
static const unsigned char there[6] = { 2, 0, 0, 0, 0, 2 };

static uint64_t state;

static inline uint32_t rnd(uint32_t limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 32) % limit;
}

static inline int unhex(unsigned char *to, const char *hex)
{
	int len = 0;

	for (; *hex; hex++) {
		unsigned int byte;

		if (*hex == ' ')
			continue;
		CHECK(sscanf(hex++, "%2x", &byte) == 1);
		to[len++] = byte;
	}
	return len;
}

static inline void put16(unsigned char *p, unsigned int v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static inline uint32_t sum(uint32_t start, const unsigned char *p, int len)
{
	for (; len > 1; p += 2, len -= 2)
		start += p[0] << 8 | p[1];
	return len ? start + (p[0] << 8) : start;
}

static inline unsigned int fold(uint32_t v)
{
	while (v >> 16)
		v = (v & 0xffff) + (v >> 16);
	return ~v & 0xffff;
}

/* Have the checksums be right, if they are where they should be. */
static inline void seal(unsigned char *f, int len)
{
	static const struct {
		int protocol, at;
	} where[] = { { 1, 2 }, { 2, 2 }, { 6, 16 }, { 17, 6 }, { 58, 2 } };
	int type = f[12] << 8 | f[13], head, protocol;
	unsigned char *ip = f + ETH;
	uint32_t pseudo = 0;

	len -= ETH;
	if (type == ETH_P_IP && len >= 20) {
		head = (ip[0] & 15) * 4;
		if (head < 20 || head > len)
			return;
		put16(ip + 10, 0);
		put16(ip + 10, fold(sum(0, ip, head)));
		protocol = ip[9];
		if (protocol > 2)
			pseudo = sum(protocol + len - head, ip + 12, 8);
	} else if (type == ETH_P_IPV6 && len >= 40) {
		head = 40;
		protocol = ip[6];
		pseudo = sum(protocol + len - head, ip + 8, 32);
	} else {
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(where); i++) {
		unsigned char *at = ip + head + where[i].at;

		if (where[i].protocol != protocol ||
		    head + where[i].at + 2 > len)
			continue;
		put16(at, 0);
		put16(at, fold(sum(pseudo, ip + head, len - head)));
	}
}

/* A sound frame; returns its length. */
static inline int make(unsigned char *f, int family, int protocol,
		       const unsigned char *payload, int len)
{
	unsigned char *ip = f + ETH;
	int head = family == 4 ? 20 : family == 6 ? 40 : 0;

	memcpy(f, there, 6);
	memcpy(f + 6, here, 6);
	put16(f + 12, protocol);
	if (family == 4) {
		put16(f + 12, ETH_P_IP);
		unhex(ip, "4500 0000 0000 0000 40 00 0000 0a010001 0a010002");
		put16(ip + 2, head + len);
		ip[9] = protocol;
	} else if (family == 6) {
		put16(f + 12, ETH_P_IPV6);
		unhex(ip, "60000000 0000 00 ff"
			  "fe800000000000000000000000000001"
			  "fd010000000000000000000000000002");
		put16(ip + 4, len);
		ip[6] = protocol;
	}
	memcpy(ip + head, payload, len);
	seal(f, ETH + head + len);
	return ETH + head + len;
}

static inline int mutate(unsigned char *f, int len)
{
	static const unsigned char extreme[] = { 0,   1,    4,	  5,   15,
						 127, 0x80, 0xfe, 0xff };

	for (int n = rnd(6); n; n--) {
		int at = rnd(len), other = rnd(len), piece;

		switch (rnd(9)) {
		case 0:
			f[at] ^= 1 << rnd(8);
			break;
		case 1:
			f[at] = rnd(256);
			break;
		case 2:
			f[at] = extreme[rnd(sizeof(extreme))];
			break;
		case 3:
			if (at > ETH)
				len = at;
			break;
		case 4:
			piece = rnd(rnd(20) ? 100 : MAX_FRAME - 1500);
			if (len + piece > MAX_FRAME)
				break;
			for (; piece; piece--, len++)
				f[len] = f[rnd(len)];
			break;
		case 5:
			piece = rnd(16);
			if (at + piece < len && other + piece < len)
				memmove(f + at, f + other, piece);
			break;
		case 6: /* fragments of few packets, that overlap */
			if (len < ETH + 40 || f[12] != 8)
				break;
			put16(f + ETH + 4, rnd(4));
			put16(f + ETH + 6, rnd(2) << 13 | rnd(12));
			break;
		case 7: /* groups and broadcast */
			memset(f, 0xff, 6);
			if (rnd(2))
				memcpy(f, "\x33\x33\0\0\0\1", 6);
			break;
		case 8: /* lengths as they are after all */
			if (len >= ETH + 20 && f[12] == 8)
				put16(f + ETH + 2, len - ETH);
			else if (len >= ETH + 40 && f[12] == 0x86)
				put16(f + ETH + 4, len - ETH - 40);
			break;
		}
	}
	/* A switch would take us for the library. */
	if (!memcmp(f + 6, there, 6))
		memcpy(f + 6, here, 6);
	if (rnd(4))
		seal(f, len);
	return len;
}

#endif /* TESTS_FRAMES_H */
