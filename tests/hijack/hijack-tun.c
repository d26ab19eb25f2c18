// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/net/tun is the library's: what a program reads there is what its network
 * sends into the device, as tunnels of programs need it.
 */
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "hijack.h"

unsigned int if_nametoindex(const char *name);

static int open_tun(char *name)
{
	struct ifreq req = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	struct sockaddr_in *addr = (void *)&req.ifr_addr;
	int tun = SYS(open("/dev/net/tun", O_RDWR)), s;

	SYS(ioctl(tun, TUNSETIFF, &req));
	strcpy(name, req.ifr_name);
	CHECK(if_nametoindex(name) > 0);
	s = SYS(socket(AF_INET, SOCK_DGRAM, 0));
	addr->sin_family = AF_INET;
	addr->sin_port = 0;
	addr->sin_addr.s_addr = inet_addr("10.77.0.1");
	SYS(ioctl(s, SIOCSIFADDR, &req));
	addr->sin_addr.s_addr = inet_addr("255.255.255.0");
	SYS(ioctl(s, SIOCSIFNETMASK, &req));
	SYS(ioctl(s, SIOCGIFFLAGS, &req));
	req.ifr_flags |= IFF_UP;
	SYS(ioctl(s, SIOCSIFFLAGS, &req));
	SYS(close(s));
	return tun;
}

/* Send what was received back to where it came from. */
static void turn(unsigned char *packet)
{
	struct iphdr *ip = (void *)packet;
	struct udphdr *udp = (void *)(packet + ip->ihl * 4);
	unsigned int addr = ip->saddr;
	unsigned short port = udp->source;

	ip->saddr = ip->daddr;
	ip->daddr = addr;
	udp->source = udp->dest;
	udp->dest = port;
	/* None is needed; that of the header has not changed. */
	udp->check = 0;
}

static void packets(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(7) };
	struct epoll_event ev = { .events = EPOLLIN };
	unsigned char packet[2000];
	char name[IFNAMSIZ], text[16] = "";
	struct pollfd fd;
	int tun = open_tun(name), s, ep;
	long n;

	s = SYS(socket(AF_INET, SOCK_DGRAM, 0));
	fd = (struct pollfd){ tun, POLLIN, 0 };
	ep = SYS(epoll_create1(0));
	SYS(epoll_ctl(ep, EPOLL_CTL_ADD, tun, &ev));
	to.sin_addr.s_addr = inet_addr("10.77.0.2");
	EQ(sendto(s, "hello", 5, 0, (void *)&to, sizeof(to)), 5);
	/* What the network says of itself comes there, too. */
	do {
		EQ(poll(&fd, 1, -1), 1);
		EQ(epoll_wait(ep, &ev, 1, -1), 1);
		n = SYS(read(tun, packet, sizeof(packet)));
	} while (packet[0] >> 4 != 4);
	EQ(n, 20 + 8 + 5);
	turn(packet);
	EQ(write(tun, packet, n), n);
	EQ(recv(s, text, sizeof(text), 0), 5);
	EQ(strcmp(text, "hello"), 0);
	SYS(close(tun));
	CHECK(!if_nametoindex(name));
}

static const struct check tests[] = {
	{ "packets", packets },
};

HIJACK_MAIN(tests)
