// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl_disk_add - disks of the kernel
 *
 * A disk is a file, what an NBD server has, or what functions of the program make of
 * it.
 *
 * Functions: lkl_disk_add lkl_disk_remove lkl_disk_nbd_open lkl_disk_nbd_close
 * lkl_disk lkl_dev_blk_ops lkl_blk_req lkl_blk_limits
 */
#include <lkl.h>
#include <stdio.h>
#include <string.h>

/* A disk in memory. */
static char memory[8 << 20];

static int capacity(struct lkl_disk disk, unsigned long long *bytes)
{
	*bytes = disk.handle == memory ? sizeof(memory) : 0;
	return 0;
}

static int request(struct lkl_disk disk, struct lkl_blk_req *req)
{
	char *at = (char *)disk.handle + req->sector * 512;

	for (int i = 0; i < req->count; i++) {
		struct iovec *part = &req->buf[i];

		if (req->type == LKL_DEV_BLK_TYPE_READ)
			memcpy(part->iov_base, at, part->iov_len);
		else if (req->type == LKL_DEV_BLK_TYPE_WRITE)
			memcpy(at, part->iov_base, part->iov_len);
		at += part->iov_len;
	}
	return LKL_DEV_BLK_STATUS_OK;
}

int main(void)
{
	struct lkl_dev_blk_ops ops = { .get_capacity = capacity,
				       .request = request };
	struct lkl_disk disk = { .handle = memory, .ops = &ops };
	uint32_t dev;
	long fd;
	int id;

	lkl_init(&lkl_host_ops);
	lkl_host_ops.print = NULL;
	id = lkl_disk_add(&disk);
	lkl_start_kernel("mem=64M");
	if (id < 0 || lkl_get_virtio_blkdev(id, 0, &dev))
		return 1;
	lkl_sys_mknod("/disk", LKL_S_IFBLK | 0600, dev);
	fd = lkl_sys_open("/disk", LKL_O_RDWR, 0);
	lkl_sys_write(fd, "hello", 5);
	lkl_sys_fsync(fd);
	lkl_sys_close(fd);
	puts(memory);
	lkl_sys_halt();
	lkl_disk_remove(disk);
	lkl_cleanup();
	return strcmp(memory, "hello") != 0;
}
