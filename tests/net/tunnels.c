// SPDX-License-Identifier: GPL-2.0-only
/*
 * Networks over networks in the library's kernel: VLANs, WireGuard, IPsec,
 * MPTCP, and capture; between two of its network namespaces, and with the host.
 */
#include <sys/prctl.h>

#include <lkl/linux/filter.h>
#include <lkl/linux/genetlink.h>
#include <lkl/linux/if_vlan.h>
#include <lkl/linux/mptcp.h>
#include <lkl/linux/mptcp_pm.h>
#include <lkl/linux/wireguard.h>
#include <lkl/linux/xfrm.h>

#include "netlab.h"

#define MB (1 << 20)

/* IP protocol of a frame, or 0. */
static int ip_protocol(const unsigned char *frame, long len)
{
	if (len < 54)
		return 0;
	if (frame[12] == 0x08 && frame[13] == 0x00)
		return frame[23];
	return frame[12] == 0x86 && frame[13] == 0xdd ? frame[20] : 0;
}

static int is_tcp(const unsigned char *frame, long len)
{
	return ip_protocol(frame, len) == LKL_IPPROTO_TCP;
}

static int is_udp(const unsigned char *frame, long len)
{
	return ip_protocol(frame, len) == LKL_IPPROTO_UDP;
}

static int is_esp(const unsigned char *frame, long len)
{
	return ip_protocol(frame, len) == LKL_IPPROTO_ESP;
}

/* A packet socket with a filter gets what it wants of what passes. */
static void capture(void)
{
	/* IPv4 to TCP port FLOW_PORT without the flag ACK: a SYN */
	static struct lkl_sock_filter code[] = {
		{ 0x28, 0, 0, 12 }, /* type */
		{ 0x15, 0, 5, LKL_ETH_P_IP },
		{ 0x28, 0, 0, 36 }, /* destination port */
		{ 0x15, 0, 3, FLOW_PORT },
		{ 0x30, 0, 0, 47 }, /* flags */
		{ 0x45, 1, 0, 0x10 },
		{ 0x06, 0, 0, 0xffff },
		{ 0x06, 0, 0, 0 },
	};
	struct lkl_sock_fprog prog = { ARRAY_SIZE(code), code };
	struct flow f = { .addr = "10.0.0.2", .bytes = MB };
	struct lab lab = lab_start();
	int all = sniff(lab.near), some = sniff(lab.near);

	OK(lkl_sys_setsockopt(some, LKL_SOL_SOCKET, LKL_SO_ATTACH_FILTER,
			      (void *)&prog, sizeof(prog)));
	flow(&lab, &f);
	EQ(sniffed(some, is_tcp), 1);
	CHECK(sniffed(all, is_tcp) > 20);
	halt();
}

static void put_vlan(struct nlmsghdr *nlh, const void *arg)
{
	mnl_attr_put_u16(nlh, LKL_IFLA_VLAN_ID, *(int *)arg);
}

/* An interface on top, at both ends. */
static void over(const struct lab *lab, const char *kind, int under,
		 void (*put)(struct nlmsghdr *, const void *), const void *arg,
		 int index[2])
{
	for (int end = 0; end < 2; end++) {
		char addr[20];

		ns_enter(end ? lab->there : lab->here);
		index[end] = link_add("over", kind,
				      under ? (end ? lab->far : lab->near) : 0,
				      put, arg);
		EQ(lkl_if_up(index[end]), 0);
		snprintf(addr, sizeof(addr), "10.9.0.%d", end + 1);
		EQ(lkl_if_set_ipv4(index[end], ip4(addr), 24), 0);
	}
	ns_enter(lab->here);
}

static void vlan(void)
{
	struct lab lab = lab_start();
	struct flow f = { .addr = "10.9.0.2", .bytes = MB };
	struct lkl_tpacket_auxdata aux;
	char control[100], frame[100];
	struct lkl_iovec iov = { frame, sizeof(frame) };
	struct lkl_user_msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int id = 42, fd, tagged = 0, index[2];

	over(&lab, "vlan", 1, put_vlan, &id, index);
	fd = sniff(lab.near);
	sock_int(fd, LKL_SOL_PACKET, LKL_PACKET_AUXDATA, 1);
	flow(&lab, &f);
	for (;;) {
		struct lkl_cmsghdr *cmsg = (struct lkl_cmsghdr *)control;

		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		if (lkl_sys_recvmsg(fd, &msg, 0) < 0)
			break;
		CHECK(msg.msg_controllen >= sizeof(*cmsg) + sizeof(aux));
		memcpy(&aux, cmsg + 1, sizeof(aux));
		if (frame[12] == 0x08 && frame[13] == 0x00) {
			CHECK(aux.tp_status & LKL_TP_STATUS_VLAN_VALID);
			EQ(aux.tp_vlan_tci, id);
			tagged++;
		}
	}
	CHECK(tagged > 20);
	halt();
}

/* Generic netlink: a command of a family. */
static struct nlmsghdr *genl(int family, int command, int version, int flags)
{
	struct lkl_genlmsghdr head = { .cmd = command, .version = version };

	return nl_request(family, flags, &head, sizeof(head));
}

static int store_family(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *attr;

	mnl_attr_for_each(
		attr, nlh,
		sizeof(struct lkl_genlmsghdr)) if (mnl_attr_get_type(attr) ==
						   LKL_CTRL_ATTR_FAMILY_ID) *
		(int *)arg = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static int genl_family(const char *name)
{
	struct nlmsghdr *nlh =
		genl(LKL_GENL_ID_CTRL, LKL_CTRL_CMD_GETFAMILY, 1, 0);
	int family = 0;

	mnl_attr_put_strz(nlh, LKL_CTRL_ATTR_FAMILY_NAME, name);
	OK(nl_talk(LKL_NETLINK_GENERIC, nlh, store_family, &family));
	return family;
}

static int store_key(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *attr;

	mnl_attr_for_each(
		attr, nlh,
		sizeof(struct lkl_genlmsghdr)) if (mnl_attr_get_type(attr) ==
						   LKL_WGDEVICE_A_PUBLIC_KEY)
		memcpy(arg, mnl_attr_get_payload(attr), LKL_WG_KEY_LEN);
	return MNL_CB_OK;
}

/* Give a device a private key; what becomes of it is the public one. */
static void wg_key(int family, int ifindex, unsigned char key[LKL_WG_KEY_LEN])
{
	struct nlmsghdr *nlh = genl(family, LKL_WG_CMD_SET_DEVICE, 1, 0);

	mnl_attr_put_u32(nlh, LKL_WGDEVICE_A_IFINDEX, ifindex);
	mnl_attr_put_u16(nlh, LKL_WGDEVICE_A_LISTEN_PORT, 51820);
	mnl_attr_put(nlh, LKL_WGDEVICE_A_PRIVATE_KEY, LKL_WG_KEY_LEN, key);
	OK(nl_talk(LKL_NETLINK_GENERIC, nlh, NULL, NULL));
	nlh = genl(family, LKL_WG_CMD_GET_DEVICE, 1, NLM_F_DUMP);
	mnl_attr_put_u32(nlh, LKL_WGDEVICE_A_IFINDEX, ifindex);
	OK(nl_talk(LKL_NETLINK_GENERIC, nlh, store_key, key));
}

/* A peer, which may have any address. */
static void wg_peer(int family, int ifindex,
		    const unsigned char key[LKL_WG_KEY_LEN], const char *addr)
{
	struct nlmsghdr *nlh = genl(family, LKL_WG_CMD_SET_DEVICE, 1, 0);
	struct nlattr *peers, *peer, *ips, *ip;
	int len;
	const void *endpoint = sock_addr(addr, 51820, &len);

	mnl_attr_put_u32(nlh, LKL_WGDEVICE_A_IFINDEX, ifindex);
	peers = mnl_attr_nest_start(nlh, LKL_WGDEVICE_A_PEERS);
	peer = mnl_attr_nest_start(nlh, 0);
	mnl_attr_put(nlh, LKL_WGPEER_A_PUBLIC_KEY, LKL_WG_KEY_LEN, key);
	mnl_attr_put(nlh, LKL_WGPEER_A_ENDPOINT, len, endpoint);
	ips = mnl_attr_nest_start(nlh, LKL_WGPEER_A_ALLOWEDIPS);
	ip = mnl_attr_nest_start(nlh, 0);
	mnl_attr_put_u16(nlh, LKL_WGALLOWEDIP_A_FAMILY, LKL_AF_INET);
	mnl_attr_put_u32(nlh, LKL_WGALLOWEDIP_A_IPADDR, 0);
	mnl_attr_put_u8(nlh, LKL_WGALLOWEDIP_A_CIDR_MASK, 0);
	mnl_attr_nest_end(nlh, ip);
	mnl_attr_nest_end(nlh, ips);
	mnl_attr_nest_end(nlh, peer);
	mnl_attr_nest_end(nlh, peers);
	OK(nl_talk(LKL_NETLINK_GENERIC, nlh, NULL, NULL));
}

static void wireguard(void)
{
	unsigned char key[2][LKL_WG_KEY_LEN];
	struct flow f = { .addr = "10.9.0.2", .bytes = MB };
	struct lab lab = lab_start();
	int family, index[2], fd;

	over(&lab, "wireguard", 0, NULL, NULL, index);
	family = genl_family(LKL_WG_GENL_NAME);
	for (int end = 0; end < 2; end++) {
		ns_enter(end ? lab.there : lab.here);
		memset(key[end], 0x40 + end, LKL_WG_KEY_LEN);
		wg_key(family, index[end], key[end]);
	}
	for (int end = 0; end < 2; end++) {
		ns_enter(end ? lab.there : lab.here);
		wg_peer(family, index[end], key[!end],
			end ? "10.0.0.1" : "10.0.0.2");
	}
	ns_enter(lab.here);
	fd = sniff(lab.near);
	flow(&lab, &f);
	CHECK(sniffed(fd, is_udp) > 20);
	/* Nothing can be read on the cable. */
	fd = sniff(lab.near);
	flow(&lab, &f);
	EQ(sniffed(fd, is_tcp), 0);
	halt();
}

/* A key for packets from 10.0.0.FROM to 10.0.0.TO. */
static void ipsec_state(int from, int to)
{
	struct lkl_xfrm_usersa_info sa = {
		.id = { .spi = htonl(0x1000 + from), .proto = LKL_IPPROTO_ESP },
		.lft = { -1, -1, -1, -1 },
		.reqid = 1,
		.family = LKL_AF_INET,
		.mode = LKL_XFRM_MODE_TRANSPORT,
		.replay_window = 32,
	};
	struct {
		struct lkl_xfrm_algo_aead alg;
		char key[20];
	} aead = { .alg = { "rfc4106(gcm(aes))", 160, 128 } };
	struct nlmsghdr *nlh;

	memset(aead.alg.alg_key, from, sizeof(aead.key));
	sa.saddr.a4 = htonl(0x0a000000 + from);
	sa.id.daddr.a4 = htonl(0x0a000000 + to);
	nlh = nl_request(LKL_XFRM_MSG_NEWSA, NLM_F_CREATE, &sa, sizeof(sa));
	mnl_attr_put(nlh, LKL_XFRMA_ALG_AEAD, sizeof(aead), &aead);
	OK(nl_talk(LKL_NETLINK_XFRM, nlh, NULL, NULL));
}

static void ipsec_policy(int from, int to, int dir)
{
	struct lkl_xfrm_userpolicy_info pol = {
		.sel = { .prefixlen_s = 32,
			 .prefixlen_d = 32,
			 .family = LKL_AF_INET },
		.lft = { -1, -1, -1, -1 },
		.dir = dir,
	};
	struct lkl_xfrm_user_tmpl tmpl = { .id = { .proto = LKL_IPPROTO_ESP },
					   .family = LKL_AF_INET,
					   .reqid = 1,
					   .mode = LKL_XFRM_MODE_TRANSPORT,
					   .aalgos = -1,
					   .ealgos = -1,
					   .calgos = -1 };
	struct nlmsghdr *nlh;

	pol.sel.saddr.a4 = htonl(0x0a000000 + from);
	pol.sel.daddr.a4 = htonl(0x0a000000 + to);
	nlh = nl_request(LKL_XFRM_MSG_NEWPOLICY, NLM_F_CREATE, &pol,
			 sizeof(pol));
	mnl_attr_put(nlh, LKL_XFRMA_TMPL, sizeof(tmpl), &tmpl);
	OK(nl_talk(LKL_NETLINK_XFRM, nlh, NULL, NULL));
}

static void ipsec(void)
{
	struct flow f = { .addr = "10.0.0.2", .bytes = MB };
	struct lab lab = lab_start();
	int fd;

	for (int end = 1; end <= 2; end++) {
		ns_enter(end == 1 ? lab.here : lab.there);
		ipsec_state(1, 2);
		ipsec_state(2, 1);
		ipsec_policy(end, 3 - end, LKL_XFRM_POLICY_OUT);
		ipsec_policy(3 - end, end, LKL_XFRM_POLICY_IN);
	}
	ns_enter(lab.here);
	fd = sniff(lab.near);
	flow(&lab, &f);
	CHECK(sniffed(fd, is_esp) > 20);
	/* Nothing goes in the clear. */
	fd = sniff(lab.near);
	flow(&lab, &f);
	EQ(sniffed(fd, is_tcp), 0);
	halt();
}

/* Two addresses more may be used, and one of them is told of. */
static void mptcp_limits(const char *signal)
{
	int family = genl_family(LKL_MPTCP_PM_NAME);
	struct nlmsghdr *nlh;
	struct nlattr *addr;

	nlh = genl(family, LKL_MPTCP_PM_CMD_SET_LIMITS, LKL_MPTCP_PM_VER, 0);
	mnl_attr_put_u32(nlh, LKL_MPTCP_PM_ATTR_RCV_ADD_ADDRS, 2);
	mnl_attr_put_u32(nlh, LKL_MPTCP_PM_ATTR_SUBFLOWS, 2);
	OK(nl_talk(LKL_NETLINK_GENERIC, nlh, NULL, NULL));
	if (!signal)
		return;
	nlh = genl(family, LKL_MPTCP_PM_CMD_ADD_ADDR, LKL_MPTCP_PM_VER, 0);
	addr = mnl_attr_nest_start(nlh, LKL_MPTCP_PM_ATTR_ADDR);
	mnl_attr_put_u16(nlh, LKL_MPTCP_PM_ADDR_ATTR_FAMILY, LKL_AF_INET);
	mnl_attr_put_u32(nlh, LKL_MPTCP_PM_ADDR_ATTR_ADDR4, ip4(signal));
	mnl_attr_put_u32(nlh, LKL_MPTCP_PM_ADDR_ATTR_FLAGS,
			 LKL_MPTCP_PM_ADDR_FLAG_SIGNAL);
	mnl_attr_nest_end(nlh, addr);
	OK(nl_talk(LKL_NETLINK_GENERIC, nlh, NULL, NULL));
}

/* A socket of the host's that listens to any address, or -1. */
static int host_listener(int protocol)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(FLOW_PORT) };
	int fd = socket(AF_INET, SOCK_STREAM, protocol), one = 1;

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		EQ(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
		EQ(listen(fd, 1), 0);
	}
	return fd;
}

/*
 * A connection uses two interfaces, slow enough for both to be wanted.  The
 * second comes into use when it does: again, if that was late.
 */
static void mptcp_flow(const struct lab *lab, struct flow *f, int one, int two)
{
	int fd[2], n[2];

	EQ(lkl_qdisc_add(one, "root", "netem delay 1ms rate 100mbit"), 0);
	EQ(lkl_qdisc_add(two, "root", "netem delay 1ms rate 100mbit"), 0);
	fd[0] = sniff(one);
	fd[1] = sniff(two);
	for (int round = 0; round < 5; round++) {
		if (f->server)
			f->listener = host_listener(f->protocol);
		flow(lab, f);
		for (int i = 0; i < 2; i++)
			n[i] = sniffed(fd[i], is_tcp);
		printf("16 MiB over two cables of 100 Mbit/s: %.2f s, "
		       "%d and %d frames\n",
		       f->seconds, n[0], n[1]);
		fflush(stdout);
		/* One cable takes 1.34 s. */
		if (n[0] > 100 && n[1] > 100 && f->seconds < 1.2)
			return;
	}
	FAIL("not both");
}

static void mptcp(void)
{
	struct flow f = { .addr = "10.0.0.2",
			  .listen = "0.0.0.0",
			  .bytes = 16 * MB,
			  .protocol = LKL_IPPROTO_MPTCP };
	struct lab lab = lab_start();
	int first = lab.near;

	lab_cable(&lab, 1, "near2", "far2");
	mptcp_limits(NULL);
	ns_enter(lab.there);
	mptcp_limits("10.1.0.2");
	ns_enter(lab.here);
	mptcp_flow(&lab, &f, first, lab.near);
	halt();
}

/*
 * Against the host's own kernel, in a namespace of the host.
 */

/* A tap for each network 10.N.0.0/24: the host is 1, the library 2. */
static void host_lab(int taps, int index[])
{
	char text[200];

	lkl_host_ops.print = NULL;
	OK(lkl_init(&lkl_host_ops));
	for (int i = 0; i < taps; i++) {
		struct lkl_netdev *nd;

		snprintf(text, sizeof(text), "lab%d", i);
		nd = lkl_netdev_tap_create(text, 0);
		CHECK(nd);
		OK(lkl_netdev_add(nd, NULL));
		snprintf(text, sizeof(text),
			 "ip addr add 10.%d.0.1/24 dev lab%d && "
			 "ip link set lab%d up",
			 i, i, i);
		EQ(system(text), 0);
	}
	OK(lkl_start_kernel("mem=128M"));
	for (int i = 0; i < taps; i++) {
		index[i] = OK(lkl_netdev_get_ifindex(i));
		snprintf(text, sizeof(text), "10.%d.0.2", i);
		EQ(lkl_if_up(index[i]), 0);
		EQ(lkl_if_set_ipv4(index[i], ip4(text), 24), 0);
	}
}

static void mptcp_host(void)
{
	struct flow f = { .addr = "10.0.0.1",
			  .bytes = 16 * MB,
			  .protocol = LKL_IPPROTO_MPTCP,
			  .server = flow_host_server };
	int index[2], fd = -1;

	if (host_namespace())
		fd = host_listener(LKL_IPPROTO_MPTCP);
	if (fd < 0) {
		printf("skip mptcp_host: no namespace, tap or MPTCP here\n");
		return;
	}
	close(fd);
	host_lab(2, index);
	EQ(system("ip mptcp limits set subflow 2 add_addr_accepted 2 &&"
		  "ip mptcp endpoint add 10.1.0.1 dev lab1 signal"),
	   0);
	mptcp_limits(NULL);
	mptcp_flow(NULL, &f, index[0], index[1]);
	halt();
}

static void base64(const unsigned char *data, int len, char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno"
				     "pqrstuvwxyz0123456789+/";

	for (int i = 0; i < len; i += 3) {
		unsigned int bits = data[i] << 16;

		if (i + 1 < len)
			bits |= data[i + 1] << 8;
		if (i + 2 < len)
			bits |= data[i + 2];
		for (int shift = 18; shift >= 0; shift -= 6)
			*text++ = digits[bits >> shift & 63];
		if (i + 2 >= len)
			text[-1] = '=';
		if (i + 1 >= len)
			text[-2] = '=';
	}
	*text = 0;
}

/* In user space where the host's kernel does not have it, until we end. */
static void host_wireguard(const char *name)
{
	char text[100];

	snprintf(text, sizeof(text),
		 "ip link add %s type wireguard 2>/dev/null", name);
	if (!system(text))
		return;
	if (!fork()) {
		EQ(prctl(PR_SET_PDEATHSIG, SIGTERM), 0);
		EQ(dup2(open("/dev/null", O_WRONLY), 1), 1);
		dup2(1, 2);
		execlp("wireguard-go", "wireguard-go", "-f", name, NULL);
		_exit(1);
	}
	snprintf(text, sizeof(text), "wg show %s >/dev/null 2>&1", name);
	while (system(text))
		msleep(20);
}

static void wireguard_host(void)
{
	struct flow f = { .addr = "10.9.0.1",
			  .bytes = 4 * MB,
			  .server = flow_host_server };
	unsigned char key[LKL_WG_KEY_LEN], host_key[LKL_WG_KEY_LEN];
	char private[64], public[64], name[16], text[400];
	int family, index[1], wg, fd;

	if (geteuid() || !host_namespace() ||
	    system("command -v wg >/dev/null") ||
	    system("ip link add wg type wireguard 2>/dev/null && "
		   "ip link del wg || command -v wireguard-go >/dev/null")) {
		printf("skip wireguard_host: no root, namespace or "
		       "wireguard\n");
		return;
	}
	f.listener = host_listener(0);
	host_lab(1, index);
	wg = link_add("wg0", "wireguard", 0, NULL, NULL);
	family = genl_family(LKL_WG_GENL_NAME);
	/* The host's public key; ours then takes its place. */
	memset(host_key, 0x50, sizeof(host_key));
	base64(host_key, sizeof(host_key), private);
	wg_key(family, wg, host_key);
	memset(key, 0x60, sizeof(key));
	wg_key(family, wg, key);
	wg_peer(family, wg, host_key, "10.0.0.1");
	base64(key, sizeof(key), public);
	EQ(lkl_if_up(wg), 0);
	EQ(lkl_if_set_ipv4(wg, ip4("10.9.0.2"), 24), 0);

	snprintf(name, sizeof(name), "lkl-%d", getpid());
	host_wireguard(name);
	snprintf(text, sizeof(text),
		 "echo %s >key; wg set %s private-key key listen-port 51820 "
		 "peer %s allowed-ips 10.9.0.2/32; rm key; "
		 "ip addr add 10.9.0.1/24 dev %s && ip link set %s up",
		 private, name, public, name, name);
	EQ(system(text), 0);
	fd = sniff(index[0]);
	flow(NULL, &f);
	CHECK(sniffed(fd, is_udp) > 1000);
	/* What runs in user space ends with its interface. */
	snprintf(text, sizeof(text), "ip link del %s", name);
	EQ(system(text), 0);
	halt();
}

static const struct check tests[] = {
	{ "capture", capture },
	{ "vlan", vlan },
	{ "wireguard", wireguard },
	{ "ipsec", ipsec },
	{ "mptcp", mptcp },
	{ "mptcp_host", mptcp_host },
	{ "wireguard_host", wireguard_host },
};

CHECK_MAIN(tests)
