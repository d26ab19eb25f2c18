// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that concern the attributes of files and of the file system.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <lkl.h>
#include <lkl/linux/fs.h>

#include "host.h"
#include "ops.h"

static void reply_attr(fuse_req_t req, int err, int fd)
{
	struct stat st;

	if (!err)
		err = inode_stat(fd, &st);
	if (err) {
		reply_err(req, err);
	} else {
		view_attr(&st);
		fuse_reply_attr(req, &st, VALID);
	}
}

void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	int fd = inode_open(ino, INODE_NAME);

	(void)fi;
	reply_attr(req, fd < 0 ? fd : 0, fd);
	if (fd >= 0)
		inode_close(ino);
}

/* What to give to chown(); with everybody mapped to one there is no other. */
static int new_owner(const struct owner_map *map, uint32_t *id)
{
	uint32_t stored = owner_in(map, *id);

	if (map->all && stored == *id) {
		if (*id != map->to)
			return -LKL_EPERM;
		stored = -1;
	}
	*id = stored;
	return 0;
}

static int set_owner(int fd, const struct stat *st, int valid)
{
	uint32_t uid = -1, gid = -1;
	int err = 0;

	if (valid & FUSE_SET_ATTR_UID) {
		uid = st->st_uid;
		err = new_owner(&view_lf->uids, &uid);
	}
	if (valid & FUSE_SET_ATTR_GID && !err) {
		gid = st->st_gid;
		err = new_owner(&view_lf->gids, &gid);
	}
	return err ? err
		   : lkl_sys_fchownat(fd, "", uid, gid, LKL_AT_EMPTY_PATH);
}

static struct __lkl__kernel_timespec new_time(const struct timespec *ts,
					      bool set, bool now)
{
	return (struct __lkl__kernel_timespec){
		.tv_sec = ts->tv_sec,
		.tv_nsec = now	 ? UTIME_NOW
			   : set ? ts->tv_nsec
				 : UTIME_OMIT,
	};
}

static int set_times(int fd, const struct stat *st, int valid)
{
	struct __lkl__kernel_timespec times[2] = {
		new_time(&st->st_atim, valid & FUSE_SET_ATTR_ATIME,
			 valid & FUSE_SET_ATTR_ATIME_NOW),
		new_time(&st->st_mtim, valid & FUSE_SET_ATTR_MTIME,
			 valid & FUSE_SET_ATTR_MTIME_NOW),
	};

	return lkl_sys_utimensat(fd, "", times, LKL_AT_EMPTY_PATH);
}

void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int valid,
		struct fuse_file_info *fi)
{
	bool size = valid & FUSE_SET_ATTR_SIZE;
	int fd = inode_open(ino, size ? INODE_WRITE : INODE_NAME);
	struct worker *w = worker();
	int err = 0;
	char name[FD_NAME];

	(void)fi;
	if (fd < 0) {
		reply_err(req, fd);
		return;
	}
	if (!w)
		err = -LKL_ENOMEM;
	if (!err && valid & FUSE_SET_ATTR_MODE) {
		/* the host has decided about set-group-id already */
		may_set_ids(w, true);
		err = lkl_sys_fchmodat(LKL_AT_FDCWD, fd_name(name, fd),
				       st->st_mode & 07777);
	}
	if (!err && valid & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
		err = set_owner(fd, st, valid);
	if (!err && size) {
		change_begin(w, req, fd);
		err = lkl_sys_ftruncate(fd, st->st_size);
	}
	if (!err && valid & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME))
		err = set_times(fd, st, valid);
	reply_attr(req, err, fd);
	inode_close(ino);
}

void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct lkl_statfs s;
	int fd = inode_open(ino, INODE_NAME);
	int err = fd < 0 ? fd : lkl_sys_fstatfs(fd, &s);

	if (fd >= 0)
		inode_close(ino);
	if (err) {
		reply_err(req, err);
	} else {
		struct statvfs st = {
			.f_bsize = s.f_bsize,
			.f_frsize = s.f_frsize,
			.f_blocks = s.f_blocks,
			.f_bfree = s.f_bfree,
			.f_bavail = s.f_bavail,
			.f_files = s.f_files,
			.f_ffree = s.f_ffree,
			.f_favail = s.f_ffree,
			.f_namemax = s.f_namelen,
		};

		fuse_reply_statfs(req, &st);
	}
}

/* The argument of the calls for flags of files: chattr's, and those of xfs. */
union file_flags {
	unsigned int flags;
	struct lkl_fsxattr attr;
};

/* Flags of a file are to be set. */
struct set_flags {
	struct host_job job;
	fuse_req_t req;
	fuse_ino_t ino;
	unsigned int cmd;
	union file_flags data;
};

static int ioctl_file(fuse_ino_t ino, unsigned int cmd, union file_flags *data)
{
	int fd = inode_open(ino, INODE_READ);
	int err = fd;

	if (fd >= 0) {
		err = lkl_sys_ioctl(fd, cmd, (unsigned long)data);
		inode_close(ino);
	}
	return err;
}

static bool guards(const struct set_flags *s)
{
	if (s->cmd == LKL_FS_IOC_SETFLAGS)
		return s->data.flags & (LKL_FS_IMMUTABLE_FL | LKL_FS_APPEND_FL);
	return s->data.attr.fsx_xflags &
	       (LKL_FS_XFLAG_IMMUTABLE | LKL_FS_XFLAG_APPEND);
}

/*
 * What the host's kernel has still to write to a file is written before that is
 * forbidden.
 */
static void set_flags(struct host_job *job)
{
	struct set_flags *s = (struct set_flags *)job;
	int err;

	if (guards(s))
		host_drop(s->ino, 0, 0);
	err = ioctl_file(s->ino, s->cmd, &s->data);
	if (!err && guards(s))
		inode_guard(s->ino);
	if (!err && s->cmd == LKL_FS_IOC_SETFLAGS)
		inode_set_folds(s->ino, s->data.flags & LKL_FS_CASEFOLD_FL);
	/* it does not know that the time of change is another */
	host_drop_attr(s->ino);
	if (err)
		reply_err(s->req, err);
	else
		fuse_reply_ioctl(s->req, 0, NULL, 0);
	free(s);
}

static void reply_sync(fuse_req_t req, fuse_ino_t ino)
{
	int fd = inode_open(ino, INODE_READ);
	int err = fd;

	if (fd >= 0) {
		err = lkl_sys_syncfs(fd);
		inode_close(ino);
	}
	if (err)
		reply_err(req, err);
	else
		fuse_reply_ioctl(req, 0, NULL, 0);
}

void op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
	      struct fuse_file_info *fi, unsigned int flags, const void *in,
	      size_t in_size, size_t out_size)
{
	union file_flags data = { 0 };
	struct set_flags *set;
	size_t size = cmd == LKL_FS_IOC_GETFLAGS || cmd == LKL_FS_IOC_SETFLAGS
			      ? sizeof(data.flags)
			      : sizeof(data.attr);
	int err;

	(void)arg;
	(void)fi;
	(void)flags;
	switch (cmd) {
	case LKL_FS_IOC_GETFLAGS:
	case LKL_FS_IOC_FSGETXATTR:
		err = ioctl_file(ino, cmd, &data);
		if (err)
			reply_err(req, err);
		else
			fuse_reply_ioctl(req, 0, &data,
					 out_size < size ? out_size : size);
		break;
	case LKL_FS_IOC_SETFLAGS:
	case LKL_FS_IOC_FSSETXATTR:
		set = calloc(1, sizeof(*set));
		if (!set) {
			reply_err(req, -LKL_ENOMEM);
			break;
		}
		set->job.run = set_flags;
		set->req = req;
		set->ino = ino;
		set->cmd = cmd;
		memcpy(&set->data, in, in_size < size ? in_size : size);
		host_later(&set->job);
		break;
	case LKLFUSE_SYNC:
		reply_sync(req, ino);
		break;
	default:
		reply_err(req, -LKL_ENOTTY);
	}
}
