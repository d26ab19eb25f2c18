// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data of files in a host directory.
 *
 * It passes from the host's page cache to the reader's memory, or back, without
 * a copy in the kernel's: files are opened for direct I/O, and the buffers of a
 * request are the application's own pages.  So the kernel always sees what the
 * host has, and only mmap() makes it keep pages.
 */
#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/fs.h>

#include <lkl/asm/errno.h>
#include "../../host/linux/linux.h"
#include "../../host/iov.h"
#include "hostdir.h"

HANDLER(open)
{
	const struct lkl_fuse_open_in *in = (void *)r->args;
	struct lkl_fuse_open_out *out = (void *)r->reply;
	struct statx stx;
	int fd;

	if (r->h->readonly && (in->flags & O_ACCMODE) != O_RDONLY)
		return -LKL_EROFS;
	/* Else a FIFO that has come in the way might keep us. */
	fd = nodes_open(r->h, r->hdr.nodeid,
			O_NONBLOCK |
				(in->flags & (O_ACCMODE | O_SYNC | O_NOATIME)),
			&stx);
	if (fd < 0)
		return fd;
	*out = (struct lkl_fuse_open_out){
		.fh = handles_add(r->h, r->hdr.nodeid, fd),
		.open_flags = LKL_FOPEN_DIRECT_IO | LKL_FOPEN_NOFLUSH,
	};
	return out->fh ? (long)sizeof(*out) : -LKL_ENOMEM;
}

HANDLER(release)
{
	const struct lkl_fuse_release_in *in = (void *)r->args;

	handles_remove(r->h, in->fh);
	return 0;
}

/* Pieces that follow each other in memory become one. */
static unsigned int join(struct iovec *iov, unsigned int count)
{
	unsigned int i, n = 0;

	for (i = 1; i < count; i++) {
		if ((char *)iov[n].iov_base + iov[n].iov_len == iov[i].iov_base)
			iov[n].iov_len += iov[i].iov_len;
		else
			iov[++n] = iov[i];
	}
	return count ? n + 1 : 0;
}

/* Leave @size bytes of the buffers. */
static unsigned int cut(struct iovec *iov, unsigned int count, size_t size)
{
	unsigned int i;

	for (i = 0; i < count && size; i++) {
		if (iov[i].iov_len > size)
			iov[i].iov_len = size;
		size -= iov[i].iov_len;
	}
	return i;
}

/* Read or write all there is; the bytes, or a negative error number.  With
 * RWF_NOWAIT it is -EAGAIN if that has to wait for a part. */
static long transfer(int fd, struct iovec *iov, unsigned int count, off_t pos,
		     bool write, int flags)
{
	unsigned int used;
	long n, done = 0;

	count = join(iov, count);
	while (count) {
		n = raw_syscall(write ? SYS_pwritev2 : SYS_preadv2, fd,
				(long)iov, count, pos + done, 0, flags);
		if (n == -EINTR)
			continue;
		if (n < 0 && (!done || flags & RWF_NOWAIT))
			return n;
		if (n <= 0)
			break;
		done += n;
		used = iov_skip(iov, count, n);
		iov += used;
		count -= used;
	}
	return done;
}

/* What the host has in memory takes no longer to copy than from a cache of the
 * kernel's own.  The tree is locked until then, so that the file stays open. */
static long read_now(struct request *r, const struct lkl_fuse_read_in *in)
{
	struct handle *handle = handles_borrow(r->h, in->fh);
	long ret = -LKL_EAGAIN;

	if (!handle)
		return ret;
	if (!handle->slow) {
		r->in_count = cut(r->in, r->in_count, in->size);
		ret = transfer(handle->fd, r->in, r->in_count, in->offset,
			       false, RWF_NOWAIT);
		if (ret == -EOPNOTSUPP) {
			handle->slow = true;
			ret = -LKL_EAGAIN;
		}
	}
	handles_return(r->h);
	return ret;
}

HANDLER(read)
{
	const struct lkl_fuse_read_in *in = (void *)r->args;
	struct handle *handle;
	long ret;

	if (r->now)
		return read_now(r, in);
	handle = handles_get(r->h, in->fh);
	if (!handle)
		return -LKL_EBADF;
	r->in_count = cut(r->in, r->in_count, in->size);
	ret = transfer(handle->fd, r->in, r->in_count, in->offset, false, 0);
	handles_put(r->h, handle);
	return ret;
}

HANDLER(write)
{
	const struct lkl_fuse_write_in *in = (void *)r->args;
	struct lkl_fuse_write_out *out = (void *)r->reply;
	struct handle *handle = handles_get(r->h, in->fh);
	bool append = in->flags & O_APPEND &&
		      !(in->write_flags & LKL_FUSE_WRITE_CACHE);
	long ret;

	if (!handle)
		return -LKL_EBADF;
	r->out_count = cut(r->out, r->out_count, in->size);
	ret = transfer(handle->fd, r->out, r->out_count, in->offset, true,
		       append ? RWF_APPEND : 0);
	handles_put(r->h, handle);
	if (ret < 0)
		return ret;
	*out = (struct lkl_fuse_write_out){ .size = ret };
	return sizeof(*out);
}

HANDLER(fsync)
{
	const struct lkl_fuse_fsync_in *in = (void *)r->args;
	struct handle *handle = handles_get(r->h, in->fh);
	int err;

	if (!handle)
		return -LKL_EBADF;
	err = in->fsync_flags & LKL_FUSE_FSYNC_FDATASYNC ? fdatasync(handle->fd)
							 : fsync(handle->fd);
	err = err ? -errno : 0;
	handles_put(r->h, handle);
	return err;
}

HANDLER(fallocate)
{
	const struct lkl_fuse_fallocate_in *in = (void *)r->args;
	struct handle *handle = handles_get(r->h, in->fh);
	int err;

	if (!handle)
		return -LKL_EBADF;
	do {
		err = fallocate(handle->fd, in->mode, in->offset, in->length);
	} while (err && errno == EINTR);
	err = err ? -errno : 0;
	handles_put(r->h, handle);
	return err;
}

HANDLER(lseek)
{
	const struct lkl_fuse_lseek_in *in = (void *)r->args;
	struct lkl_fuse_lseek_out *out = (void *)r->reply;
	struct handle *handle = handles_get(r->h, in->fh);
	long ret;

	if (!handle)
		return -LKL_EBADF;
	ret = in->whence == SEEK_DATA || in->whence == SEEK_HOLE
		      ? lseek(handle->fd, in->offset, in->whence)
		      : (errno = EINVAL, -1);
	if (ret < 0)
		ret = -errno;
	handles_put(r->h, handle);
	if (ret < 0)
		return ret;
	*out = (struct lkl_fuse_lseek_out){ .offset = ret };
	return sizeof(*out);
}

HANDLER(copy_file_range)
{
	const struct lkl_fuse_copy_file_range_in *in = (void *)r->args;
	struct lkl_fuse_write_out *out = (void *)r->reply;
	struct handle *from = handles_get(r->h, in->fh_in);
	struct handle *to = handles_get(r->h, in->fh_out);
	off_t from_pos = in->off_in, to_pos = in->off_out;
	long ret = -LKL_EBADF;

	if (from && to) {
		ret = copy_file_range(from->fd, &from_pos, to->fd, &to_pos,
				      in->len < INT_MAX ? in->len : INT_MAX, 0);
		if (ret < 0)
			ret = -errno;
	}
	if (from)
		handles_put(r->h, from);
	if (to)
		handles_put(r->h, to);
	if (ret < 0)
		return ret;
	*out = (struct lkl_fuse_write_out){ .size = ret };
	return sizeof(*out);
}
