// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that read directories.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lkl.h>

#include "ops.h"

#define DIR_BUF 32768

/*
 * An open directory.
 *
 * @mark: what show() adds to its inode numbers
 * @at: position after what has been taken from @buf
 */
struct dir {
	int fd;
	ino_t mark;
	off_t at;
	size_t pos;
	size_t len;
	char buf[DIR_BUF];
};

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct dir *d = malloc(sizeof(*d));
	int fd = d ? inode_open(ino, INODE_NAME) : -LKL_ENOMEM;
	struct stat st;

	if (fd >= 0) {
		/* a position of its own */
		d->fd = lkl_sys_openat(fd, ".", LKL_O_DIRECTORY, 0);
		inode_close(ino);
		fd = d->fd;
	}
	if (fd < 0 || inode_stat(fd, &st)) {
		free(d);
		reply_err(req, fd < 0 ? fd : -LKL_EIO);
		return;
	}
	d->mark = view_mark(&st);
	d->at = 0;
	d->pos = 0;
	d->len = 0;
	fi->fh = (uintptr_t)d;
	fi->cache_readdir = 1;
	fi->keep_cache = 1;
	if (fuse_reply_open(req, fi)) {
		lkl_sys_close(d->fd);
		free(d);
	}
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct dir *d = (struct dir *)(uintptr_t)fi->fh;

	(void)ino;
	lkl_sys_close(d->fd);
	free(d);
	reply_err(req, 0);
}

void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync,
		 struct fuse_file_info *fi)
{
	struct dir *d = (struct dir *)(uintptr_t)fi->fh;

	(void)ino;
	reply_err(req,
		  datasync ? lkl_sys_fdatasync(d->fd) : lkl_sys_fsync(d->fd));
}

/* The next entry, NULL at the end or with an error in *@err. */
static struct fs_dirent *next_entry(struct dir *d, off_t at, int *err)
{
	long n = 0;

	*err = 0;
	if (at != d->at || !at) {
		n = lkl_sys_lseek(d->fd, at, SEEK_SET);
		d->at = at;
		d->len = 0;
		d->pos = 0;
	}
	if (n >= 0 && d->pos == d->len) {
		n = view_lf->img.fs->getdents(d->fd, d->buf, sizeof(d->buf));
		d->pos = 0;
		d->len = n > 0 ? n : 0;
	}
	if (n < 0)
		*err = n;
	return d->len ? (struct fs_dirent *)(d->buf + d->pos) : NULL;
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static void read_dir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		     struct fuse_file_info *fi, bool plus)
{
	struct dir *d = (struct dir *)(uintptr_t)fi->fh;
	struct worker *w = worker();
	size_t used = 0, need;
	struct fs_dirent *de;
	int err = 0;

	if (!w) {
		reply_err(req, -LKL_ENOMEM);
		return;
	}
	if (size > MAX_READ)
		size = MAX_READ;
	while ((de = next_entry(d, off, &err))) {
		struct fuse_entry_param e = {
			.attr.st_ino = de->d_ino ^ d->mark,
			.attr.st_mode = de->d_type << 12,
		};

		need = plus ? fuse_add_direntry_plus(req, NULL, 0, de->d_name,
						     NULL, 0)
			    : fuse_add_direntry(req, NULL, 0, de->d_name, NULL,
						0);
		if (used + need > size)
			break;
		/* what has gone meanwhile is left out */
		if (!plus)
			fuse_add_direntry(req, w->buf + used, size - used,
					  de->d_name, &e.attr, de->d_off);
		else if (is_dots(de->d_name) ||
			 !entry_at(ino, d->fd, de->d_name, &e))
			fuse_add_direntry_plus(req, w->buf + used, size - used,
					       de->d_name, &e, de->d_off);
		else
			need = 0;
		used += need;
		d->pos += de->d_reclen;
		d->at = de->d_off;
		off = de->d_off;
	}
	if (err && !used)
		reply_err(req, err);
	else
		fuse_reply_buf(req, w->buf, used);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		struct fuse_file_info *fi)
{
	read_dir(req, ino, size, off, fi, false);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	read_dir(req, ino, size, off, fi, true);
}
