// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl_qdisc_add - queueing disciplines and settings of the kernel
 *
 * Functions: lkl_qdisc_add lkl_qdisc_parse_add lkl_sysctl lkl_sysctl_parse_write
 */
#include <lkl.h>
#include <stdio.h>

int main(void)
{
	long err;

	lkl_init(&lkl_host_ops);
	lkl_host_ops.print = NULL;
	lkl_start_kernel("mem=64M");
	err = lkl_sysctl("net.ipv4.tcp_congestion_control", "bbr");
	if (!err)
		err = lkl_qdisc_add(lkl_ifname_to_ifindex("lo"), "root", "fq");
	if (err)
		lkl_perror("cannot configure", err);
	lkl_sys_halt();
	return err ? 1 : 0;
}
