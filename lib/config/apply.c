// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a configuration does after the boot, and at the end.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lkl.h>

#include "../rtnl.h"
#include "config.h"

/* Say what could not be done with what; returns the error. */
static int failed(const char *key, const char *value, int err)
{
	if (err)
		fprintf(stderr, "lkl: %s '%s': %s\n", key, value,
			lkl_strerror(err));
	return err;
}

static int mount_all(const char *list)
{
	char *copy = strdup(list), *rest = copy, *type;
	int err = copy ? 0 : -LKL_ENOMEM;

	while (err >= 0 && (type = strsep(&rest, ", ")))
		if (*type)
			err = lkl_mount_fs(type);
	free(copy);
	return failed("mount", list, err < 0 ? err : 0);
}

/* The library kernel's own /etc/resolv.conf. */
static int write_resolv_conf(const char *servers)
{
	char *copy = strdup(servers), *rest = copy, *server, line[300];
	int fd, len, err = copy ? 0 : -LKL_ENOMEM;

	lkl_sys_mkdirat(LKL_AT_FDCWD, "/etc", 0755);
	fd = lkl_sys_openat(LKL_AT_FDCWD, "/etc/resolv.conf",
			    LKL_O_WRONLY | LKL_O_CREAT | LKL_O_TRUNC, 0644);
	if (fd < 0)
		err = fd;
	while (!err && (server = strsep(&rest, ", "))) {
		if (!*server)
			continue;
		len = snprintf(line, sizeof(line), "nameserver %.256s\n",
			       server);
		len -= lkl_sys_write(fd, line, len);
		err = len ? -LKL_EIO : 0;
	}
	if (fd >= 0)
		lkl_sys_close(fd);
	free(copy);
	return failed("nameserver", servers, err);
}

/* Addresses of an interface; IPv6 ones are not ready yet. */
static int set_addresses(const struct lkl_config_iface *iface, int ifindex)
{
	unsigned char addr[16];
	uint32_t ip;
	int err = 0;

	if (iface->ifmtu_str)
		err = failed("mtu", iface->ifmtu_str,
			     lkl_if_set_mtu(ifindex, atoi(iface->ifmtu_str)));
	if (!err)
		err = failed("up", iface->iftype, lkl_if_up(ifindex));
	if (!err && iface->ifqdisc_entries)
		err = rtnl_qdiscs(ifindex, iface->ifqdisc_entries);
	if (!err && iface->ifip) {
		inet_pton(AF_INET, iface->ifip, &ip);
		err = failed("ip", iface->ifip,
			     lkl_if_set_ipv4(ifindex, ip,
					     atoi(iface->ifnetmask_len)));
	}
	if (!err && iface->ifipv6) {
		inet_pton(AF_INET6, iface->ifipv6, addr);
		err = lkl_if_add_ip(ifindex, LKL_AF_INET6, addr,
				    atoi(iface->ifnetmask6_len));
		err = failed("ipv6", iface->ifipv6,
			     err == -LKL_EEXIST ? 0 : err);
	}
	return err;
}

static int set_routes(const struct lkl_config_iface *iface, int ifindex)
{
	unsigned char addr[16], gw6[16];
	uint32_t ip, gw;
	int err = 0;

	/* Unless a gateway is told, which will replace it. */
	if (iface->nd->flags & LKL_NETDEV_NOARP) {
		if (iface->ifip)
			err = rtnl_default_route(ifindex, LKL_AF_INET);
		if (!err && iface->ifipv6)
			err = rtnl_default_route(ifindex, LKL_AF_INET6);
		failed("default route", iface->iftype, err);
	}
	if (!err && iface->ifgateway) {
		inet_pton(AF_INET, iface->ifip, &ip);
		inet_pton(AF_INET, iface->ifgateway, &gw);
		err = failed("ifgateway", iface->ifgateway,
			     lkl_if_set_ipv4_gateway(ifindex, ip,
						     atoi(iface->ifnetmask_len),
						     gw));
	}
	if (!err && iface->ifgateway6) {
		inet_pton(AF_INET6, iface->ifipv6, addr);
		inet_pton(AF_INET6, iface->ifgateway6, gw6);
		err = failed("ifgateway6", iface->ifgateway6,
			     lkl_if_set_ipv6_gateway(
				     ifindex, addr, atoi(iface->ifnetmask6_len),
				     gw6));
	}
	if (!err && iface->ifneigh_entries)
		err = failed("neigh", iface->ifneigh_entries,
			     rtnl_entries(iface->ifneigh_entries,
					  lkl_config_neighbour, &ifindex));
	return err;
}

/* Wait until an interface's IPv6 address can be used. */
static int wait_address(const struct lkl_config_iface *iface, int ifindex)
{
	unsigned char addr[16];
	int err;

	if (!iface->ifipv6)
		return 0;
	inet_pton(AF_INET6, iface->ifipv6, addr);
	err = lkl_if_wait_ipv6_dad(ifindex, addr);
	/* Without link it will be ready some time after there is one. */
	return failed("ipv6", iface->ifipv6, err == -LKL_ENETDOWN ? 0 : err);
}

/* A step for all interfaces. */
static int for_ifaces(const struct lkl_config *cfg,
		      int (*fn)(const struct lkl_config_iface *iface,
				int ifindex))
{
	int ifindex, err = 0;

	for (struct lkl_config_iface *i = cfg->ifaces; i && !err; i = i->next) {
		ifindex = lkl_netdev_get_ifindex(i->id);
		err = ifindex < 0 ? failed("interface", i->iftype, ifindex)
				  : fn(i, ifindex);
	}
	return err;
}

static int set_down(const struct lkl_config_iface *iface, int ifindex)
{
	(void)iface;
	lkl_if_down(ifindex);
	return 0;
}

static int configure(const struct lkl_config *cfg)
{
	unsigned char gw6[16];
	uint32_t gw;
	int err = 0;

	if (cfg->mount)
		err = mount_all(cfg->mount);
	if (!err && cfg->hostdir)
		err = failed(
			"hostdir", cfg->hostdir,
			rtnl_entries(cfg->hostdir, lkl_config_hostdir, &err));
	if (!err && cfg->nameserver)
		err = write_resolv_conf(cfg->nameserver);
	if (!err && cfg->sysctls)
		err = rtnl_sysctls(cfg->sysctls);
	if (!err)
		err = failed("interface", "lo", lkl_if_up(1));
	/* Addresses of all are under test at the same time. */
	if (!err)
		err = for_ifaces(cfg, set_addresses);
	if (!err)
		err = for_ifaces(cfg, set_routes);
	if (!err && cfg->gateway) {
		inet_pton(AF_INET, cfg->gateway, &gw);
		err = failed("gateway", cfg->gateway, lkl_set_ipv4_gateway(gw));
	}
	if (!err && cfg->gateway6) {
		inet_pton(AF_INET6, cfg->gateway6, gw6);
		err = failed("gateway6", cfg->gateway6,
			     lkl_set_ipv6_gateway(gw6));
	}
	if (!err)
		err = for_ifaces(cfg, wait_address);
	return err;
}

int lkl_load_config_post(struct lkl_config *cfg)
{
	int err;

	lkl_config_prepare(cfg);
	if (lkl_config_single_cpu(cfg) == 1)
		lkl_config_pin();
	err = configure(cfg);
	if (err)
		for_ifaces(cfg, set_down);
	return err;
}

static void dump_file(const char *path)
{
	char buf[4096];
	long fd, len = 0;

	fd = lkl_sys_openat(LKL_AT_FDCWD, path, LKL_O_RDONLY, 0);
	if (fd >= 0) {
		fprintf(stderr, "==> %s <==\n", path);
		while ((len = lkl_sys_read(fd, buf, sizeof(buf))) > 0)
			fwrite(buf, 1, len, stderr);
		lkl_sys_close(fd);
	}
	if (fd < 0 || len < 0)
		failed("dump", path, fd < 0 ? fd : len);
}

int lkl_unload_config(struct lkl_config *cfg)
{
	char *rest = cfg->dump, *path;

	if (cfg->magic != CONFIG_MAGIC)
		return 0;
	if (lkl_is_running())
		while ((path = strsep(&rest, ", ")))
			if (*path)
				dump_file(path);
	lkl_config_remove_devices(cfg);
	lkl_config_free(cfg);
	return 0;
}
