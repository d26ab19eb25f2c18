// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl_netdev_add - network interfaces of the kernel, and their wires
 *
 * lkl-wires(7) describes the wires.
 *
 * Functions: lkl_netdev_add lkl_netdev_remove lkl_netdev_free lkl_netdev_get_ifindex
 * lkl_netdev_tap_create lkl_netdev_fd_create lkl_netdev_user_create
 * lkl_netdev_pipe_create lkl_netdev_raw_create lkl_netdev_macvtap_create
 * lkl_netdev_vde_create lkl_netdev_vhost_user_create
 * lkl_netdev_vhost_user_server_create lkl_netdev_dpdk_create
 * lkl_netdev_xdp_create
 * lkl_netdev_wintap_create lkl_netdev lkl_netdev_args lkl_dev_net_ops
 */
#include <lkl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Print the length of the first frame that an interface sends. */
int main(void)
{
	struct lkl_netdev *nd;
	char frame[2048];
	int end[2], id;
	ssize_t len;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, end))
		return 1;
	nd = lkl_netdev_fd_create(end[0], 0);
	if (!nd)
		return 1;
	lkl_init(&lkl_host_ops);
	lkl_host_ops.print = NULL;
	id = lkl_netdev_add(nd, NULL);
	lkl_start_kernel("mem=64M");
	lkl_if_up(lkl_netdev_get_ifindex(id));
	len = read(end[1], frame, sizeof(frame));
	printf("%zd bytes\n", len);
	lkl_sys_halt();
	lkl_netdev_remove(id);
	lkl_netdev_free(nd);
	lkl_cleanup();
	return len <= 0;
}
