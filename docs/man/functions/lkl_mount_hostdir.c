// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl_mount_hostdir - show directories of the host in the library's kernel
 *
 * Functions: lkl_mount_hostdir lkl_umount_hostdir
 */
#include <lkl.h>
#include <stdio.h>

/* Put a layer in memory over a directory of the host, and change a file there.
 */
int main(void)
{
	long fd;
	int err;

	lkl_init(&lkl_host_ops);
	lkl_host_ops.print = NULL;
	lkl_start_kernel("mem=64M");
	err = lkl_mount_hostdir(".", "/host", LKL_MS_RDONLY);
	if (err) {
		lkl_perror("cannot show the directory", err);
		return 1;
	}
	lkl_sys_mkdir("/mem", 0755);
	lkl_sys_mount("tmpfs", "/mem", "tmpfs", 0, NULL);
	lkl_sys_mkdir("/mem/up", 0755);
	lkl_sys_mkdir("/mem/work", 0755);
	lkl_sys_mkdir("/both", 0755);
	err = lkl_sys_mount(
		"overlay", "/both", "overlay", 0,
		"lowerdir=/host,upperdir=/mem/up,workdir=/mem/work");
	fd = err ? err
		 : lkl_sys_open("/both/new", LKL_O_CREAT | LKL_O_RDWR, 0644);
	printf("%ld bytes, not on the host\n",
	       fd < 0 ? fd : lkl_sys_write(fd, "hello", 5));
	lkl_sys_close(fd);
	lkl_sys_umount("/both", 0);
	lkl_umount_hostdir("/host");
	return lkl_sys_halt() ? 1 : 0;
}
