// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of files in a host directory.
 *
 * An ordinary user's own files belong to root for the kernel, as they do to
 * whoever runs the kernel; all other owners are as on the host, which also
 * decides who may change them.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <lkl/asm/errno.h>
#include "hostdir.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

uid_t attr_uid(struct hostdir *h, uid_t uid)
{
	return uid || h->privileged ? uid : h->uid;
}

gid_t attr_gid(struct hostdir *h, gid_t gid)
{
	return gid || h->privileged ? gid : h->gid;
}

/*
 * The kernel's root, which is an ordinary user of the host, may use what it has
 * made; overlayfs makes files that nobody may.
 */
mode_t attr_mode(struct hostdir *h, mode_t mode)
{
	if (h->privileged || mode & 0700)
		return mode;
	return mode | (S_ISDIR(mode) ? 0700 : 0600);
}

void attr_fill(struct hostdir *h, const struct statx *stx,
	       struct lkl_fuse_attr *attr)
{
	bool mine = !h->privileged && stx->stx_uid == h->uid;
	bool my_group = !h->privileged && stx->stx_gid == h->gid;

	*attr = (struct lkl_fuse_attr){
		.ino = stx->stx_ino,
		.size = stx->stx_size,
		.blocks = stx->stx_blocks,
		.atime = stx->stx_atime.tv_sec,
		.mtime = stx->stx_mtime.tv_sec,
		.ctime = stx->stx_ctime.tv_sec,
		.atimensec = stx->stx_atime.tv_nsec,
		.mtimensec = stx->stx_mtime.tv_nsec,
		.ctimensec = stx->stx_ctime.tv_nsec,
		.mode = stx->stx_mode,
		.nlink = stx->stx_nlink,
		.uid = mine ? 0 : stx->stx_uid,
		.gid = my_group ? 0 : stx->stx_gid,
		.rdev = (stx->stx_rdev_minor & 0xff) |
			stx->stx_rdev_major << 8 |
			(stx->stx_rdev_minor & ~0xffU) << 12,
		.blksize = stx->stx_blksize,
	};
}

int attr_entry(struct hostdir *h, uint64_t parent, const char *name,
	       const struct statx *stx, struct lkl_fuse_entry_out *out)
{
	*out = (struct lkl_fuse_entry_out){
		.nodeid = nodes_enter(h, parent, name, stx),
		.entry_valid = VALID,
		.attr_valid = VALID,
	};
	attr_fill(h, stx, &out->attr);
	return out->nodeid ? 0 : -LKL_ENOMEM;
}

static long reply(struct request *r, const struct statx *stx)
{
	struct lkl_fuse_attr_out *out = (void *)r->reply;

	*out = (struct lkl_fuse_attr_out){ .attr_valid = VALID };
	attr_fill(r->h, stx, &out->attr);
	return sizeof(*out);
}

HANDLER(getattr)
{
	struct handle *handle = handles_of(r->h, r->hdr.nodeid);
	struct statx stx;
	int fd, err;

	if (handle) {
		err = nodes_stat(handle->fd, "", &stx);
		handles_put(r->h, handle);
	} else {
		fd = nodes_open(r->h, r->hdr.nodeid, O_PATH, &stx);
		nodes_close(r->h, fd);
		err = fd < 0 ? fd : 0;
	}
	return err ? err : reply(r, &stx);
}

static int set_size(struct request *r, const struct lkl_fuse_setattr_in *in)
{
	struct handle *handle = in->valid & LKL_FATTR_FH
					? handles_get(r->h, in->fh)
					: handles_of(r->h, r->hdr.nodeid);
	int fd, err = -LKL_EBADF;

	if (handle) {
		err = ftruncate(handle->fd, in->size) ? -errno : 0;
		handles_put(r->h, handle);
	}
	/* One that was opened for reading only cannot. */
	if (err != -LKL_EBADF && err != -LKL_EINVAL)
		return err;
	fd = nodes_open(r->h, r->hdr.nodeid, O_WRONLY | O_NONBLOCK, NULL);
	if (fd < 0)
		return fd;
	err = ftruncate(fd, in->size) ? -errno : 0;
	nodes_close(r->h, fd);
	return err;
}

static int set_mode(int fd, mode_t mode)
{
	char path[32];

	if (!syscall(SYS_fchmodat2, fd, "", mode & 07777, AT_EMPTY_PATH))
		return 0;
	if (errno != ENOSYS)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode & 07777) ? -errno : 0;
}

static int set_owner(struct request *r, int fd,
		     const struct lkl_fuse_setattr_in *in)
{
	uid_t uid = in->valid & LKL_FATTR_UID ? attr_uid(r->h, in->uid)
					      : (uid_t)-1;
	gid_t gid = in->valid & LKL_FATTR_GID ? attr_gid(r->h, in->gid)
					      : (gid_t)-1;

	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH) ? -errno : 0;
}

static struct timespec set_time(uint32_t valid, uint32_t set, uint32_t now,
				uint64_t sec, uint32_t nsec)
{
	struct timespec ts = { .tv_nsec = UTIME_OMIT };

	if (valid & now)
		ts.tv_nsec = UTIME_NOW;
	else if (valid & set)
		ts = (struct timespec){ .tv_sec = sec, .tv_nsec = nsec };
	return ts;
}

static int set_times(int fd, const struct lkl_fuse_setattr_in *in)
{
	struct timespec ts[2] = {
		set_time(in->valid, LKL_FATTR_ATIME, LKL_FATTR_ATIME_NOW,
			 in->atime, in->atimensec),
		set_time(in->valid, LKL_FATTR_MTIME, LKL_FATTR_MTIME_NOW,
			 in->mtime, in->mtimensec),
	};

	return utimensat(fd, "", ts, AT_EMPTY_PATH) ? -errno : 0;
}

HANDLER(setattr)
{
	const struct lkl_fuse_setattr_in *in = (void *)r->args;
	struct handle *handle;
	struct statx stx;
	int fd, err = 0;

	fd = handles_take(r->h, r->hdr.nodeid, &handle);
	if (fd < 0)
		return fd;
	if (in->valid & (LKL_FATTR_UID | LKL_FATTR_GID))
		err = set_owner(r, fd, in);
	if (!err && in->valid & LKL_FATTR_MODE)
		err = set_mode(fd, attr_mode(r->h, in->mode));
	if (!err && in->valid & LKL_FATTR_SIZE)
		err = set_size(r, in);
	if (!err && in->valid & (LKL_FATTR_ATIME | LKL_FATTR_MTIME))
		err = set_times(fd, in);
	if (!err)
		err = nodes_stat(fd, "", &stx);
	handles_drop(r->h, fd, handle);
	return err ? err : reply(r, &stx);
}

HANDLER(statfs)
{
	struct lkl_fuse_statfs_out *out = (void *)r->reply;
	struct handle *handle;
	struct statfs st;
	int fd, err;

	fd = handles_take(r->h, r->hdr.nodeid, &handle);
	if (fd < 0)
		return fd;
	err = fstatfs(fd, &st) ? -errno : 0;
	handles_drop(r->h, fd, handle);
	if (err)
		return err;
	*out = (struct lkl_fuse_statfs_out){
		.st = {
			.blocks = st.f_blocks,
			.bfree = st.f_bfree,
			.bavail = st.f_bavail,
			.files = st.f_files,
			.ffree = st.f_ffree,
			.bsize = st.f_bsize,
			.namelen = st.f_namelen,
			.frsize = st.f_frsize,
		},
	};
	return sizeof(*out);
}
