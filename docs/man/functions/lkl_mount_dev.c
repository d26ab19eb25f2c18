// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl_mount_dev - mount file systems
 *
 * Functions: lkl_mount_dev lkl_umount_dev lkl_umount_timeout lkl_mount_fs
 * lkl_get_virtio_blkdev lkl_encode_dev_from_sysfs lkl_set_fd_limit
 */
#include <fcntl.h>
#include <lkl.h>
#include <stdio.h>

/* List the root directory of an ext4 image. */
int main(int argc, char **argv)
{
	struct lkl_disk disk = { .fd = argc > 1 ? open(argv[1], O_RDONLY) : -1 };
	struct lkl_linux_dirent64 *entry;
	struct lkl_dir *dir;
	char path[64];
	int id, error;
	long err;

	if (disk.fd < 0)
		return 2;
	lkl_init(&lkl_host_ops);
	lkl_host_ops.print = NULL;
	lkl_start_kernel("mem=64M");
	id = lkl_disk_add(&disk);
	err = id < 0 ? id
		     : lkl_mount_dev(id, 0, "ext4", LKL_MS_RDONLY, NULL, path,
				     sizeof(path));
	if (err) {
		lkl_perror("cannot mount", err);
		return 1;
	}
	dir = lkl_opendir(path, &error);
	while (dir && (entry = lkl_readdir(dir)))
		puts(entry->d_name);
	if (dir)
		lkl_closedir(dir);
	lkl_umount_dev(id, 0, 0, 1000);
	return lkl_sys_halt() ? 1 : 0;
}
