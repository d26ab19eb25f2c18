// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that concern the contents of files.
 *
 * Large reads go from the image straight into the reply: what the host's kernel
 * caches need not be in the library's page cache, too.
 */
#include <lkl.h>

#include "ops.h"

#define DIRECT_READ (1 << 16)

/* Answering so says that the kernel need not ask, and tell, any more. */
void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	reply_err(req, -LKL_ENOSYS);
}

static long read_as(fuse_ino_t ino, enum inode_use use, char *buf, size_t size,
		    off_t off)
{
	int fd = inode_open(ino, use);
	long n;

	if (fd < 0)
		return fd;
	n = lkl_sys_pread64(fd, buf, size, off);
	inode_close(ino);
	return n;
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
	     struct fuse_file_info *fi)
{
	struct worker *w = worker();
	long n = w ? -LKL_EINVAL : -LKL_ENOMEM;

	(void)fi;
	if (size > MAX_READ)
		size = MAX_READ;
	if (w && size >= DIRECT_READ)
		n = read_as(ino, INODE_DIRECT, w->buf, size, off);
	/* not every file system can, and none at any position */
	if (n == -LKL_EINVAL)
		n = read_as(ino, INODE_READ, w->buf, size, off);
	if (n < 0)
		reply_err(req, n);
	else
		fuse_reply_buf(req, w->buf, n);
}

void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size,
	      off_t off, struct fuse_file_info *fi)
{
	int fd = inode_open(ino, INODE_WRITE);
	struct worker *w = worker();
	long n = fd < 0 ? fd : w ? 0 : -LKL_ENOMEM;

	(void)fi;
	if (!n) {
		may_set_ids(w, is_root(req));
		n = lkl_sys_pwrite64(fd, buf, size, off);
	}
	if (fd >= 0)
		inode_close(ino);
	if (n < 0)
		reply_err(req, n);
	else
		fuse_reply_write(req, n);
}

void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
	      struct fuse_file_info *fi)
{
	int fd = inode_open(ino, INODE_READ);
	int err = fd;

	(void)fi;
	if (fd >= 0) {
		err = datasync ? lkl_sys_fdatasync(fd) : lkl_sys_fsync(fd);
		inode_close(ino);
	}
	reply_err(req, err);
}

void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off,
		  off_t len, struct fuse_file_info *fi)
{
	int fd = inode_open(ino, INODE_WRITE);
	int err = fd;

	(void)fi;
	if (fd >= 0) {
		err = lkl_sys_fallocate(fd, mode, off, len);
		inode_close(ino);
	}
	reply_err(req, err);
}

/* The position it sets is nobody's: reads and writes name theirs. */
void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
	      struct fuse_file_info *fi)
{
	int fd = inode_open(ino, INODE_READ);
	off_t pos = fd;

	(void)fi;
	if (fd >= 0) {
		pos = lkl_sys_lseek(fd, off, whence);
		inode_close(ino);
	}
	if (pos < 0)
		reply_err(req, pos);
	else
		fuse_reply_lseek(req, pos);
}

void op_copy_file_range(fuse_req_t req, fuse_ino_t in, off_t off_in,
			struct fuse_file_info *fi_in, fuse_ino_t out,
			off_t off_out, struct fuse_file_info *fi_out,
			size_t len, int flags)
{
	int from = inode_open(in, INODE_READ);
	int to = inode_open(out, INODE_WRITE);
	lkl_loff_t pos_in = off_in, pos_out = off_out;
	long n = from < 0 ? from : to;

	(void)fi_in;
	(void)fi_out;
	if (from >= 0 && to >= 0)
		n = lkl_sys_copy_file_range(from, &pos_in, to, &pos_out, len,
					    flags);
	if (from >= 0)
		inode_close(in);
	if (to >= 0)
		inode_close(out);
	if (n < 0)
		reply_err(req, n);
	else
		fuse_reply_write(req, n);
}
