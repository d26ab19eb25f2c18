// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl_opendir - read directories
 *
 * Functions: lkl_opendir lkl_fdopendir lkl_readdir lkl_rewinddir lkl_closedir
 * lkl_errdir lkl_dirfd
 */
#include <lkl.h>
#include <stdio.h>

int main(void)
{
	struct lkl_linux_dirent64 *entry;
	struct lkl_dir *dir;
	int err;

	lkl_init(&lkl_host_ops);
	lkl_host_ops.print = NULL;
	lkl_start_kernel("mem=64M");
	dir = lkl_opendir("/", &err);
	if (!dir) {
		lkl_perror("cannot open '/'", err);
		return 1;
	}
	while ((entry = lkl_readdir(dir)))
		puts(entry->d_name);
	err = lkl_errdir(dir);
	lkl_closedir(dir);
	lkl_sys_halt();
	return err ? 1 : 0;
}
