// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl_start_kernel - the life of the kernel
 *
 * The functions come in this order, and any number of times.
 *
 * Functions: lkl_init lkl_prepare_kernel lkl_start_kernel lkl_is_running lkl_sys_halt
 *	lkl_cleanup
 */
#include <lkl.h>
#include <stdio.h>

int main(void)
{
	for (int i = 0; i < 3; i++) {
		long err = lkl_init(&lkl_host_ops);

		lkl_host_ops.print = NULL;
		if (!err)
			err = lkl_start_kernel("mem=%dM loglevel=4", 64);
		if (err) {
			lkl_perror("cannot start", err);
			return 1;
		}
		printf("process %ld\n", lkl_sys_getpid());
		lkl_sys_halt();
		lkl_cleanup();
	}
	return 0;
}
