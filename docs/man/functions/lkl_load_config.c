// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl_load_config - configure by a file in JSON, and by the environment
 *
 * lkl-config(5) describes both.
 *
 * Functions: lkl_load_config lkl_load_config_file lkl_load_config_json
 * lkl_load_config_env lkl_load_config_pre lkl_load_config_post lkl_unload_config
 * lkl_show_config lkl_config lkl_config_iface
 */
#include <lkl.h>
#include <lkl_config.h>
#include <stdio.h>

int main(void)
{
	struct lkl_config cfg = { 0 };
	long err;

	err = lkl_load_config_json(&cfg, "{ \"boot_cmdline\": \"mem=64M\","
					 "  \"sysctl\": \"net.ipv4.ip_forward=1\" }");
	if (err)
		return 1;
	lkl_init(&lkl_host_ops);
	err = lkl_load_config_pre(&cfg);
	if (!err)
		err = lkl_start_kernel("%s", cfg.boot_cmdline);
	if (!err)
		err = lkl_load_config_post(&cfg);
	printf("%s\n", err ? "failed" : "configured");
	lkl_unload_config(&cfg);
	lkl_sys_halt();
	return err ? 1 : 0;
}
