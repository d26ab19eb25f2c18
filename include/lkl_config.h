/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration by a file in JSON and by environment variables, as
 * lkl-hijack.sh and lkl-run use it; lkl-config(5) describes both.
 *
 *	struct lkl_config cfg = { 0 };
 *
 *	lkl_load_config(&cfg);
 *	lkl_init(&lkl_host_ops);
 *	lkl_load_config_pre(&cfg);
 *	lkl_start_kernel("%s maxcpus=%s", cfg.boot_cmdline ?: "",
 *			 cfg.maxcpus ?: "1");
 *	lkl_load_config_post(&cfg);
 *	...
 *	lkl_unload_config(&cfg);
 *	lkl_sys_halt();
 *	lkl_cleanup();
 *
 * Every function that fails has said why in a line on standard error.
 */
#ifndef LKL_CONFIG_H
#define LKL_CONFIG_H

#include <lkl_host.h>

#pragma GCC visibility push(default)

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct lkl_config_iface - an interface
 *
 * Settings are as they were given, and NULL when they were not.
 *
 * @next: the next interface
 * @nd: its wire, made by lkl_load_config_pre()
 * @id: what lkl_netdev_add() returned
 */
struct lkl_config_iface {
	char *iftype;
	char *ifparams;
	char *ifmtu_str;
	char *ifmac_str;
	char *ifip;
	char *ifnetmask_len;
	char *ifipv6;
	char *ifnetmask6_len;
	char *ifgateway;
	char *ifgateway6;
	char *ifneigh_entries;
	char *ifqdisc_entries;
	char *ifoffload_str;
	char *ifpcap;

	struct lkl_config_iface *next;
	struct lkl_netdev *nd;
	int id;
};

/**
 * struct lkl_config - a configuration
 *
 * Settings are as they were given, and NULL when they were not; they have been
 * checked.
 *
 * @ifnum: number of interfaces
 * @ifaces: the interfaces, a list
 * @magic: set when the rest is valid, for callers that do not zero it
 */
struct lkl_config {
	char *gateway;
	char *gateway6;
	char *debug;
	char *single_cpu;
	char *sysctls;
	char *boot_cmdline;
	char *mount;
	char *dump;
	char *delay_main;
	char *nameserver;
	char *policy;
	char *maxcpus;
	char *hostdir;

	int ifnum;
	struct lkl_config_iface *ifaces;
	unsigned long magic;
};

/**
 * lkl_load_config - read the configuration that a program runs with
 * @cfg: the configuration
 *
 * Reads the file that LKL_HIJACK_CONFIG_FILE names, or lkl-hijack.json in the
 * working directory if there is one, and then the environment.
 *
 * Return: 0, or a negative error number and @cfg has not changed
 */
int lkl_load_config(struct lkl_config *cfg);

/**
 * lkl_load_config_file - read a file
 * @cfg: the configuration, which is replaced
 * @path: the file
 *
 * Return: 0, or a negative error number and @cfg has not changed
 */
int lkl_load_config_file(struct lkl_config *cfg, const char *path);

/**
 * lkl_load_config_json - read what such a file holds
 * @cfg: the configuration, which is replaced
 * @json_text: the text
 *
 * Return: 0, or a negative error number and @cfg has not changed
 */
int lkl_load_config_json(struct lkl_config *cfg, const char *json_text);

/**
 * lkl_load_config_env - take what is not set yet from the environment
 * @cfg: the configuration
 *
 * Return: 0, or a negative error number and @cfg has not changed
 */
int lkl_load_config_env(struct lkl_config *cfg);

/**
 * lkl_load_config_pre - do what comes before the boot
 * @cfg: the configuration
 *
 * Makes the devices, and silences the kernel unless debug is set.
 *
 * Return: 0, or a negative error number and there are no devices
 */
int lkl_load_config_pre(struct lkl_config *cfg);

/**
 * lkl_load_config_post - do what comes after the boot
 * @cfg: the configuration
 *
 * Mounts, also directories of the host, sets sysctls and the name server, configures the interfaces.
 *
 * Return: 0, or a negative error number and the interfaces are down
 */
int lkl_load_config_post(struct lkl_config *cfg);

/**
 * lkl_unload_config - end what the configuration began
 * @cfg: the configuration; empty afterwards
 *
 * Prints the files that "dump" names if the kernel runs, removes the devices,
 * and frees what the other functions allocated.
 *
 * Return: 0
 */
int lkl_unload_config(struct lkl_config *cfg);

/**
 * lkl_show_config - print what is set to standard error, a line each
 * @cfg: the configuration
 */
void lkl_show_config(const struct lkl_config *cfg);

/* The name by which programs know lkl_show_config(). */
static inline void show_config(struct lkl_config *cfg)
{
	lkl_show_config(cfg);
}

#ifdef __cplusplus
}
#endif

#pragma GCC visibility pop

#endif /* LKL_CONFIG_H */
