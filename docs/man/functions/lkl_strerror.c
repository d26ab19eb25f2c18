// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl_strerror - messages of the library, and of the kernel
 *
 * Functions: lkl_strerror lkl_perror lkl_printf lkl_bug lkl_register_dbg_handler
 */
#include <lkl.h>
#include <stdio.h>
#include <unistd.h>

static void to_stderr(const char *text, int len)
{
	if (write(STDERR_FILENO, text, len) < 0)
		return;
}

int main(void)
{
	lkl_init(&lkl_host_ops);
	lkl_host_ops.print = to_stderr;
	lkl_start_kernel("mem=64M loglevel=4");
	lkl_printf("the kernel's console is standard error\n");

	long fd = lkl_sys_open("/none", LKL_O_RDONLY, 0);

	if (fd < 0)
		printf("cannot open '/none': %s\n", lkl_strerror(fd));
	return lkl_sys_halt() ? 1 : 0;
}
