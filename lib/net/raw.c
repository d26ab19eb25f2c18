// SPDX-License-Identifier: GPL-2.0-only
/*
 * An interface of the host, beside the host's own stack, by a packet socket.
 *
 * With an Ethernet address of its own the library is another station there: a
 * filter lets pass what is for that address or for many, and the host does not
 * notice.
 *
 * Where there is but one station, the library shares the host's addresses, and
 * the two divide the ports: on interfaces without link-layer addresses (tun,
 * PPP, venet), and on others when ports are given.  The filter lets pass what
 * is for our ports, and a rule of nftables makes the host ignore just that, as
 * it would reset connections it does not know.  The rule stands in a table that
 * belongs to this process: the host removes it when the process ends, however
 * that happens.
 *
 * The host may hand over frames it has merged, or not computed the checksum of,
 * with a header that says so.  That is why the interface cannot do without
 * offloads.
 */
#include <errno.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>

#include "../../host/linux/linux.h"
#include "../../host/iov.h"
#include "../load.h"
#include "../net.h"
#include "raw.h"

/* Not in the headers of Debian 12. */
#ifndef PACKET_VNET_HDR_SZ
#define PACKET_VNET_HDR_SZ 24
#endif

#define VNET_HDR 12
#define SHORT_VNET_HDR 10
#define BUFFER (4 << 20)
/* Behind those that Linux chooses from by default. */
#define FIRST_PORT 61000
#define LAST_PORT 65535

/*
 * Small frames come in crowds: then the host is asked for several at a time, of
 * which the first goes where it belongs and the others are copied.
 */
#define BATCH 16
#define SMALL 2048

/*
 * @cooked: frames have no Ethernet header here
 * @gap: bytes by which the host's vnet header is shorter than ours
 * @ports: ports that are ours; none when the address is
 * @nft: context of libnftables that holds the table
 * @small: the last frame was
 * @staged: frames that have come with another one; the first has no place here
 * @lens: how long they are
 * @next: the one to hand out next
 * @end: behind the last one
 */
struct raw_wire {
	struct fd_wire fd;
	char name[IFNAMSIZ];
	bool cooked;
	unsigned int gap;
	struct raw_ports ports;
	void *nft;
	bool small;
	char (*staged)[FRAME_MAX];
	unsigned int lens[BATCH];
	unsigned int next;
	unsigned int end;
};

static struct {
	void *(*create)(uint32_t flags);
	void (*free)(void *ctx);
	int (*run)(void *ctx, const char *commands);
	int (*buffer_error)(void *ctx);
	const char *(*get_error)(void *ctx);
} nft;

void (*lkl_net_low_number)(void);

static const char *const nft_names[] = { "nft_ctx_new",
					 "nft_ctx_free",
					 "nft_run_cmd_from_buffer",
					 "nft_ctx_buffer_error",
					 "nft_ctx_get_error_buffer",
					 NULL };

static struct raw_wire *to_raw(struct lkl_netdev *nd)
{
	return (struct raw_wire *)nd;
}

/*
 * The rule that keeps the host away from what is ours.
 */

static bool protect_ports(struct raw_wire *w, const char *wire)
{
	char ports[MAX_RANGES * 14] = "", command[1024], table[64];
	unsigned int i, n = 0;

	for (i = 0; i < w->ports.count; i++)
		n += snprintf(ports + n, sizeof(ports) - n, "%s%u-%u",
			      i ? ", " : "", w->ports.ranges[i].first,
			      w->ports.ranges[i].last);
	snprintf(table, sizeof(table), "lkl_%d_%d", getpid(), w->fd.ifindex);
	snprintf(command, sizeof(command),
		 "table netdev %s { flags owner; chain ours {"
		 " type filter hook ingress device \"%s\" priority 0;"
		 " meta l4proto { tcp, udp } th dport { %s } drop; }; }",
		 table, w->name, ports);
	/* It waits for its socket by select(). */
	if (lkl_net_low_number)
		lkl_net_low_number();
	w->nft = nft.create(0);
	if (!w->nft || nft.buffer_error(w->nft)) {
		lkl_message(wire, "libnftables cannot begin");
		return false;
	}
	if (nft.run(w->nft, command)) {
		const char *error = nft.get_error(w->nft);

		lkl_message(wire,
			    "no rule to keep the host from answering: "
			    "%.*s",
			    (int)strcspn(error, "\n"), error);
		return false;
	}
	lkl_message(wire,
		    "until this ends, the host ignores what comes for "
		    "TCP and UDP ports %s (nftables table %s)",
		    ports, table);
	return true;
}

/*
 * The wire.
 */

static int cooked_tx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	struct raw_wire *w = to_raw(nd);
	unsigned char version = *(unsigned char *)iov->iov_base >> 4;
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(version == 6 ? ETH_P_IPV6 : ETH_P_IP),
		.sll_ifindex = w->fd.ifindex,
	};
	struct msghdr msg = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = iov,
		.msg_iovlen = cnt,
	};
	long ret;

	if (version != 4 && version != 6)
		return 0;
	do
		ret = raw_syscall(__NR_sendmsg, w->fd.out, (long)&msg,
				  MSG_DONTWAIT, 0, 0, 0);
	while (ret == -EINTR);
	return ret == -EAGAIN ? -EAGAIN : 0;
}

static int raw_tx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	struct raw_wire *w = to_raw(nd);
	struct iovec parts[cnt + 1];
	long ret;

	if (w->cooked)
		return cooked_tx(nd, iov, cnt);
	if (!w->gap)
		return lkl_fd_tx(nd, iov, cnt);
	/* The header is in one piece, maybe with what follows. */
	memcpy(parts + 1, iov, cnt * sizeof(*iov));
	parts[0] = (struct iovec){ iov->iov_base, SHORT_VNET_HDR };
	parts[1].iov_base = (char *)iov->iov_base + VNET_HDR;
	parts[1].iov_len -= VNET_HDR;
	ret = lkl_fd_transfer(&w->fd, true, parts, cnt + 1);
	return ret == -EAGAIN ? -EAGAIN : 0;
}

static long receive_batch(struct raw_wire *w, struct iovec *iov, int cnt)
{
	struct mmsghdr msgs[BATCH] = { 0 };
	struct iovec stages[BATCH];
	long n;

	msgs[0].msg_hdr.msg_iov = iov;
	msgs[0].msg_hdr.msg_iovlen = cnt;
	for (unsigned int i = 1; i < BATCH; i++) {
		stages[i] = (struct iovec){ w->staged[i], FRAME_MAX };
		msgs[i].msg_hdr.msg_iov = &stages[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	do
		n = raw_syscall(__NR_recvmmsg, w->fd.in, (long)msgs, BATCH,
				MSG_DONTWAIT, 0, 0);
	while (n == -EINTR);
	if (n <= 0)
		return n;
	for (unsigned int i = 1; i < n; i++)
		w->lens[i] = msgs[i].msg_len;
	w->next = 1;
	w->end = n;
	return msgs[0].msg_len;
}

static long unstage(struct raw_wire *w, const struct iovec *iov, int cnt)
{
	const char *from = w->staged[w->next];
	size_t len = w->lens[w->next++];

	iov_put(iov, cnt, from, len);
	return len;
}

static long receive(struct raw_wire *w, struct iovec *iov, int cnt)
{
	long ret;

	if (w->next < w->end)
		return unstage(w, iov, cnt);
	if (w->small)
		ret = receive_batch(w, iov, cnt);
	else
		ret = lkl_fd_transfer(&w->fd, false, iov, cnt);
	w->small = ret < SMALL && (ret > 0 || w->small);
	return ret;
}

static int raw_rx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	struct raw_wire *w = to_raw(nd);
	struct iovec parts[cnt + 1];
	long ret;

	if (!w->gap) {
		ret = receive(w, iov, cnt);
	} else {
		memcpy(parts + 1, iov, cnt * sizeof(*iov));
		parts[0] = (struct iovec){ iov->iov_base, SHORT_VNET_HDR };
		parts[1].iov_base = (char *)iov->iov_base + VNET_HDR;
		parts[1].iov_len -= VNET_HDR;
		ret = receive(w, parts, cnt + 1);
		if (ret > 0)
			ret += w->gap;
	}
	/* The interface went down and may come up again. */
	return ret == -ENETDOWN ? 0 : ret;
}

/* Errors are the interface's, whose state the link follows. */
static int raw_poll(struct lkl_netdev *nd)
{
	struct raw_wire *w = to_raw(nd);
	int error, events = lkl_fd_poll(nd);
	socklen_t len = sizeof(error);

	if (events > 0 && events & LKL_DEV_NET_POLL_HUP &&
	    !getsockopt(w->fd.in, SOL_SOCKET, SO_ERROR, &error, &len) && error)
		events = LKL_DEV_NET_POLL_LINK | LKL_DEV_NET_POLL_RX |
			 LKL_DEV_NET_POLL_TX;
	return events;
}

/* Now it is known what is ours: let it in. */
static int raw_setup(struct lkl_netdev *nd, const unsigned char *mac,
		     unsigned int offload)
{
	struct raw_wire *w = to_raw(nd);
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = w->fd.ifindex,
	};
	struct packet_mreq promisc = {
		.mr_ifindex = w->fd.ifindex,
		.mr_type = PACKET_MR_PROMISC,
	};
	int ret = lkl_raw_filter(w->fd.in, &w->ports, w->cooked, mac);

	(void)offload;
	if (!ret && bind(w->fd.in, (struct sockaddr *)&addr, sizeof(addr)))
		ret = -errno;
	if (!ret && !w->ports.count &&
	    setsockopt(w->fd.in, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promisc,
		       sizeof(promisc)))
		ret = -errno;
	return ret;
}

static void raw_free(struct lkl_netdev *nd)
{
	struct raw_wire *w = to_raw(nd);

	if (w->nft)
		nft.free(w->nft);
	free(w->staged);
	lkl_fd_free(nd);
}

static struct lkl_dev_net_ops raw_ops = {
	.tx = raw_tx,
	.rx = raw_rx,
	.poll = raw_poll,
	.poll_hup = lkl_fd_poll_hup,
	.forked = lkl_fd_forked,
	.free = raw_free,
	.setup = raw_setup,
	.link = lkl_fd_link,
	.fd = lkl_fd_fd,
	.poll_rx = lkl_fd_poll_rx,
};

/* NAME[,PORT[-PORT]]... */
static bool parse(struct raw_wire *w, const char *wire, const char *param)
{
	size_t len = strcspn(param, ",");
	const char *p = param + len;

	if (!len || len >= sizeof(w->name)) {
		lkl_message(wire, "a name has 1 to %zu characters",
			    sizeof(w->name) - 1);
		return false;
	}
	memcpy(w->name, param, len);
	while (*p) {
		char *end;
		long first = strtol(p + 1, &end, 10), last = first;

		if (end != p + 1 && *end == '-') {
			const char *dash = end;

			last = strtol(dash + 1, &end, 10);
			if (end == dash + 1)
				last = 0;
		}
		if ((*end && *end != ',') || first < 1 || last < first ||
		    last > 65535 || w->ports.count == MAX_RANGES - 1) {
			lkl_message(wire, "not NAME,PORT,PORT-PORT,...");
			return false;
		}
		w->ports.ranges[w->ports.count++] =
			(struct raw_range){ first, last };
		p = end;
	}
	return true;
}

/* Has the interface Ethernet headers?  Returns -1 for what we cannot use. */
static int has_ethernet(unsigned short type)
{
	switch (type) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		return 1;
	case ARPHRD_NONE:
	case ARPHRD_VOID:
	case ARPHRD_PPP:
	case ARPHRD_RAWIP:
	case ARPHRD_SLIP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
		return 0;
	}
	return -1;
}

static bool set_options(struct raw_wire *w)
{
	int fd = w->fd.in, one = 1, size = VNET_HDR, buffer = BUFFER;

	/* More than an ordinary user may have, or what is there. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer));
	if (w->cooked)
		return true;
	if (!setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR_SZ, &size,
			sizeof(size)))
		return true;
	w->gap = VNET_HDR - SHORT_VNET_HDR;
	return !setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one));
}

static bool share(struct raw_wire *w, const char *wire, const void *mac)
{
	struct lkl_netdev *nd = &w->fd.nd;

	w->ports.ranges[w->ports.count++] =
		(struct raw_range){ FIRST_PORT, LAST_PORT };
	nd->ports[0] = FIRST_PORT;
	nd->ports[1] = LAST_PORT;
	if (!w->cooked)
		memcpy(nd->mac, mac, sizeof(nd->mac));
	return lkl_load(wire, "libnftables.so.1", "libnftables1", nft_names,
			(void **)&nft) &&
	       protect_ports(w, wire);
}

struct lkl_netdev *lkl_netdev_raw_create(const char *ifname)
{
	struct raw_wire parsed = { .ports.count = 0 }, *w;
	struct ifreq hw = { 0 }, mtu = { 0 };
	int fd, ethernet;
	char wire[64];

	snprintf(wire, sizeof(wire), "raw %s", ifname);
	if (!parse(&parsed, wire, ifname))
		return NULL;
	memcpy(hw.ifr_name, parsed.name, sizeof(parsed.name));
	mtu = hw;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		lkl_message(wire, "no packet socket: %s%s", strerror(errno),
			    errno == EPERM ? " (needs CAP_NET_RAW)" : "");
		return NULL;
	}
	if (ioctl(fd, SIOCGIFHWADDR, &hw) || ioctl(fd, SIOCGIFMTU, &mtu)) {
		lkl_message(wire, "%s", strerror(errno));
		close(fd);
		return NULL;
	}
	ethernet = has_ethernet(hw.ifr_hwaddr.sa_family);
	if (ethernet < 0) {
		lkl_message(wire, "link layer %u is not supported",
			    hw.ifr_hwaddr.sa_family);
		close(fd);
		return NULL;
	}
	if (!ethernet) {
		close(fd);
		fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	}
	w = lkl_fd_wire(sizeof(*w), &raw_ops, fd, fd);
	if (!w) {
		lkl_message(wire, "%s", strerror(errno));
		return NULL;
	}
	/* Memory that is not touched takes none. */
	w->staged = calloc(BATCH, FRAME_MAX);
	memcpy(w->name, parsed.name, sizeof(parsed.name));
	w->ports = parsed.ports;
	w->cooked = !ethernet;
	w->fd.nd.mtu = mtu.ifr_mtu < 65535 ? mtu.ifr_mtu : 65535;
	w->fd.nd.offload = OFFLOAD(CSUM) | OFFLOAD(HOST_TSO4) |
			   OFFLOAD(HOST_TSO6);
	if (w->cooked) {
		w->fd.nd.offload = 0;
		w->fd.nd.flags |= LKL_NETDEV_NOARP;
		w->fd.nd.needs = OFFLOAD(MRG_RXBUF);
	} else {
		w->fd.nd.has_vnet_hdr = 1;
		w->fd.nd.needs = OFFLOAD(GUEST_CSUM) | OFFLOAD(GUEST_TSO4) |
				 OFFLOAD(GUEST_TSO6) | OFFLOAD(GUEST_ECN) |
				 OFFLOAD(MRG_RXBUF);
	}
	if (!w->staged || !set_options(w) || !lkl_fd_follow(&w->fd, w->name)) {
		lkl_message(wire, "%s", strerror(errno));
		goto err;
	}
	if ((w->cooked || w->ports.count) &&
	    !share(w, wire, hw.ifr_hwaddr.sa_data))
		goto err;
	return &w->fd.nd;
err:
	raw_free(&w->fd.nd);
	return NULL;
}
