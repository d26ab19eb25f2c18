// SPDX-License-Identifier: GPL-2.0-only
/*
 * The default disk back end where there is nothing but POSIX: an image file by
 * its descriptor.  POSIX does not say how large a device is: some systems let
 * one seek to its end.  Nor does it make holes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lkl_host.h>

#include "../iov.h"

#define SECTOR 512
#define PARALLEL 16

_Static_assert(sizeof(off_t) == 8, "images are larger than 2 GiB");

static int get_capacity(struct lkl_disk disk, unsigned long long *bytes)
{
	struct stat st;
	off_t end;

	if (fstat(disk.fd, &st))
		return -errno;
	if (S_ISREG(st.st_mode)) {
		*bytes = st.st_size;
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	end = lseek(disk.fd, 0, SEEK_END);
	*bytes = end;
	return end > 0 ? 0 : -ENOTBLK;
}

static int get_limits(struct lkl_disk disk, struct lkl_blk_limits *limits)
{
	int mode = fcntl(disk.fd, F_GETFL);
	struct stat st;

	if (mode < 0 || fstat(disk.fd, &st))
		return -errno;
	if ((mode & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (mode & O_APPEND && (mode & O_ACCMODE) != O_RDONLY)
		return -EINVAL;
	if ((mode & O_ACCMODE) == O_RDONLY)
		limits->flags |= LKL_BLK_READ_ONLY;
	else
		limits->flags |= LKL_BLK_WRITE_ZEROES | LKL_BLK_SERIAL_WRITES;
	limits->parallel = PARALLEL;
	return 0;
}

static int transfer(int fd, const struct lkl_blk_req *req)
{
	bool write = req->type == LKL_DEV_BLK_TYPE_WRITE;
	off_t pos = req->sector * SECTOR;

	for (int i = 0; i < req->count; i++) {
		char *p = req->buf[i].iov_base;
		size_t left = req->buf[i].iov_len;

		while (left) {
			ssize_t n = write ? pwrite(fd, p, left, pos)
					  : pread(fd, p, left, pos);

			if (n < 0 && errno == EINTR)
				continue;
			/* An image may end within its last sector. */
			if (!n && !write && pos % SECTOR && left < SECTOR) {
				memset(p, 0, left);
				n = left;
			}
			if (n <= 0)
				return LKL_DEV_BLK_STATUS_IOERR;
			p += n;
			left -= n;
			pos += n;
		}
	}
	return LKL_DEV_BLK_STATUS_OK;
}

static int write_zeros(int fd, off_t pos, size_t left)
{
	static const char zeros[65536];

	while (left) {
		ssize_t n = pwrite(fd, zeros,
				   left < sizeof(zeros) ? left : sizeof(zeros),
				   pos);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return LKL_DEV_BLK_STATUS_IOERR;
		pos += n;
		left -= n;
	}
	return LKL_DEV_BLK_STATUS_OK;
}

static int request(struct lkl_disk disk, struct lkl_blk_req *req)
{
	switch (req->type) {
	case LKL_DEV_BLK_TYPE_READ:
	case LKL_DEV_BLK_TYPE_WRITE:
		return transfer(disk.fd, req);
	case LKL_DEV_BLK_TYPE_FLUSH:
	case LKL_DEV_BLK_TYPE_FLUSH_OUT:
		return fdatasync(disk.fd) ? LKL_DEV_BLK_STATUS_IOERR
					  : LKL_DEV_BLK_STATUS_OK;
	case LKL_DEV_BLK_TYPE_WRITE_ZEROES:
		return write_zeros(disk.fd, req->sector * SECTOR,
				   req->buf->iov_len);
	}
	return LKL_DEV_BLK_STATUS_UNSUP;
}

struct lkl_dev_blk_ops lkl_dev_blk_ops = {
	.get_capacity = get_capacity,
	.request = request,
	.get_limits = get_limits,
};
