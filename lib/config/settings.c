// SPDX-License-Identifier: GPL-2.0-only
/*
 * The settings of a configuration: a row of a table for each.
 *
 * All strings are checked when they are kept, so that the later steps fail only
 * for reasons of the host or the kernel.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lkl.h>

#include "../rtnl.h"
#include "config.h"

/*
 * Checks of values: NULL, or what is wrong
 */

static const char *check_any(const char *value)
{
	(void)value;
	return NULL;
}

/* Whether it is a number, which is at most @max. */
bool lkl_config_is_number(const char *value, int base, unsigned long max)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(value, &end, base);
	/* strtoul() takes signs and spaces, too */
	return strspn(value, "0123456789abcdefABCDEFx") == strlen(value) &&
	       end != value && !*end && !errno && number <= max;
}

static const char *check_number(const char *value)
{
	return lkl_config_is_number(value, 0, UINT32_MAX) ? NULL
							  : "not a number";
}

static const char *check_mask(const char *value)
{
	return lkl_config_is_number(value, 16, UINT32_MAX) ? NULL
							   : "not a hex mask";
}

static const char *check_singlecpu(const char *value)
{
	return lkl_config_is_number(value, 10, 2) ? NULL : "not 0, 1 or 2";
}

static const char *check_maxcpus(const char *value)
{
	return !strcmp(value, "auto") ||
			       (lkl_config_is_number(value, 10, 16) &&
				atoi(value))
		       ? NULL
		       : "not a number from 1 to 16, or auto";
}

static const char *check_mtu(const char *value)
{
	return lkl_config_is_number(value, 10, 65535)
		       ? NULL
		       : "not a number up to 65535";
}

static const char *check_masklen(const char *value)
{
	return lkl_config_is_number(value, 10, 32) ? NULL
						   : "not a number up to 32";
}

static const char *check_masklen6(const char *value)
{
	return lkl_config_is_number(value, 10, 128) ? NULL
						    : "not a number up to 128";
}

static const char *check_ipv4(const char *value)
{
	unsigned char addr[4];

	return inet_pton(AF_INET, value, addr) == 1 ? NULL
						    : "not an IPv4 address";
}

static const char *check_ipv6(const char *value)
{
	unsigned char addr[16];

	return inet_pton(AF_INET6, value, addr) == 1 ? NULL
						     : "not an IPv6 address";
}

bool lkl_config_parse_mac(const char *value, unsigned char mac[6])
{
	int end = 0;

	return sscanf(value, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", mac,
		      mac + 1, mac + 2, mac + 3, mac + 4, mac + 5, &end) == 6 &&
	       !value[end];
}

static const char *check_mac(const char *value)
{
	unsigned char mac[6];

	if (!lkl_config_parse_mac(value, mac))
		return "not a MAC address";
	return mac[0] & 1 ? "a multicast address" : NULL;
}

static const char *const types[] = {
	"tap",	"raw", "macvtap", "pipe",	"vde",
	"user", "fd",  "dpdk",	  "vhost-user", "vhost-user-server",
	"xdp"
};

static const char *check_type(const char *value)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(types[i], value))
			return NULL;
	return "not one of tap raw macvtap pipe vde user fd dpdk "
	       "vhost-user vhost-user-server xdp";
}

/* "ip|mac"; added to ifindex, or only checked if that is 0 */
int lkl_config_neighbour(char *entry, void *arg)
{
	char *bar = strchr(entry, '|');
	unsigned char ip[16], mac[6];
	int af, ifindex = *(int *)arg;

	if (!bar)
		return -LKL_EINVAL;
	*bar = 0;
	af = strchr(entry, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(af, entry, ip) != 1 ||
	    !lkl_config_parse_mac(bar + 1, mac))
		return -LKL_EINVAL;
	return ifindex ? lkl_add_neighbor(ifindex, af, ip, mac) : 0;
}

static const char *check_neigh(const char *value)
{
	int nobody = 0;

	return rtnl_entries(value, lkl_config_neighbour, &nobody)
		       ? "not a list of IP|MAC"
		       : NULL;
}

/* Entries with a given character in them. */
static int has_char(char *entry, void *arg)
{
	return strchr(entry, *(char *)arg) ? 0 : -LKL_EINVAL;
}

static const char *check_sysctl(const char *value)
{
	return rtnl_entries(value, has_char, "=") ? "not a list of KEY=VALUE"
						  : NULL;
}

static const char *check_qdisc(const char *value)
{
	return rtnl_entries(value, has_char, "|") ? "not a list of WHERE|WHAT"
						  : NULL;
}

/* "dir|path" or "dir|path|ro"; mounted, or only checked if there is no @arg */
int lkl_config_hostdir(char *entry, void *arg)
{
	char *dir = strsep(&entry, "|"), *path = strsep(&entry, "|");

	if (!*dir || !path || *path != '/' || (entry && strcmp(entry, "ro")))
		return -LKL_EINVAL;
	return arg ? lkl_mount_hostdir(dir, path, entry ? LKL_MS_RDONLY : 0)
		   : 0;
}

static const char *check_hostdir(const char *value)
{
	return rtnl_entries(value, lkl_config_hostdir, NULL)
		       ? "not a list of DIR|PATH or DIR|PATH|ro"
		       : NULL;
}

#define GLOBAL(key, member, variable, check)                                   \
	{                                                                      \
		key, variable, offsetof(struct lkl_config, member), check      \
	}
#define IFACE(key, member, variable, check)                                    \
	{                                                                      \
		key, variable, offsetof(struct lkl_config_iface, member),      \
			check                                                  \
	}

const struct setting lkl_config_settings[] = {
	GLOBAL("gateway", gateway, "NET_GATEWAY", check_ipv4),
	GLOBAL("gateway6", gateway6, "NET_GATEWAY6", check_ipv6),
	GLOBAL("debug", debug, "DEBUG", check_number),
	GLOBAL("singlecpu", single_cpu, "SINGLE_CPU", check_singlecpu),
	GLOBAL("sysctl", sysctls, "SYSCTL", check_sysctl),
	GLOBAL("boot_cmdline", boot_cmdline, "BOOT_CMDLINE", check_any),
	GLOBAL("mount", mount, "MOUNT", check_any),
	GLOBAL("hostdir", hostdir, "HOSTDIR", check_hostdir),
	GLOBAL("dump", dump, "DUMP", check_any),
	GLOBAL("delay_main", delay_main, NULL, check_number),
	GLOBAL("nameserver", nameserver, NULL, check_any),
	GLOBAL("policy", policy, "POLICY", check_any),
	GLOBAL("maxcpus", maxcpus, "MAXCPUS", check_maxcpus),
	{ 0 },
};

const struct setting lkl_config_iface_settings[] = {
	IFACE("type", iftype, "NET_IFTYPE", check_type),
	IFACE("param", ifparams, "NET_IFPARAMS", check_any),
	IFACE("mtu", ifmtu_str, "NET_MTU", check_mtu),
	IFACE("mac", ifmac_str, "NET_MAC", check_mac),
	IFACE("ip", ifip, "NET_IP", check_ipv4),
	IFACE("masklen", ifnetmask_len, "NET_NETMASK_LEN", check_masklen),
	IFACE("ipv6", ifipv6, "NET_IPV6", check_ipv6),
	IFACE("masklen6", ifnetmask6_len, "NET_NETMASK6_LEN", check_masklen6),
	IFACE("ifgateway", ifgateway, NULL, check_ipv4),
	IFACE("ifgateway6", ifgateway6, NULL, check_ipv6),
	IFACE("neigh", ifneigh_entries, "NET_NEIGHBOR", check_neigh),
	IFACE("qdisc", ifqdisc_entries, "NET_QDISC", check_qdisc),
	IFACE("offload", ifoffload_str, "OFFLOAD", check_mask),
	IFACE("pcap", ifpcap, "NET_PCAP", check_any),
	{ 0 },
};

/* Where the string of a setting is. */
char **lkl_config_value(const void *base, const struct setting *setting)
{
	return (char **)((char *)base + setting->offset);
}

int lkl_config_no_memory(const char *name)
{
	fprintf(stderr, "lkl: %s: %s\n", name, lkl_strerror(-LKL_ENOMEM));
	return -LKL_ENOMEM;
}

static void free_settings(void *base, const struct setting *setting)
{
	for (; setting->key; setting++)
		free(*lkl_config_value(base, setting));
}

void lkl_config_free(struct lkl_config *cfg)
{
	struct lkl_config_iface *iface;

	while ((iface = cfg->ifaces)) {
		cfg->ifaces = iface->next;
		free_settings(iface, lkl_config_iface_settings);
		free(iface);
	}
	free_settings(cfg, lkl_config_settings);
	memset(cfg, 0, sizeof(*cfg));
}

static bool copy_settings(void *to, const void *from,
			  const struct setting *setting)
{
	bool ok = true;

	for (; setting->key; setting++) {
		const char *value = *lkl_config_value(from, setting);
		char **copy = lkl_config_value(to, setting);

		*copy = value ? strdup(value) : NULL;
		ok &= !value == !*copy;
	}
	return ok;
}

int lkl_config_copy(struct lkl_config *to, const struct lkl_config *from)
{
	const struct lkl_config_iface *iface;
	struct lkl_config_iface *copy;
	bool ok;

	memset(to, 0, sizeof(*to));
	lkl_config_prepare(to);
	ok = copy_settings(to, from, lkl_config_settings);
	for (iface = from->ifaces; iface && ok; iface = iface->next) {
		copy = lkl_config_new_iface(to);
		ok = copy &&
		     copy_settings(copy, iface, lkl_config_iface_settings);
	}
	if (ok)
		return 0;
	lkl_config_free(to);
	return lkl_config_no_memory("configuration");
}

/* An interface behind the others, or NULL. */
struct lkl_config_iface *lkl_config_new_iface(struct lkl_config *cfg)
{
	struct lkl_config_iface **last = &cfg->ifaces;

	while (*last)
		last = &(*last)->next;
	*last = calloc(1, sizeof(**last));
	if (*last) {
		(*last)->id = -1;
		cfg->ifnum++;
	}
	return *last;
}

/* Have a configuration that is valid, if empty. */
void lkl_config_prepare(struct lkl_config *cfg)
{
	if (cfg->magic == CONFIG_MAGIC)
		return;
	memset(cfg, 0, sizeof(*cfg));
	cfg->magic = CONFIG_MAGIC;
}

static void show_settings(const char *prefix, const void *base,
			  const struct setting *s)
{
	for (; s->key; s++)
		if (*lkl_config_value(base, s))
			fprintf(stderr, "%s%s: %s\n", prefix, s->key,
				*lkl_config_value(base, s));
}

void lkl_show_config(const struct lkl_config *cfg)
{
	char prefix[40];
	int n = 0;

	if (cfg->magic != CONFIG_MAGIC)
		return;
	show_settings("", cfg, lkl_config_settings);
	for (struct lkl_config_iface *i = cfg->ifaces; i; i = i->next) {
		snprintf(prefix, sizeof(prefix), "interfaces[%d].", n++);
		show_settings(prefix, i, lkl_config_iface_settings);
	}
}
