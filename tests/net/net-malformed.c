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
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <glob.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "frames.h"
#include "netlab.h"

#define FRAMES 100000
/* Between two proofs of life. */
#define BURST 100

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
