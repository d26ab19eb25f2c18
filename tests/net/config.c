// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration by file and environment: what is accepted, what is refused and
 * how, and that the settings take effect.
 */
#include <sys/ioctl.h>
#include <linux/if_tun.h>

#include <lkl_config.h>

#include "netlab.h"

/* What a function says on standard error. */
static char said[4096];

#define SAID(call)                                                             \
	({                                                                     \
		int file_ = memfd_create("said", 0), old_ = dup(2);            \
		long ret_;                                                     \
		dup2(file_, 2);                                                \
		ret_ = (call);                                                 \
		dup2(old_, 2);                                                 \
		close(old_);                                                   \
		said[pread(file_, said, sizeof(said) - 1, 0)] = 0;             \
		close(file_);                                                  \
		ret_;                                                          \
	})

#define STR(got, want)                                                         \
	do {                                                                   \
		const char *got_ = (got);                                      \
		if (!got_ || strcmp(got_, want))                               \
			FAIL("%s is '%s', not '%s'", #got,                     \
			     got_ ? got_ : "(nothing)", want);                 \
	} while (0)

/* A file as people have them. */
static const char everything[] =
	"{\n"
	"	\"gateway\": \"10.9.0.1\", \"gateway6\":\"fd00:9::1\",\n"
	"	\"debug\": \"0x100\", \"singlecpu\": \"2\",\n"
	"	\"sysctl\": \"net.ipv4.tcp_wmem=4096 87380 2147483647;\",\n"
	"	\"boot_cmdline\": \"mem=64M, x]\", \"mount\": \"proc,sysfs\",\n"
	"	\"dump\": \"/proc/net/dev\", \"delay_main\": \"500\",\n"
	"	\"nameserver\": \"10.9.0.53\", \"maxcpus\": \"2\",\n"
	"	\"hostdir\": \".|/here;.|/h/d|ro\",\n"
	"	\"interfaces\": [\n"
	"		{\n"
	"			\"type\": \"tap\", \"param\": \"cfgtap\",\n"
	"			\"mtu\": \"1400\", \"mac\": "
	"\"12:34:56:78:9a:bc\",\n"
	"			\"ip\": \"10.9.0.2\", \"masklen\": \"24\",\n"
	"			\"ipv6\": \"fd00:9::2\", \"masklen6\": "
	"\"64\",\n"
	"			\"ifgateway\": \"10.9.0.254\",\n"
	"			\"ifgateway6\": \"fd00:9::fe\",\n"
	"			\"neigh\": "
	"\"10.9.0.7|12:34:56:78:9a:07;fd00:9::7|12:34:56:78:9a:08\",\n"
	"			\"qdisc\": \"root|fq\",\n"
	"			\"offload\": \"0x8883\",\n"
	"		}, {\n"
	"			\"type\": \"tap\", \"param\": \"other\",\n"
	"		},\n"
	"	],\n"
	"}\n";

static void file(void)
{
	struct lkl_config cfg;
	struct lkl_config_iface *i;

	memset(&cfg, 0xaa, sizeof(cfg)); /* as malloc() gives it */
	EQ(lkl_load_config_json(&cfg, everything), 0);
	STR(cfg.gateway, "10.9.0.1");
	STR(cfg.gateway6, "fd00:9::1");
	STR(cfg.debug, "0x100");
	STR(cfg.single_cpu, "2");
	STR(cfg.sysctls, "net.ipv4.tcp_wmem=4096 87380 2147483647;");
	STR(cfg.boot_cmdline, "mem=64M, x]");
	STR(cfg.mount, "proc,sysfs");
	STR(cfg.hostdir, ".|/here;.|/h/d|ro");
	STR(cfg.dump, "/proc/net/dev");
	STR(cfg.delay_main, "500");
	STR(cfg.nameserver, "10.9.0.53");
	STR(cfg.maxcpus, "2");
	EQ(cfg.ifnum, 2);
	i = cfg.ifaces;
	STR(i->iftype, "tap");
	STR(i->ifparams, "cfgtap");
	STR(i->ifmtu_str, "1400");
	STR(i->ifmac_str, "12:34:56:78:9a:bc");
	STR(i->ifip, "10.9.0.2");
	STR(i->ifnetmask_len, "24");
	STR(i->ifipv6, "fd00:9::2");
	STR(i->ifnetmask6_len, "64");
	STR(i->ifgateway, "10.9.0.254");
	STR(i->ifgateway6, "fd00:9::fe");
	STR(i->ifneigh_entries,
	    "10.9.0.7|12:34:56:78:9a:07;fd00:9::7|12:34:56:78:9a:08");
	STR(i->ifqdisc_entries, "root|fq");
	STR(i->ifoffload_str, "0x8883");
	STR(i->next->ifparams, "other");
	CHECK(!i->next->ifmtu_str && !i->next->next);

	SAID((show_config(&cfg), 0));
	CHECK(strstr(said, "gateway6: fd00:9::1\n"));
	CHECK(strstr(said, "interfaces[1].param: other\n"));

	/* The next replaces all of it; what is empty is not there. */
	EQ(lkl_load_config_json(&cfg, "{ \"mount\": \"\" }"), 0);
	CHECK(!cfg.gateway && !cfg.ifaces && !cfg.mount);
	EQ(lkl_unload_config(&cfg), 0);
}

static void refused(void)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", ":1:1: unexpected end" },
		{ "{\n  \"debug\": \"1\"\n  \"mount\": \"proc\"\n}", ":3:3: " },
		{ "{ \"debug\": \"1\" } x", ":1:18: " },
		{ "{ \"debug\": \"1\",, }", ":1:16: " },
		{ "{ , }", ":1:3: " },
		{ "{\n\"interfaces\": [\n", ":3:1: unexpected end" },
		{ "{ 'debug': '1' }", ":1:12: " },
		{ "{ /* */ }", ":1:3: " },
		{ "{ \"mount\": \"\xff\" }", ":1:13: " },
		{ "null", ": not an object" },
		{ "[]", ": not an object" },
		{ "{ \"debg\": \"1\" }", ": 'debg': unknown key" },
		{ "{ \"debug\": 1 }", ": 'debug': the value is not a string" },
		{ "{ \"mount\": \"a\\u0000b\" }", ": 'mount': there is a NUL" },
		{ "{ \"debug\": \"yes\" }",
		  ": 'debug': 'yes' is not a number" },
		{ "{ \"debug\": \"-1\" }", "'-1' is not a number" },
		{ "{ \"singlecpu\": \"3\" }", "'3' is not 0, 1 or 2" },
		{ "{ \"maxcpus\": \"0\" }",
		  "'0' is not a number from 1 to 16, or auto" },
		{ "{ \"maxcpus\": \"17\" }",
		  "'17' is not a number from 1 to 16, or auto" },
		{ "{ \"gateway\": \"fd00::1\" }", "not an IPv4 address" },
		{ "{ \"gateway6\": \"10.0.0.1\" }", "not an IPv6 address" },
		{ "{ \"sysctl\": \"a.b\" }", "not a list of KEY=VALUE" },
		{ "{ \"hostdir\": \"/a|/b;/c|d\" }", "not a list of DIR|PATH" },
		{ "{ \"hostdir\": \"/a|/b|rw\" }", "not a list of DIR|PATH" },
		{ "{ \"interfaces\": {} }", "'interfaces' is not an array" },
		{ "{ \"interfaces\": [ {}, 5 ] }",
		  "interfaces[1]: not an object" },
		{ "{ \"interfaces\": [ { \"tipe\": \"tap\" } ] }",
		  "interfaces[0]: 'tipe': unknown key" },
		{ "{ \"interfaces\": [ { \"debug\": \"1\" } ] }",
		  "interfaces[0]: 'debug': unknown key" },
		{ "{ \"interfaces\": [ { \"type\": \"tab\" } ] }",
		  "not one of tap" },
		{ "{ \"interfaces\": [ { \"mtu\": \"70000\" } ] }",
		  "up to 65535" },
		{ "{ \"interfaces\": [ { \"masklen\": \"33\" } ] }",
		  "up to 32" },
		{ "{ \"interfaces\": [ { \"masklen6\": \"129\" } ] }",
		  "up to 128" },
		{ "{ \"interfaces\": [ { \"mac\": \"1:2:3:4:5\" } ] }",
		  "not a MAC address" },
		{ "{ \"interfaces\": [ { \"mac\": \"01:02:03:04:05:06\" } ] }",
		  "a multicast address" },
		{ "{ \"interfaces\": [ { \"offload\": \"0xg\" } ] }",
		  "not a hex mask" },
		{ "{ \"interfaces\": [ { \"qdisc\": \"fq\" } ] }",
		  "not a list of WHERE|WHAT" },
		{ "{ \"interfaces\": [ { \"neigh\": \"10.0.0.1\" } ] }",
		  "not a list of IP|MAC" },
	};
	struct lkl_config cfg = { 0 };

	EQ(lkl_load_config_json(&cfg, "{ \"mount\": \"proc\" }"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		EQ(SAID(lkl_load_config_json(&cfg, cases[i].text)),
		   -LKL_EINVAL);
		if (strncmp(said, "lkl: configuration", 18) ||
		    !strstr(said, cases[i].says) ||
		    strchr(said, '\n') != said + strlen(said) - 1)
			FAIL("'%s': '%s', not '%s'", cases[i].text, said,
			     cases[i].says);
		/* It is what it was. */
		STR(cfg.mount, "proc");
		CHECK(!cfg.debug && !cfg.ifaces);
	}
	lkl_unload_config(&cfg);
}

/* All interfaces must be complete before anything is made. */
static void incomplete(void)
{
	static const char *const cases[][2] = {
		{ "{}", "interfaces[1]: 'type' is missing\n" },
		{ "{ \"type\": \"tap\" }",
		  "interfaces[1]: 'param' is missing\n" },
#define TAP "{ \"type\": \"tap\", \"param\": \"x\", "
		{ TAP "\"ip\": \"10.0.0.1\" }",
		  "interfaces[1]: 'ip' needs 'masklen'\n" },
		{ TAP "\"masklen6\": \"5\" }",
		  "interfaces[1]: 'masklen6' needs 'ipv6'\n" },
		{ TAP "\"ifgateway\": \"10.0.0.1\" }",
		  "interfaces[1]: 'ifgateway' needs 'ip'\n" },
	};
	struct lkl_config cfg = { 0 };
	char text[300];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(text, sizeof(text), "{ \"interfaces\": [ %s }, %s ] }",
			 TAP "\"mtu\": \"1000\"", cases[i][0]);
		EQ(lkl_load_config_json(&cfg, text), 0);
		EQ(SAID(lkl_load_config_pre(&cfg)), -LKL_EINVAL);
		STR(said + 5, cases[i][1]);
		CHECK(!cfg.ifaces->nd);
	}
	lkl_unload_config(&cfg);
}

static void environment(void)
{
	static const char *const variables[][2] = {
		{ "NET_GATEWAY", "10.8.0.1" },
		{ "NET_GATEWAY6", "fd00:8::1" },
		{ "DEBUG", "1" },
		{ "SINGLE_CPU", "1" },
		{ "SYSCTL", "a.b=1" },
		{ "BOOT_CMDLINE", "mem=1G" },
		{ "MAXCPUS", "4" },
		{ "MOUNT", "sysfs" },
		{ "HOSTDIR", "/a|/b" },
		{ "DUMP", "/x" },
		{ "NET_IFTYPE", "tap" },
		{ "NET_IFPARAMS", "envtap" },
		{ "NET_MTU", "1300" },
		{ "NET_MAC", "12:34:56:78:9a:ff" },
		{ "NET_IP", "10.8.0.2" },
		{ "NET_NETMASK_LEN", "16" },
		{ "NET_IPV6", "fd00:8::2" },
		{ "NET_NETMASK6_LEN", "48" },
		{ "NET_NEIGHBOR", "10.8.0.7|12:34:56:78:9a:07" },
		{ "NET_QDISC", "root|fq_codel" },
		{ "OFFLOAD", "\"0xc803\"" },
	};
	struct lkl_config cfg = { 0 };
	struct lkl_config_iface *i;
	char name[64];

	EQ(lkl_load_config_env(&cfg), 0);
	CHECK(!cfg.ifaces && !cfg.debug);

	/* Settings of an interface alone make none. */
	setenv("LKL_HIJACK_NET_MTU", "1300", 1);
	EQ(lkl_load_config_env(&cfg), 0);
	CHECK(!cfg.ifaces);
	lkl_unload_config(&cfg);

	setenv("LKL_HIJACK_NET_TAP", "'oldtap'", 1);
	EQ(lkl_load_config_env(&cfg), 0);
	STR(cfg.ifaces->iftype, "tap");
	STR(cfg.ifaces->ifparams, "oldtap");
	STR(cfg.ifaces->ifmtu_str, "1300");
	lkl_unload_config(&cfg);

	for (size_t n = 0; n < ARRAY_SIZE(variables); n++) {
		snprintf(name, sizeof(name), "LKL_HIJACK_%s", variables[n][0]);
		setenv(name, variables[n][1], 1);
	}
	EQ(lkl_load_config_env(&cfg), 0);
	STR(cfg.gateway, "10.8.0.1");
	STR(cfg.boot_cmdline, "mem=1G");
	STR(cfg.maxcpus, "4");
	STR(cfg.hostdir, "/a|/b");
	i = cfg.ifaces;
	STR(i->ifparams, "envtap");
	STR(i->ifneigh_entries, "10.8.0.7|12:34:56:78:9a:07");
	STR(i->ifnetmask6_len, "48");
	STR(i->ifoffload_str, "0xc803");
	CHECK(!i->next);
	lkl_unload_config(&cfg);

	/* The file wins; what it leaves out comes from the environment. */
	EQ(lkl_load_config_json(&cfg,
				"{ \"debug\": \"0\", \"interfaces\": [ { "
				"\"type\": \"tap\", \"param\": \"filetap\" }, "
				"{ \"type\": \"tap\" } ] }"),
	   0);
	EQ(lkl_load_config_env(&cfg), 0);
	STR(cfg.debug, "0");
	STR(cfg.mount, "sysfs");
	STR(cfg.ifaces->ifparams, "filetap");
	STR(cfg.ifaces->ifip, "10.8.0.2");
	CHECK(!cfg.ifaces->next->ifip);
	lkl_unload_config(&cfg);

	/* An error in one, and none counts. */
	setenv("LKL_HIJACK_NET_IP", "10.8.0", 1);
	EQ(SAID(lkl_load_config_env(&cfg)), -LKL_EINVAL);
	STR(said, "lkl: LKL_HIJACK_NET_IP: '10.8.0' is not an IPv4 address\n");
	CHECK(!cfg.gateway && !cfg.ifaces);
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	CHECK(f);
	fputs(text, f);
	fclose(f);
}

/* Which file it is. */
static void files(void)
{
	struct lkl_config cfg = { 0 };

	EQ(lkl_load_config(&cfg), 0);
	write_file("lkl-hijack.json", "{ \"debug\": \"5\" }");
	EQ(lkl_load_config(&cfg), 0);
	STR(cfg.debug, "5");
	setenv("LKL_HIJACK_CONFIG_FILE", "mine.json", 1);
	EQ(SAID(lkl_load_config(&cfg)), -LKL_ENOENT);
	STR(said, "lkl: mine.json: No such file or directory\n");
	write_file("mine.json", "{ \"debug\": \"6\" }");
	EQ(lkl_load_config(&cfg), 0);
	STR(cfg.debug, "6");
	setenv("LKL_HIJACK_DEBUG", "x", 1);
	EQ(lkl_load_config(&cfg), 0);
	write_file("mine.json", "{ \"debug\": \"6\"\n,,}");
	EQ(SAID(lkl_load_config(&cfg)), -LKL_EINVAL);
	STR(said, "lkl: mine.json:2:2: quoted object property name expected\n");
	STR(cfg.debug, "6");
	setenv("LKL_HIJACK_CONFIG_FILE", "/", 1);
	EQ(SAID(lkl_load_config(&cfg)), -LKL_EISDIR);
	unlink("lkl-hijack.json");
	unlink("mine.json");
	lkl_unload_config(&cfg);
}

/* Activate an interface of the host. */
static void host_up(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq ifr = { .ifr_flags = IFF_UP };

	strcpy(ifr.ifr_name, name);
	EQ(ioctl(fd, SIOCSIFFLAGS, &ifr), 0);
	close(fd);
}

static void applied(void)
{
	struct lkl_config cfg = { 0 };
	int ifindex, fd, len;
	char text[100];
	cpu_set_t set;

	if (!host_namespace()) {
		printf("skip applied: no network namespace or no tun device\n");
		return;
	}
	EQ(lkl_load_config_json(&cfg, everything), 0);
	OK(lkl_init(&lkl_host_ops));
	EQ(lkl_load_config_pre(&cfg), 0);
	CHECK(lkl_host_ops.print);
	host_up("cfgtap");
	sched_getaffinity(0, sizeof(set), &set);
	EQ(CPU_COUNT(&set), 1);
	lkl_host_ops.print = NULL;
	OK(lkl_start_kernel("mem=64M"));
	EQ(lkl_load_config_post(&cfg), 0);

	ifindex = OK(lkl_netdev_get_ifindex(cfg.ifaces->id));
	show(LKL_RTM_GETLINK, 0, 0);
	LINE(1, "mtu 65536 up\n");
	LINE(1, "link %d eth0 mtu 1400 up\n", ifindex);
	LINE(1, "eth1 mtu 1500 up\n");
	show(LKL_RTM_GETADDR, 0, 0);
	LINE(1, "addr dev %d 10.9.0.2/24", ifindex);
	LINE(1, "addr dev %d fd00:9::2/64", ifindex);
	show(LKL_RTM_GETROUTE, LKL_AF_INET, 0);
	LINE(1, "route table 254 any/0 via 10.9.0.1 dev %d", ifindex);
	LINE(1, "route table %d any/0 via 10.9.0.254 dev %d", 2 * ifindex,
	     ifindex);
	show(LKL_RTM_GETROUTE, LKL_AF_INET6, 0);
	LINE(1, "route table 254 any/0 via fd00:9::1 dev %d", ifindex);
	LINE(1, "route table %d any/0 via fd00:9::fe dev %d", 2 * ifindex + 1,
	     ifindex);
	show(LKL_RTM_GETNEIGH, 0, 0);
	LINE(1, "neigh dev %d 10.9.0.7 12:34:56:78:9a:07 permanent", ifindex);
	LINE(1, "neigh dev %d fd00:9::7 12:34:56:78:9a:08 permanent", ifindex);
	show(LKL_RTM_GETQDISC, 0, ifindex);
	LINE(1, " fq\n");
	/* The IPv6 address can be used. */
	EQ(lkl_if_wait_ipv6_dad(ifindex, ip6("fd00:9::2")), 0);

	fd = OK(lkl_sys_open("/etc/resolv.conf", LKL_O_RDONLY, 0));
	len = OK(lkl_sys_read(fd, text, sizeof(text) - 1));
	text[len] = 0;
	STR(text, "nameserver 10.9.0.53\n");
	lkl_sys_close(fd);
	fd = OK(lkl_sys_open("/proc/sys/net/ipv4/tcp_wmem", LKL_O_RDONLY, 0));
	len = OK(lkl_sys_read(fd, text, sizeof(text) - 1));
	text[len] = 0;
	STR(text, "4096\t87380\t2147483647\n");

	EQ(SAID(lkl_unload_config(&cfg)), 0);
	CHECK(strstr(said, "==> /proc/net/dev <==\n"));
	CHECK(strstr(said, "\n  eth1: "));
	/* The devices are gone, here and on the host. */
	show(LKL_RTM_GETLINK, 0, 0);
	LINE(0, "eth");
	CHECK(!if_nametoindex("cfgtap"));
	halt();
}

/* Without link-layer addresses a gateway is not needed. */
static void cooked(void)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	struct lkl_config cfg = { 0 };
	char text[200];
	int fd, ifindex;

	if (!host_namespace()) {
		printf("skip cooked: no network namespace or no tun device\n");
		return;
	}
	fd = open("/dev/net/tun", O_RDWR);
	EQ(ioctl(fd, TUNSETIFF, &ifr), 0);
	host_up(ifr.ifr_name);
	snprintf(text, sizeof(text),
		 "{ \"interfaces\": [ { \"type\": \"fd\", \"param\": \"%d\", "
		 "\"ip\": \"10.9.0.2\", \"masklen\": \"32\", "
		 "\"ipv6\": \"fd00::2\", \"masklen6\": \"128\" } ] }",
		 fd);
	EQ(lkl_load_config_json(&cfg, text), 0);
	OK(lkl_init(&lkl_host_ops));
	EQ(lkl_load_config_pre(&cfg), 0);
	OK(lkl_start_kernel("mem=64M"));
	EQ(lkl_load_config_post(&cfg), 0);
	ifindex = OK(lkl_netdev_get_ifindex(cfg.ifaces->id));
	show(LKL_RTM_GETROUTE, LKL_AF_INET, 0);
	LINE(1, "route table 254 any/0 dev %d\n", ifindex);
	show(LKL_RTM_GETROUTE, LKL_AF_INET6, 0);
	LINE(1, "route table 254 any/0 dev %d\n", ifindex);
	lkl_unload_config(&cfg);
	halt();
}

/* A wire that needs no set-up gets none, and no privileges. */
static void user(void)
{
	struct lkl_config cfg = { 0 };

	setenv("LKL_HIJACK_NET_IFTYPE", "user", 1);
	EQ(lkl_load_config(&cfg), 0);
	OK(lkl_init(&lkl_host_ops));
	EQ(lkl_load_config_pre(&cfg), 0);
	OK(lkl_start_kernel("mem=64M"));
	EQ(lkl_load_config_post(&cfg), 0);
	show(LKL_RTM_GETADDR, LKL_AF_INET, 0);
	LINE(1, "10.0.2.15/24");
	show(LKL_RTM_GETROUTE, LKL_AF_INET, 0);
	LINE(1, "any/0 via 10.0.2.2");
	STR(cfg.nameserver, "10.0.2.3");
	lkl_unload_config(&cfg);
	halt();
}

/* A failure leaves no device, and no interface up. */
static void half(void)
{
	struct lkl_config cfg = { 0 };

	if (!host_namespace()) {
		printf("skip half: no network namespace or no tun device\n");
		return;
	}
	EQ(lkl_load_config_json(&cfg,
				"{ \"interfaces\": [ { \"type\": \"tap\", "
				"\"param\": \"good\" }, { \"type\": \"tap\", "
				"\"param\": \"a/bad/name\" } ] }"),
	   0);
	OK(lkl_init(&lkl_host_ops));
	CHECK(SAID(lkl_load_config_pre(&cfg)) < 0);
	CHECK(strstr(said, "a/bad/name"));
	CHECK(strchr(said, '\n') == said + strlen(said) - 1);
	CHECK(!cfg.ifaces->nd && !if_nametoindex("good"));
	CHECK(!lkl_host_ops.print);

	EQ(lkl_load_config_json(
		   &cfg, "{ \"gateway\": \"10.77.0.1\", \"interfaces\": "
			 "[ { \"type\": \"tap\", \"param\": \"good\" } ] "
			 "}"),
	   0);
	EQ(lkl_load_config_pre(&cfg), 0);
	OK(lkl_start_kernel("mem=64M"));
	EQ(SAID(lkl_load_config_post(&cfg)), -LKL_ENETUNREACH);
	STR(said, "lkl: gateway '10.77.0.1': Network is unreachable\n");
	show(LKL_RTM_GETLINK, 0, 0);
	LINE(1, "eth0 mtu 1500 down\n");
	EQ(lkl_unload_config(&cfg), 0);
	halt();
}

static const struct check tests[] = {
	{ "file", file },
	{ "refused", refused },
	{ "incomplete", incomplete },
	{ "environment", environment },
	{ "files", files },
	{ "applied", applied },
	{ "cooked", cooked },
	{ "user", user },
	{ "half", half },
};

CHECK_MAIN(tests)
