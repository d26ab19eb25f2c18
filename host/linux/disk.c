// SPDX-License-Identifier: GPL-2.0-only
/*
 * The default disk back end: an image file or block device by its descriptor.
 *
 * Nothing is kept but the descriptor, and how it was opened decides: O_RDONLY
 * makes a read-only disk, O_DIRECT one that bypasses the host's page cache and
 * has the block size which that asks for.
 *
 * What the disk no longer needs becomes a hole in the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <lkl_host.h>
#include "../iov.h"
#include "linux.h"

#define SECTOR 512
/* What is worth doing under the virtual CPU rather than beside it. */
#define INLINE_MAX 65536
#define PARALLEL 16
/* Strictest alignment that O_DIRECT asks for. */
#define DIRECT_MAX 4096

_Static_assert(sizeof(off_t) == 8, "images are larger than 2 GiB");

static int fd_get_capacity(struct lkl_disk disk, unsigned long long *bytes)
{
	struct stat st;
	uint64_t size;

	if (fstat(disk.fd, &st))
		return -errno;
	if (S_ISREG(st.st_mode)) {
		*bytes = st.st_size;
		return 0;
	}
	if (!S_ISBLK(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -ENOTBLK;
	if (ioctl(disk.fd, BLKGETSIZE64, &size))
		return -errno;
	*bytes = size;
	return 0;
}

/* The smallest block that the host takes with O_DIRECT. */
static unsigned int direct_block(int fd)
{
	alignas(DIRECT_MAX) char buf[DIRECT_MAX];
	unsigned int size;

	for (size = SECTOR; size < DIRECT_MAX; size *= 2) {
		if (pread(fd, buf, size, size) >= 0)
			break;
	}
	return size;
}

static bool in_memory(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) &&
	       (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

static int fd_get_limits(struct lkl_disk disk, struct lkl_blk_limits *limits)
{
	int mode = fcntl(disk.fd, F_GETFL), read_only = 0;
	unsigned int unit = DIRECT_MAX, block;
	struct stat st;

	if (mode < 0 || fstat(disk.fd, &st))
		return -errno;
	if ((mode & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	/* Linux appends whatever position a write names. */
	if (mode & O_APPEND && (mode & O_ACCMODE) != O_RDONLY)
		return -EINVAL;

	if (S_ISBLK(st.st_mode)) {
		ioctl(disk.fd, BLKPBSZGET, &unit);
		ioctl(disk.fd, BLKROGET, &read_only);
		if (!ioctl(disk.fd, BLKSSZGET, &block))
			limits->block_size = block;
	} else if (st.st_blksize >= SECTOR && st.st_blksize < DIRECT_MAX) {
		unit = st.st_blksize;
	}
	if (mode & O_DIRECT && S_ISREG(st.st_mode))
		limits->block_size = direct_block(disk.fd);
	if (unit < limits->block_size)
		unit = limits->block_size;
	limits->physical_size = unit;
	limits->discard_size = unit;

	if (read_only || (mode & O_ACCMODE) == O_RDONLY)
		limits->flags |= LKL_BLK_READ_ONLY;
	else
		limits->flags |= LKL_BLK_DISCARD | LKL_BLK_WRITE_ZEROES;

	limits->parallel = PARALLEL;
	limits->inline_max = INLINE_MAX;
	if (in_memory(disk.fd))
		limits->flags |= LKL_BLK_MEMORY | LKL_BLK_SERIAL_WRITES;
	else if (!(mode & O_DIRECT))
		limits->flags |= LKL_BLK_NOWAIT | LKL_BLK_SERIAL_WRITES;
	return 0;
}

/*
 * preadv2 or pwritev2.  Not by the C library, which would write errno: on the
 * thread that happens to run the kernel that may be another runtime's memory.
 *
 * Return: as the system call, with a negative error number
 */
static long vector_io(bool write, int fd, const struct iovec *iov, long count,
		      off_t pos, bool nowait)
{
	if (count > IOV_MAX)
		count = IOV_MAX;
	return raw_syscall(write ? __NR_pwritev2 : __NR_preadv2, fd, (long)iov,
			   count, pos, 0, nowait ? RWF_NOWAIT : 0);
}

static int transfer(int fd, struct lkl_blk_req *req)
{
	bool write = req->type == LKL_DEV_BLK_TYPE_WRITE;
	bool nowait = req->flags & LKL_BLK_REQ_NOWAIT;
	off_t pos = req->sector * SECTOR, start = pos;
	struct iovec *iov = req->buf;
	int count = req->count;
	long n;

	for (n = 0;; n = n > 0 ? n : 0) {
		unsigned int used = iov_skip(iov, count, n);

		iov += used;
		count -= used;
		if (!count)
			return LKL_DEV_BLK_STATUS_OK;

		n = vector_io(write, fd, iov, count, pos, nowait);
		if (n == -EINTR)
			continue;
		if (nowait && n == -EAGAIN)
			return LKL_DEV_BLK_STATUS_AGAIN;
		if (nowait && (n == -EOPNOTSUPP || n == -ENOSYS))
			return LKL_DEV_BLK_STATUS_UNSUP;
		if (n <= 0)
			break;
		pos += n;
	}

	/*
	 * An image may end within its last sector, but not before.  O_DIRECT
	 * does not take the odd position that is left then.
	 */
	if (!write && (!n || n == -EINVAL) && pos > start &&
	    iov_length(iov, count) < SECTOR) {
		for (; count; iov++, count--)
			memset(iov->iov_base, 0, iov->iov_len);
		return LKL_DEV_BLK_STATUS_OK;
	}
	return LKL_DEV_BLK_STATUS_IOERR;
}

static bool unsupported(int err)
{
	return err == EOPNOTSUPP || err == ENOSYS || err == ENODEV ||
	       err == ENOTTY;
}

static int write_zeros(int fd, off_t pos, size_t len)
{
	static alignas(DIRECT_MAX) const char zeros[65536];

	while (len) {
		size_t n = len < sizeof(zeros) ? len : sizeof(zeros);
		ssize_t ret = pwrite(fd, zeros, n, pos);

		if (ret < 0 && errno == EINTR)
			continue;
		if (ret <= 0)
			return LKL_DEV_BLK_STATUS_IOERR;
		pos += ret;
		len -= ret;
	}
	return LKL_DEV_BLK_STATUS_OK;
}

static int change_range(int fd, int mode, off_t pos, off_t len)
{
	while (fallocate(fd, mode | FALLOC_FL_KEEP_SIZE, pos, len)) {
		if (errno == EINTR)
			continue;
		return unsupported(errno) ? LKL_DEV_BLK_STATUS_UNSUP
					  : LKL_DEV_BLK_STATUS_IOERR;
	}
	return LKL_DEV_BLK_STATUS_OK;
}

static int discard(int fd, off_t pos, off_t len)
{
	int status = change_range(fd, FALLOC_FL_PUNCH_HOLE, pos, len);
	uint64_t range[2] = { pos, len };

	/* A device may discard, but not promise zeros. */
	if (status != LKL_DEV_BLK_STATUS_UNSUP)
		return status;
	if (!ioctl(fd, BLKDISCARD, range))
		return LKL_DEV_BLK_STATUS_OK;
	return unsupported(errno) ? LKL_DEV_BLK_STATUS_UNSUP
				  : LKL_DEV_BLK_STATUS_IOERR;
}

static int write_zeroes(int fd, bool unmap, off_t pos, off_t len)
{
	int status = change_range(
		fd, unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE, pos,
		len);

	return status == LKL_DEV_BLK_STATUS_UNSUP ? write_zeros(fd, pos, len)
						  : status;
}

static int fd_request(struct lkl_disk disk, struct lkl_blk_req *req)
{
	off_t pos = req->sector * SECTOR;

	switch (req->type) {
	case LKL_DEV_BLK_TYPE_READ:
	case LKL_DEV_BLK_TYPE_WRITE:
		return transfer(disk.fd, req);
	case LKL_DEV_BLK_TYPE_FLUSH:
	case LKL_DEV_BLK_TYPE_FLUSH_OUT:
		return fdatasync(disk.fd) ? LKL_DEV_BLK_STATUS_IOERR
					  : LKL_DEV_BLK_STATUS_OK;
	case LKL_DEV_BLK_TYPE_DISCARD:
		return discard(disk.fd, pos, req->buf->iov_len);
	case LKL_DEV_BLK_TYPE_WRITE_ZEROES:
		return write_zeroes(disk.fd, req->flags & LKL_BLK_REQ_UNMAP,
				    pos, req->buf->iov_len);
	}
	return LKL_DEV_BLK_STATUS_UNSUP;
}

struct lkl_dev_blk_ops lkl_dev_blk_ops = {
	.get_capacity = fd_get_capacity,
	.request = fd_request,
	.get_limits = fd_get_limits,
};
