// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a call is about says which kernel it goes to: netlink by its protocol,
 * ioctl() by the descriptor.
 */
#include <linux/can.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <sys/ioctl.h>

#include "hijack.h"

static bool is_library(int fd)
{
	char path[64], link[64], *at;
	unsigned long ino;
	char line[256];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	link[SYS(readlink(path, link, sizeof(link) - 1))] = 0;
	EQ(sscanf(link, "socket:[%lu]", &ino), 1);
	/* The file is the library's. */
	file = fopen("/proc/net/netlink", "r");
	CHECK(file);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		while (*line && line[strlen(line) - 1] == ' ')
			line[strlen(line) - 1] = 0;
		at = strrchr(line, ' ');
		found |= at && strtoul(at, NULL, 10) == ino;
	}
	fclose(file);
	return found;
}

static void netlink(void)
{
	static const int library[] = { NETLINK_ROUTE, NETLINK_SOCK_DIAG,
				       NETLINK_XFRM, NETLINK_NETFILTER,
				       NETLINK_GENERIC };
	static const int host[] = { NETLINK_KOBJECT_UEVENT, NETLINK_AUDIT,
				    NETLINK_SELINUX, NETLINK_CONNECTOR,
				    NETLINK_USERSOCK };
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int fd;

	for (unsigned int i = 0; i < ARRAY_SIZE(library); i++) {
		fd = SYS(socket(AF_NETLINK, SOCK_RAW, library[i]));
		SYS(bind(fd, (void *)&addr, sizeof(addr)));
		if (!is_library(fd))
			FAIL("protocol %d is the host's", library[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(host); i++) {
		/* The host need not have it. */
		fd = socket(AF_NETLINK, SOCK_RAW, host[i]);
		if (fd >= 0 && !bind(fd, (void *)&addr, sizeof(addr)) &&
		    is_library(fd))
			FAIL("protocol %d is the library's", host[i]);
	}
	fd = SYS(socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT));
	CHECK(!is_library(fd));
}

static void ioctls(void)
{
	struct ifreq req = { .ifr_name = "lo" };
	int null = SYS(open("/dev/null", O_RDWR)), fd, pair[2];

	FAILS(ioctl(null, SIOCGIFINDEX, &req), ENOTTY);
	FAILS(ioctl(-1, SIOCGIFINDEX, &req), EBADF);
	FAILS(ioctl(999, SIOCGIFINDEX, &req), EBADF);
	SYS(pipe(pair));
	FAILS(ioctl(pair[0], SIOCGIFFLAGS, &req), ENOTTY);
	/* An inet socket asks about interfaces, and so may one of AF_UNIX. */
	fd = SYS(socket(AF_INET, SOCK_DGRAM, 0));
	SYS(ioctl(fd, SIOCGIFINDEX, &req));
	EQ(req.ifr_ifindex, if_nametoindex("lo"));
	fd = SYS(socket(AF_UNIX, SOCK_DGRAM, 0));
	strcpy(req.ifr_name, "lo");
	SYS(ioctl(fd, SIOCGIFINDEX, &req));
	/* What is its protocol's own is the host's: SIOCUNIXFILE. */
	EQ(ioctl(fd, SIOCPROTOPRIVATE, 0), -1);
	EQ(errno, ENOENT);
	strcpy(req.ifr_name, "nothing0");
	FAILS(ioctl(fd, SIOCGIFINDEX, &req), ENODEV);
	/* A family that asks about interfaces of its own */
	fd = socket(AF_CAN, SOCK_RAW, CAN_RAW);
	strcpy(req.ifr_name, "lo");
	if (fd >= 0)
		SYS(ioctl(fd, SIOCGIFINDEX, &req));
}

/* Families of the network are never the host's. */
static void families(void)
{
	static const int network[] = { AF_INET,	 AF_INET6, AF_PACKET, AF_KEY,
				       AF_PPPOX, AF_LLC,   AF_TIPC,   AF_RXRPC,
				       AF_SMC,	 AF_XDP };

	struct ifreq lo = { .ifr_name = "lo", .ifr_qlen = 1234 };

	/* By which to know the library's. */
	SYS(ioctl(SYS(socket(AF_INET, SOCK_DGRAM, 0)), SIOCSIFTXQLEN, &lo));
	for (unsigned int i = 0; i < ARRAY_SIZE(network); i++) {
		struct ifreq req = { .ifr_name = "lo" };
		int fd = socket(network[i], SOCK_RAW, htons(0x88b5));

		if (fd < 0)
			fd = socket(network[i], SOCK_DGRAM, 0);
		if (fd < 0)
			continue;
		SYS(ioctl(fd, SIOCGIFTXQLEN, &req));
		EQ(req.ifr_qlen, 1234);
		SYS(close(fd));
	}
}

static const struct check tests[] = {
	{ "netlink", netlink },
	{ "ioctls", ioctls },
	{ "families", families },
};

HIJACK_MAIN(tests)
