// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl_freeze - return to a state of the kernel, again and again
 *
 * Functions: lkl_freeze lkl_reset lkl_thaw
 */
#include <lkl.h>
#include <stdio.h>

int main(void)
{
	long err;

	lkl_init(&lkl_host_ops);
	lkl_host_ops.print = NULL;
	lkl_start_kernel("mem=64M loglevel=4");
	lkl_sys_mkdir("/before", 0755);
	err = lkl_freeze();
	for (int i = 0; i < 100 && !err; i++) {
		/* it is never there: each round begins with the same state */
		err = lkl_sys_mkdir("/after", 0755);
		if (!err)
			err = lkl_reset();
	}
	if (!err)
		err = lkl_thaw();
	if (err)
		lkl_perror("cannot return", err);
	else
		printf("100 rounds\n");
	lkl_sys_halt();
	return err ? 1 : 0;
}
