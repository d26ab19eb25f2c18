/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Disks for tests without a kernel (driver.h).  Images are made in the working
 * directory.
 */
#ifndef TESTS_BLOCK_H
#define TESTS_BLOCK_H

#include "driver.h"

static struct driver drv;

static const char image[] = "disk.img";
static struct lkl_disk disk;
static struct lkl_vdev *disk_dev;

static inline const struct lkl_virtio_blk_config *config(void)
{
	return disk_dev->dev.config;
}

static inline void disk_setup_ops(int fd, struct lkl_dev_blk_ops *ops,
				  void *handle)
{
	disk = (struct lkl_disk){ .ops = ops };
	if (ops)
		disk.handle = handle;
	else
		disk.fd = fd;
	assert_int_equal(lkl_disk_add(&disk), 0);
	disk_dev = disk.dev;
	assert_int_equal(lkl_vdevs_start(&host), 0);
	assert_ptr_equal(host.virtio_next(NULL), &disk_dev->dev);
	assert_null(host.virtio_next(&disk_dev->dev));
	lkl_vdevs_started(true);
	assert_int_equal(disk_dev->dev.id, LKL_VIRTIO_ID_BLOCK);
	driver_start(&drv, &disk_dev->dev, 64, EVENT_IDX | INDIRECT);
}

static inline int open_image(unsigned long long size, int flags)
{
	int fd = open(image, flags | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	if (size)
		assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

static inline int disk_setup(unsigned long long size, int flags)
{
	int fd = open_image(size, flags);

	disk_setup_ops(fd, NULL, NULL);
	return fd;
}

static inline void disk_teardown(int fd)
{
	driver_stop(&drv);
	lkl_vdevs_stop();
	assert_int_equal(lkl_disk_remove(disk), 0);
	assert_int_equal(lkl_disk_remove(disk), -LKL_EINVAL);
	assert_int_equal(threads_alive, 0);
	if (fd >= 0) {
		close(fd);
		unlink(image);
	}
}

struct blk_request {
	struct request req;
	struct lkl_virtio_blk_outhdr hdr;
	uint8_t status;
};

/* With the CPU held. */
static inline void blk_add(struct blk_request *r, unsigned int type,
			   unsigned long long sector, const struct iovec *data,
			   unsigned int count, bool out)
{
	struct iovec iov[260];

	assert_true(count < 258);
	r->hdr = (struct lkl_virtio_blk_outhdr){ .type = type,
						 .sector = sector };
	r->status = 0xee;
	iov[0] = (struct iovec){ &r->hdr, sizeof(r->hdr) };
	if (count)
		memcpy(&iov[1], data, count * sizeof(*iov));
	iov[count + 1] = (struct iovec){ &r->status, 1 };
	driver_add(&drv, &r->req, iov, 1 + (out ? count : 0),
		   1 + (out ? 0 : count), count > 2 || sector % 2);
}

static inline void blk_wait(struct blk_request *r)
{
	while (!__atomic_load_n(&r->req.done, __ATOMIC_ACQUIRE)) {
		cpu_lock();
		cpu_unlock();
		usleep(20);
	}
}

static inline int blk_do(unsigned int type, unsigned long long sector,
			 void *buf, size_t len)
{
	bool out = type != LKL_VIRTIO_BLK_T_IN &&
		   type != LKL_VIRTIO_BLK_T_GET_ID;
	struct iovec iov = { buf, len };
	struct blk_request r;

	cpu_lock();
	blk_add(&r, type, sector, &iov, !!len, out);
	driver_kick(&drv);
	cpu_unlock();
	blk_wait(&r);
	assert_int_equal(r.req.len, !out && !r.status ? len + 1 : 1);
	return r.status;
}

static inline int blk_read(unsigned long long sector, void *buf, size_t len)
{
	return blk_do(LKL_VIRTIO_BLK_T_IN, sector, buf, len);
}

static inline int blk_write(unsigned long long sector, void *buf, size_t len)
{
	return blk_do(LKL_VIRTIO_BLK_T_OUT, sector, buf, len);
}

static inline int blk_range(unsigned int type, unsigned long long sector,
			    unsigned int sectors, unsigned int flags)
{
	struct lkl_virtio_blk_discard_write_zeroes range = {
		.sector = sector,
		.num_sectors = sectors,
		.flags = flags,
	};

	return blk_do(type, 0, &range, sizeof(range));
}

static inline void fill(void *buf, size_t len, unsigned int seed)
{
	uint32_t *p = buf;

	for (; len; len -= 4)
		*p++ = seed = seed * 1664525 + 1013904223;
}

static inline bool all_zero(const char *buf, size_t len)
{
	while (len && !*buf) {
		buf++;
		len--;
	}
	return !len;
}

#endif /* TESTS_BLOCK_H */
