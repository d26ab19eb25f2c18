// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a configuration does before the boot: it makes the network devices.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lkl.h>

#include "config.h"

/* A setting that needs another one. */
static const struct {
	const char *key, *needs;
	size_t key_offset, needs_offset;
} pairs[] = {
#define PAIR(a, b, key, needs)                                                 \
	{                                                                      \
		key, needs, offsetof(struct lkl_config_iface, a),              \
			offsetof(struct lkl_config_iface, b)                   \
	}
	PAIR(ifip, ifnetmask_len, "ip", "masklen"),
	PAIR(ifnetmask_len, ifip, "masklen", "ip"),
	PAIR(ifipv6, ifnetmask6_len, "ipv6", "masklen6"),
	PAIR(ifnetmask6_len, ifipv6, "masklen6", "ipv6"),
	PAIR(ifgateway, ifip, "ifgateway", "ip"),
	PAIR(ifgateway6, ifipv6, "ifgateway6", "ipv6"),
};

static int check_iface(const struct lkl_config_iface *iface, int n)
{
	if (!iface->iftype) {
		fprintf(stderr, "lkl: interfaces[%d]: 'type' is missing\n", n);
		return -LKL_EINVAL;
	}
	if (!iface->ifparams && strcmp(iface->iftype, "user")) {
		fprintf(stderr, "lkl: interfaces[%d]: 'param' is missing\n", n);
		return -LKL_EINVAL;
	}
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		const char *base = (const char *)iface;

		if (!*(char **)(base + pairs[i].key_offset) ||
		    *(char **)(base + pairs[i].needs_offset))
			continue;
		fprintf(stderr, "lkl: interfaces[%d]: '%s' needs '%s'\n", n,
			pairs[i].key, pairs[i].needs);
		return -LKL_EINVAL;
	}
	return 0;
}

/* Keep a default unless something has been set. */
static int set_default(char **value, const char *text)
{
	if (!*value)
		*value = strdup(text);
	return *value ? 0 : lkl_config_no_memory("interfaces");
}

/* What the network behind a wire without set-up is like. */
static int set_defaults(struct lkl_config *cfg, struct lkl_config_iface *iface)
{
	int err;

	if (strcmp(iface->iftype, "user") || iface->ifip)
		return 0;
	err = set_default(&iface->ifip, "10.0.2.15");
	if (!err)
		err = set_default(&iface->ifnetmask_len, "24");
	if (!err)
		err = set_default(&cfg->gateway, "10.0.2.2");
	if (!err)
		err = set_default(&cfg->nameserver, "10.0.2.3");
	return err;
}

/* The wire of an interface, or NULL after a message. */
static struct lkl_netdev *create(const struct lkl_config_iface *iface,
				 unsigned int offload, unsigned char *mac)
{
	const char *type = iface->iftype, *param = iface->ifparams;

	if (!strcmp(type, "tap"))
		return lkl_netdev_tap_create(param, offload);
	if (!strcmp(type, "raw"))
		return lkl_netdev_raw_create(param);
	if (!strcmp(type, "macvtap"))
		return lkl_netdev_macvtap_create(param, offload);
	if (!strcmp(type, "pipe"))
		return lkl_netdev_pipe_create(param, offload);
	if (!strcmp(type, "xdp"))
		return lkl_netdev_xdp_create(param);
	if (!strcmp(type, "vde"))
		return lkl_netdev_vde_create(param);
	if (!strcmp(type, "user"))
		return lkl_netdev_user_create(param);
	if (!strcmp(type, "vhost-user"))
		return lkl_netdev_vhost_user_create(param, offload);
	if (!strcmp(type, "vhost-user-server"))
		return lkl_netdev_vhost_user_server_create(param, offload);
	if (!strcmp(type, "dpdk"))
		return lkl_netdev_dpdk_create(param, offload, mac);
	if (lkl_config_is_number(param, 10, INT32_MAX))
		return lkl_netdev_fd_create(atoi(param), offload);
	fprintf(stderr, "lkl: fd '%s': not a number\n", param);
	return NULL;
}

static int add_device(struct lkl_config_iface *iface)
{
	struct lkl_netdev_args args = { 0 };
	unsigned char mac[6];

	if (iface->ifoffload_str)
		args.offload = strtoul(iface->ifoffload_str, NULL, 16);
	if (iface->ifmac_str) {
		lkl_config_parse_mac(iface->ifmac_str, mac);
		args.mac = mac;
	}
	args.pcap = iface->ifpcap;
	iface->nd = create(iface, args.offload, args.mac);
	if (!iface->nd)
		return -LKL_ENODEV;
	iface->id = lkl_netdev_add(iface->nd, &args);
	if (iface->id < 0)
		fprintf(stderr, "lkl: %s '%s': %s\n", iface->iftype,
			iface->ifparams ? iface->ifparams : "",
			lkl_strerror(iface->id));
	return iface->id < 0 ? iface->id : 0;
}

void lkl_config_remove_devices(struct lkl_config *cfg)
{
	for (struct lkl_config_iface *i = cfg->ifaces; i; i = i->next) {
		if (i->nd)
			lkl_netdev_free(i->nd);
		i->nd = NULL;
		i->id = -1;
	}
}

int lkl_load_config_pre(struct lkl_config *cfg)
{
	struct lkl_config_iface *iface;
	int n = 0, err = 0;

	lkl_config_prepare(cfg);
	for (iface = cfg->ifaces; iface && !err; iface = iface->next)
		err = check_iface(iface, n++);
	for (iface = cfg->ifaces; iface && !err; iface = iface->next)
		err = set_defaults(cfg, iface);
	if (err)
		return err;
	if (!cfg->debug || !strtoul(cfg->debug, NULL, 0))
		lkl_host_ops.print = NULL;
	for (iface = cfg->ifaces; iface && !err; iface = iface->next)
		err = add_device(iface);
	if (err)
		lkl_config_remove_devices(cfg);
	else if (lkl_config_single_cpu(cfg) == 2)
		lkl_config_pin(); /* before the threads of devices begin */
	return err;
}
