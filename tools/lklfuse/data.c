// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that concern the contents of files.
 *
 * Large reads go from the image straight into the reply: what the host's kernel
 * caches need not be in the library's page cache, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <lkl.h>

#include "host.h"
#include "ops.h"

/* Opens that are answered when they make no difference. */
#define ASK_OPENS 256

#define DIRECT_READ (1 << 16)

/*
 * ENOSYS says that the host's kernel need not ask, and tell, any more.  That
 * cannot be taken back, and goes for all files.  But a file that is immutable
 * or can only be appended to may not be opened in every way, which only the
 * library's kernel knows.  So where such files have been seen, it is asked.
 * Where none has, after so many opens, they are only prevented from being
 * written: inode.c has no descriptor for that.
 */
void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	static atomic_uint opens;
	int err;

	if (view_lf->img.readonly ||
	    (opens++ >= ASK_OPENS && !inode_guarded())) {
		reply_err(req, -LKL_ENOSYS);
		return;
	}
	err = inode_try(ino, LKL_O_NONBLOCK | LKL_O_NOCTTY |
				     (fi->flags & (O_ACCMODE | O_APPEND)));
	fi->keep_cache = 1;
	if (err)
		reply_err(req, err);
	else
		fuse_reply_open(req, fi);
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

	/* before it is read: see finish_later() */
	if (!(fi->flags & O_DIRECT))
		inode_set_cached(ino);
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

static void reply_write(fuse_req_t req, long n)
{
	if (n < 0)
		reply_err(req, n);
	else
		fuse_reply_write(req, n);
}

/* A direct write to a file of which the host's kernel has contents. */
struct direct_write {
	struct host_job job;
	fuse_req_t req;
	fuse_ino_t ino;
	off_t off;
	long n;
};

static void finish_direct(struct host_job *job)
{
	struct direct_write *d = (struct direct_write *)job;

	host_drop(d->ino, d->off, d->n);
	reply_write(d->req, d->n);
	free(d);
}

/*
 * The host's kernel drops what it has of the file before it passes an
 * asynchronous direct write on, but not after it: what others have read
 * meanwhile would stay.
 */
static bool finish_later(fuse_req_t req, fuse_ino_t ino, off_t off, long n,
			 const struct fuse_file_info *fi)
{
	struct direct_write *d;

	if (n <= 0 || !(fi->flags & O_DIRECT) || fi->writepage ||
	    !inode_is_cached(ino))
		return false;
	d = malloc(sizeof(*d));
	if (!d) {
		reply_err(req, -LKL_ENOMEM);
		return true;
	}
	*d = (struct direct_write){
		{ .run = finish_direct }, req, ino, off, n
	};
	host_later(&d->job);
	return true;
}

/*
 * A descriptor to write to a file with, which may be one that only appends, at
 * the end.
 */
static int open_to_write(fuse_ino_t ino, bool append)
{
	int fd = inode_open(ino, INODE_WRITE);

	return fd == -LKL_EPERM && append ? inode_open(ino, INODE_APPEND) : fd;
}

static bool only_appends(int fd)
{
	return lkl_sys_fcntl(fd, LKL_F_GETFL, 0) & LKL_O_APPEND;
}

void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size,
	      off_t off, struct fuse_file_info *fi)
{
	bool append = fi->flags & O_APPEND && !fi->writepage;
	int fd = open_to_write(ino, append);
	struct worker *w = worker();
	long n = fd < 0 ? fd : w ? 0 : -LKL_ENOMEM;
	mode_t mode;

	if (!(fi->flags & O_DIRECT) || fi->writepage)
		inode_set_cached(ino);
	if (!n && append && only_appends(fd) &&
	    lkl_sys_lseek(fd, 0, SEEK_END) != off)
		n = -LKL_EPERM;
	if (!n) {
		mode = change_begin(w, req, fd);
		n = lkl_sys_pwrite64(fd, buf, size, off);
		change_end(ino, fd, mode);
	}
	if (fd >= 0)
		inode_close(ino);
	if (!finish_later(req, ino, off, n, fi))
		reply_write(req, n);
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
	int fd = open_to_write(ino, true);
	struct worker *w = worker();
	int err = fd < 0 ? fd : w ? 0 : -LKL_ENOMEM;
	mode_t before;

	(void)fi;
	if (!err) {
		before = change_begin(w, req, fd);
		err = lkl_sys_fallocate(fd, mode, off, len);
		change_end(ino, fd, before);
	}
	if (fd >= 0)
		inode_close(ino);
	reply_err(req, err);
}

/* The position that it sets is not used: reads and writes have their own. */
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
	struct worker *w = worker();
	long n = from < 0 ? from : to < 0 ? to : w ? 0 : -LKL_ENOMEM;
	mode_t mode;

	(void)fi_in;
	(void)fi_out;
	if (!n) {
		mode = change_begin(w, req, to);
		n = lkl_sys_copy_file_range(from, &pos_in, to, &pos_out, len,
					    flags);
		change_end(out, to, mode);
	}
	if (from >= 0)
		inode_close(in);
	if (to >= 0)
		inode_close(out);
	reply_write(req, n);
}
