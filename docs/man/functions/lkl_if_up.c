// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl_if_up - configure the network
 *
 * Addresses are in network byte order.  All happens in the network namespace of the
 * calling thread.
 *
 * Functions: lkl_ifname_to_ifindex lkl_if_up lkl_if_down lkl_if_set_mtu
 * lkl_if_set_ipv4 lkl_set_ipv4_gateway lkl_if_set_ipv4_gateway lkl_if_set_ipv6
 * lkl_set_ipv6_gateway lkl_if_set_ipv6_gateway lkl_if_add_ip lkl_if_del_ip
 * lkl_add_gateway lkl_if_add_rule_from_saddr lkl_if_add_gateway
 * lkl_if_add_linklocal lkl_add_neighbor lkl_if_wait_ipv6_dad
 */
#include <arpa/inet.h>
#include <lkl.h>
#include <stdio.h>

int main(void)
{
	int lo;

	lkl_init(&lkl_host_ops);
	lkl_host_ops.print = NULL;
	lkl_start_kernel("mem=64M");
	lo = lkl_ifname_to_ifindex("lo");
	if (lkl_if_up(lo) || lkl_if_set_mtu(lo, 9000) ||
	    lkl_if_set_ipv4(lo, inet_addr("10.1.2.3"), 24))
		return 1;
	printf("interface %d is up\n", lo);
	return lkl_sys_halt() ? 1 : 0;
}
