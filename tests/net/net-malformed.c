// SPDX-License-Identifier: GPL-2.0-only
/*
 * Malformed frames on every wire, 100,000 on each: mutations of frames of many
 * protocols, most with checksums that are right again, so that they get far.
 * The same on each run.  The library must not crash, warn, leak, or stop
 * receiving and sending.
 *
 * What comes from the wire "user" was made by libslirp, so there the frames
 * come in datagrams and are taken out of them at the boundary; and libslirp
 * gets as many from the library.
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <glob.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "netlab.h"

#define FRAMES 100000
/* Between two proofs of life. */
#define BURST 100
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

static uint32_t rnd(uint32_t limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 32) % limit;
}

static int unhex(unsigned char *to, const char *hex)
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

static void put16(unsigned char *p, unsigned int v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static uint32_t sum(uint32_t start, const unsigned char *p, int len)
{
	for (; len > 1; p += 2, len -= 2)
		start += p[0] << 8 | p[1];
	return len ? start + (p[0] << 8) : start;
}

static unsigned int fold(uint32_t v)
{
	while (v >> 16)
		v = (v & 0xffff) + (v >> 16);
	return ~v & 0xffff;
}

/* Have the checksums be right, if they are where they should be. */
static void seal(unsigned char *f, int len)
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
static int make(unsigned char *f, int family, int protocol,
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

static int mutate(unsigned char *f, int len)
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

/**
 * struct far_end - where frames are put onto the wire
 * @fd: descriptor
 * @prefix: bytes of the length before each
 * @vnet: they have a vnet header
 * @cooked: they have no Ethernet header
 * @wrapped: they go as datagrams to port 7 of 10.0.2.15
 */
struct far_end {
	int fd;
	int prefix;
	bool vnet;
	bool cooked;
	bool wrapped;
};

static void inject(const struct far_end *to, const unsigned char *f, int len,
		   bool sound)
{
	static unsigned char buf[MAX_FRAME + 100];
	int n = to->prefix;

	if (to->vnet) {
		struct virtio_net_hdr_v1 h = { 0 };

		if (!sound && !rnd(3)) {
			h.flags = rnd(4);
			h.gso_type = (unsigned char[]){
				0, 1, 3, 4, 5, 0x81
			}[rnd(6)];
			h.hdr_len = rnd(120);
			h.gso_size = rnd(1500);
			h.csum_start = rnd(80);
			h.csum_offset = rnd(30);
		}
		memcpy(buf + n, &h, sizeof(h));
		n += sizeof(h);
	}
	if (to->cooked) {
		f += ETH;
		len -= ETH;
	}
	memcpy(buf + n, f, len);
	n += len;
	/* Behind a longer one vde_plug does not find the next. */
	if (to->prefix == 2 && n > 1500)
		return;
	if (to->prefix == 2)
		put16(buf, n - 2);
	else if (to->prefix == 4)
		put16(buf, 0), put16(buf + 2, n - 4);
	/* What the host does not take, like frames too long, does not count. */
	if (write(to->fd, buf, n) < 0 && sound)
		CHECK(errno == ENOBUFS || errno == EAGAIN);
}

/* What the library sends must not fill the wire. */
static void *drain(void *fd)
{
	static char buf[65536];

	while (read((long)fd, buf, sizeof(buf)) > 0)
		;
	return NULL;
}

static volatile uint32_t seen;

/* In the library: hear proofs of life and answer them. */
static void *witness(void *unused)
{
	int fd = sock_bound("0.0.0.0", 7, LKL_SOCK_DGRAM, 0), len;
	const struct lkl_sockaddr *to = sock_addr("10.1.0.1", 9, &len);
	char buf[100];

	(void)unused;
	for (;;) {
		long n = lkl_sys_recv(fd, buf, sizeof(buf), 0);

		if (n == -LKL_ESHUTDOWN)
			return NULL;
		if (n != 12 || memcmp(buf, "probe 42", 8))
			continue;
		OK(lkl_sys_sendto(fd, buf, n, 0, (struct lkl_sockaddr *)to,
				  len));
		memcpy((void *)&seen, buf + 8, 4);
	}
}

static void prove(const struct far_end *to, uint32_t number)
{
	unsigned char payload[20], f[100];
	int len;

	unhex(payload, "0009 0007 0014 0000");
	memcpy(payload + 8, "probe 42", 8);
	memcpy(payload + 16, &number, 4);
	len = make(f, 4, 17, payload, sizeof(payload));
	for (int i = 0; seen != number; i++) {
		if (i == 100)
			FAIL("nothing arrives any more after %u frames",
			     number * BURST);
		inject(to, f, len, true);
		for (int k = 0; k < 1000 && seen != number; k++)
			if (k < 200)
				sched_yield();
			else
				usleep(100);
	}
}

static long file_number(const char *path, const char *key)
{
	char text[4096] = "";
	int fd = OK(lkl_sys_open(path, LKL_O_RDONLY, 0));
	char *at;

	OK(lkl_sys_read(fd, text, sizeof(text) - 1));
	lkl_sys_close(fd);
	at = strstr(text, key);
	CHECK(at);
	return atol(at + strlen(key));
}

static void attack(struct lkl_netdev *nd, const struct far_end *to)
{
	struct lkl_netdev_args args = { .mac = (void *)there,
					.offload = nd ? nd->offload : 0 };
	static unsigned char f[MAX_FRAME], payload[1000];
	unsigned int number = 0;
	int id, ifindex, listener;
	long before = 0, after, received;
	pthread_t thread;

	CHECK(nd);
	lkl_host_ops.print = getenv("V") ? lkl_host_ops.print : NULL;
	OK(lkl_init(&lkl_host_ops));
	id = OK(lkl_netdev_add(nd, &args));
	OK(lkl_start_kernel("mem=64M"));
	ifindex = OK(lkl_netdev_get_ifindex(id));
	OK(lkl_mount_fs("proc"));
	OK(lkl_mount_fs("sysfs"));
	EQ(lkl_sysctl("net.ipv6.conf.all.accept_dad", "0"), 0);
	EQ(lkl_sysctl("net.ipv6.conf.eth0.accept_dad", "0"), 0);
	/* What waits for the rest of its packet is no leak. */
	lkl_sysctl_parse_write("net.ipv4.ipfrag_low_thresh=200000;"
			       "net.ipv4.ipfrag_high_thresh=300000;"
			       "net.ipv6.ip6frag_low_thresh=200000;"
			       "net.ipv6.ip6frag_high_thresh=300000");
	EQ(lkl_if_up(ifindex), 0);
	EQ(lkl_if_set_ipv4(ifindex, ip4("10.1.0.2"), 24), 0);
	EQ(lkl_if_add_ip(ifindex, LKL_AF_INET6, ip6("fd01::2"), 64), 0);
	if (to->wrapped)
		EQ(lkl_if_set_ipv4(ifindex, ip4("10.0.2.15"), 24), 0);
	if (!to->cooked)
		EQ(lkl_add_neighbor(ifindex, LKL_AF_INET,
				    &(uint32_t){ ip4("10.1.0.1") },
				    (void *)here),
		   0);
	listener = sock_bound("0.0.0.0", 9, LKL_SOCK_STREAM, 0);
	OK(lkl_sys_listen(listener, 100));
	thread = start(witness, NULL);
	for (int pass = 0; pass < 2; pass++) {
		state = 20261121;
		for (int i = 0; i < FRAMES / 2; i++) {
			int n = rnd(ARRAY_SIZE(corpus));
			int len = unhex(payload, corpus[n].payload);

			if (i % BURST == 0)
				prove(to, ++number);
			len = make(f, corpus[n].family, corpus[n].protocol,
				   payload, len);
			inject(to, f, mutate(f, len), false);
		}
		prove(to, ++number);
		after = file_number("/proc/meminfo", "MemFree:");
		if (!pass)
			before = after;
	}
	received =
		file_number("/sysfs/class/net/eth0/statistics/rx_packets", "");
	printf("%ld frames arrived; %ld KiB free, then %ld\n", received, before,
	       after);
	fflush(stdout);
	/* Some are too long for the wire; a cooked one has a filter. */
	CHECK(received > (to->cooked ? FRAMES / 20 : FRAMES * 8 / 10));
	CHECK(after > before - 3000);
	EQ(file_number("/proc/sys/kernel/tainted", ""), 0);
	EQ(lkl_sys_halt(), 0);
	pthread_join(thread, NULL);
	lkl_netdev_free(nd);
	lkl_cleanup();
}

static bool may(void)
{
	if (host_namespace() && !unshare(CLONE_NEWNS) &&
	    !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	    !mount("sys", "/sys", "sysfs", 0, NULL))
		return true;
	printf("(no namespaces or taps here)\n");
	return false;
}

static void host(const char *command)
{
	EQ(system(command), 0);
}

/* A packet socket at an interface of the host, which is silent itself. */
static struct far_end at_interface(const char *name)
{
	struct sockaddr_ll addr = { .sll_family = AF_PACKET,
				    .sll_ifindex = if_nametoindex(name) };
	struct far_end end = { .fd = socket(AF_PACKET, SOCK_RAW, 0) };
	char command[100];

	snprintf(command, sizeof(command),
		 "ip link set %s addrgenmode none mtu 9000 up", name);
	host(command);
	EQ(bind(end.fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return end;
}

static void tap(void)
{
	struct lkl_netdev *nd;
	struct far_end end;

	if (!may())
		return;
	nd = lkl_netdev_tap_create("bad0", 0xd983);
	end = at_interface("bad0");
	attack(nd, &end);
}

static void veth(void)
{
	host("ip link add bad0 type veth peer name bad1 && "
	     "ip link set bad1 addrgenmode none mtu 9000 up");
}

static void raw(void)
{
	struct far_end end;

	if (!may())
		return;
	veth();
	end = at_interface("bad0");
	attack(lkl_netdev_raw_create("bad1"), &end);
}

static void macvtap(void)
{
	struct stat st = { 0 };
	struct far_end end;
	unsigned int major, minor;
	glob_t found;
	FILE *dev;

	if (!may())
		return;
	veth();
	if (system("ip link add link bad1 name bad2 type macvtap mode passthru "
		   "2>/dev/null")) {
		printf("(no macvtap here)\n");
		return;
	}
	host("ip link set bad2 addrgenmode none mtu 9000 up");
	EQ(glob("/sys/class/net/bad2/tap*/dev", 0, NULL, &found), 0);
	dev = fopen(found.gl_pathv[0], "r");
	CHECK(dev && fscanf(dev, "%u:%u", &major, &minor) == 2);
	if (mknod("bad2", S_IFCHR | 0600, makedev(major, minor))) {
		printf("(no devices without root)\n");
		return;
	}
	EQ(stat("bad2", &st), 0);
	end = at_interface("bad0");
	attack(lkl_netdev_macvtap_create("bad2", 0xd983), &end);
	unlink("bad2");
}

static void cooked(void)
{
	struct ifreq ifr = { .ifr_name = "bad0",
			     .ifr_flags = IFF_TUN | IFF_NO_PI };
	struct far_end end = { .cooked = true };

	if (!may())
		return;
	end.fd = open("/dev/net/tun", O_RDWR);
	EQ(ioctl(end.fd, TUNSETIFF, &ifr), 0);
	host("ip link set bad0 addrgenmode none up");
	start(drain, (void *)(long)end.fd);
	attack(lkl_netdev_raw_create("bad0,7,9,4789,51820"), &end);
}

static void fifos(const char *name, int offload)
{
	struct far_end end = { .prefix = 4, .vnet = offload };
	int back;

	EQ(mkfifo("bad-in", 0600), 0);
	EQ(mkfifo("bad-out", 0600), 0);
	end.fd = open("bad-in", O_RDWR);
	back = open("bad-out", O_RDWR);
	CHECK(end.fd >= 0 && back >= 0);
	start(drain, (void *)(long)back);
	attack(lkl_netdev_pipe_create(name, offload), &end);
	unlink("bad-in");
	unlink("bad-out");
}

static void pipes(void)
{
	fifos("bad-in|bad-out", 0);
}

static void pipes_offload(void)
{
	fifos("bad-in|bad-out", 0xd983);
}

static void pair(int type, int offload)
{
	struct far_end end = { .prefix = type == SOCK_STREAM ? 4 : 0,
			       .vnet = offload };
	int fd[2];

	EQ(socketpair(AF_UNIX, type, 0, fd), 0);
	end.fd = fd[0];
	start(drain, (void *)(long)fd[0]);
	attack(lkl_netdev_fd_create(fd[1], offload), &end);
}

static void fd(void)
{
	pair(SOCK_DGRAM, 0);
}

static void fd_offload(void)
{
	pair(SOCK_DGRAM, 0xd983);
}

/* Without buffers that can be merged. */
static void fd_big(void)
{
	pair(SOCK_SEQPACKET, 0x5983);
}

static void fd_stream(void)
{
	pair(SOCK_STREAM, 0xd983);
}

/* Both programs end with their standard input. */
static void vde(void)
{
	struct far_end end = { .prefix = 2 };
	FILE *hub, *plug;

	if (system("command -v vde_switch vde_plug >/dev/null")) {
		printf("(no vde2 here)\n");
		return;
	}
	hub = popen("exec vde_switch -s $PWD/bad-switch >/dev/null", "w");
	CHECK(hub);
	for (int i = 0; access("bad-switch/ctl", F_OK) && i < 100; i++)
		msleep(20);
	plug = popen("exec vde_plug $PWD/bad-switch >/dev/null", "w");
	CHECK(plug);
	end.fd = fileno(plug);
	attack(lkl_netdev_vde_create("bad-switch"), &end);
	pclose(plug);
	pclose(hub);
}

/* The wire "user", but for datagrams from the host, which contain frames. */
static struct lkl_dev_net_ops *user_ops;

#define DATAGRAM (ETH + 20 + 8)

static int unwrap(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	static unsigned char buf[1 << 16], *from;
	struct iovec all = { buf, sizeof(buf) };
	long len = user_ops->rx(nd, &all, 1), left;

	if (len < 0)
		return len;
	from = buf;
	if (len > DATAGRAM + ETH && buf[12] == 8 && buf[ETH + 9] == 17 &&
	    !memcmp(buf + ETH + 12, "\12\0\2\2\12\0\2\17", 8) &&
	    buf[ETH + 23] == 7) {
		from += DATAGRAM;
		len -= DATAGRAM;
	}
	for (left = len; left && cnt; iov++, cnt--) {
		long n = left < (long)iov->iov_len ? left : (long)iov->iov_len;

		memcpy(iov->iov_base, from, n);
		from += n;
		left -= n;
	}
	return len;
}

/* A socket of the host's; its port. */
static int host_socket(int *fd)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);

	*fd = socket(AF_INET, SOCK_DGRAM, 0);
	EQ(bind(*fd, (struct sockaddr *)&addr, len), 0);
	EQ(getsockname(*fd, (struct sockaddr *)&addr, &len), 0);
	return ntohs(addr.sin_port);
}

static void user(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct far_end end = { .wrapped = true };
	struct lkl_dev_net_ops ops;
	struct lkl_netdev *nd;
	char param[20];
	int port;

	if (!may())
		return;
	host("ip link set lo up");
	port = host_socket(&end.fd);
	close(end.fd);
	snprintf(param, sizeof(param), "udp:%d:7", port);
	nd = lkl_netdev_user_create(param);
	CHECK(nd);
	user_ops = nd->ops;
	ops = *user_ops;
	ops.rx = unwrap;
	nd->ops = &ops;
	host_socket(&end.fd);
	addr.sin_port = htons(port);
	EQ(connect(end.fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	attack(nd, &end);
}

static void *echo(void *fd)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char buf[100];
	long n;

	while ((n = recvfrom((long)fd, buf, sizeof(buf), 0,
			     (struct sockaddr *)&from, &len)) >= 0)
		sendto((long)fd, buf, n, 0, (struct sockaddr *)&from, len);
	return NULL;
}

/* What the library sends to libslirp does it no harm. */
static void user_out(void)
{
	struct lkl_netdev_args args = { .mac = (void *)there };
	struct lkl_sockaddr_ll eth = { .sll_family = LKL_AF_PACKET };
	static unsigned char f[MAX_FRAME], payload[1000];
	const struct lkl_sockaddr *to;
	int id, out, host_fd, port, len, in, err = dup(STDERR_FILENO);
	struct lkl_netdev *nd;

	if (!may())
		return;
	host("ip link set lo up");
	port = host_socket(&host_fd);
	start(echo, (void *)(long)host_fd);
	nd = lkl_netdev_user_create(NULL);
	CHECK(nd);
	lkl_host_ops.print = NULL;
	OK(lkl_init(&lkl_host_ops));
	id = OK(lkl_netdev_add(nd, &args));
	OK(lkl_start_kernel("mem=64M"));
	eth.sll_ifindex = OK(lkl_netdev_get_ifindex(id));
	EQ(lkl_if_up(eth.sll_ifindex), 0);
	EQ(lkl_if_set_ipv4(eth.sll_ifindex, ip4("10.0.2.15"), 24), 0);
	out = OK(lkl_sys_socket(LKL_AF_PACKET, LKL_SOCK_RAW, 0));
	OK(lkl_sys_bind(out, (struct lkl_sockaddr *)&eth, sizeof(eth)));
	to = sock_addr("10.0.2.2", port, &len);
	in = sock_open("10.0.2.2", LKL_SOCK_DGRAM, 0);
	OK(lkl_sys_connect(in, (struct lkl_sockaddr *)to, len));
	/* libslirp says much. */
	CHECK(freopen("/dev/null", "w", stderr));
	state = 20261121;
	for (int i = 0; i < FRAMES; i++) {
		int n = rnd(ARRAY_SIZE(corpus));

		len = unhex(payload, corpus[n].payload);
		len = make(f, corpus[n].family, corpus[n].protocol, payload,
			   len);
		memcpy(f, "\x52\x55\12\0\2\2", 6);
		memcpy(f + 6, there, 6);
		if (corpus[n].family == 4) {
			memcpy(f + ETH + 12, "\12\0\2\17\12\0\2", 7);
			f[ETH + 19] = 2 + rnd(3);
			seal(f, len);
		}
		len = mutate(f, len);
		lkl_sys_send(out, f, len, 0);
		for (int tries = 0; i % BURST == 0; tries++) {
			struct lkl_pollfd pfd = { in, LKL_POLLIN, 0 };

			if (tries == 1000) {
				dup2(err, STDERR_FILENO);
				FAIL("no echo any more after %d frames", i);
			}
			lkl_sys_send(in, &i, sizeof(i), 0);
			if (lkl_sys_poll(&pfd, 1, 100) == 1 &&
			    lkl_sys_recv(in, payload, sizeof(payload), 0) ==
				    sizeof(i) &&
			    !memcmp(payload, &i, sizeof(i)))
				break;
		}
	}
	EQ(lkl_sys_halt(), 0);
	lkl_netdev_free(nd);
}

static const struct check tests[] = {
	{ "user", user },	{ "user_out", user_out },
	{ "tap", tap },		{ "raw", raw },
	{ "macvtap", macvtap }, { "cooked", cooked },
	{ "pipes", pipes },	{ "pipes_offload", pipes_offload },
	{ "fd", fd },		{ "fd_offload", fd_offload },
	{ "fd_big", fd_big },	{ "fd_stream", fd_stream },
	{ "vde", vde },
};

CHECK_MAIN(tests)
