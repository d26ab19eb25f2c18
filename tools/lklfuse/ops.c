// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of a mounted image: each is a call or two of the library's
 * kernel, which has the last word on everything but permissions.
 *
 * Who may do what is the host's kernel's business (or, for somebody's private
 * mount, nobody's: see lklfuse(1)).  So a request runs with all capabilities
 * here, and takes on the caller's identity only for what depends on it: the
 * owner of a new file, its permissions under a umask or an ACL, and whether
 * writing to a program takes its set-user-id bit away.
 *
 * As nobody else changes the image, the host's kernel may keep what it knows:
 * attributes, names (also that there is none), contents of files, links and
 * directories.  It need not tell who opens and closes a file, so it is told not
 * to: that halves the requests of reading a small file.  Locks are its own
 * affair for the same reason.
 *
 * Large reads go from the image straight into the reply: what the host's kernel
 * caches need not be in the library's page cache, too.
 *
 * It is not asked to keep written data back (FUSE's "writeback cache"): that
 * would make errors late, hide data from SEEK_DATA, and make the times of files
 * the host's, for a gain only in writes of a few bytes.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include <lkl.h>
#include <lkl/linux/capability.h>
#include <lkl/linux/fs.h>
#include <lkl/linux/sched.h>
#include <lkl/linux/securebits.h>

#include "inode.h"
#include "lklfuse.h"
#include "../common/tool.h"

/* How long the host's kernel may rely on what it was told, in seconds. */
#define VALID 1e6
#define MAX_READ (1 << 20)
#define DIRECT_READ (1 << 16)
#define MAX_BACKGROUND 1024
#define PAGE 4096
#define MAX_XATTR 65536
#define DIR_BUF 32768
/*
 * A thread that serves requests, and what it is in the library's kernel.
 *
 * @buf: for replies
 * @set_ids: it may take set-user-id bits along when it writes
 */
struct worker {
	char *buf;
	uid_t uid;
	gid_t gid;
	mode_t mask;
	bool set_ids;
};

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

static const struct lklfuse *lf;
static dev_t root_dev;
static bool has_acls;
static pthread_key_t worker_key;

static void worker_free(void *arg)
{
	struct worker *w = arg;

	free(w->buf);
	free(w);
}

/* The calling thread, made ready with its first request; NULL: no memory. */
static struct worker *worker(void)
{
	struct worker *w = pthread_getspecific(worker_key);

	if (w)
		return w;
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->buf = aligned_alloc(PAGE, MAX_READ);
	w->mask = -1;
	w->set_ids = true;
	/* a umask of its own, and capabilities whatever its identity */
	if (!w->buf || lkl_sys_unshare(LKL_CLONE_FS) ||
	    lkl_sys_prctl(LKL_PR_SET_SECUREBITS, LKL_SECBIT_NO_SETUID_FIXUP, 0,
			  0, 0) ||
	    pthread_setspecific(worker_key, w)) {
		worker_free(w);
		return NULL;
	}
	return w;
}

/* Without CAP_FSETID, set-user-id bits go when somebody writes. */
static void may_set_ids(struct worker *w, bool may)
{
	struct __lkl__user_cap_header_struct header = {
		.version = _LKL_LINUX_CAPABILITY_VERSION_3,
	};
	struct __lkl__user_cap_data_struct caps[2];

	if (w->set_ids == may || lkl_sys_capget(&header, caps))
		return;
	if (may)
		caps[0].effective |= 1U << LKL_CAP_FSETID;
	else
		caps[0].effective &= ~(1U << LKL_CAP_FSETID);
	if (!lkl_sys_capset(&header, caps))
		w->set_ids = may;
}

/* In his own mount, everybody is root. */
static bool is_root(fuse_req_t req)
{
	return !lf->permissions || !fuse_req_ctx(req)->uid;
}

/* Make what comes next the caller's. */
static void become_caller(struct worker *w, fuse_req_t req)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	uid_t uid = owner_in(&lf->uids, ctx->uid);
	gid_t gid = owner_in(&lf->gids, ctx->gid);

	if (w->uid != uid)
		lkl_sys_setfsuid(uid);
	if (w->gid != gid)
		lkl_sys_setfsgid(gid);
	if (w->mask != ctx->umask)
		lkl_sys_umask(ctx->umask);
	w->uid = uid;
	w->gid = gid;
	w->mask = ctx->umask;
	may_set_ids(w, is_root(req));
}

/* Inode numbers are unique within a subvolume only; st_dev tells which. */
static ino_t mark_of(const struct stat *st)
{
	return (st->st_dev ^ root_dev) << 48;
}

/* How the attributes of a file look to the host. */
static void show(struct stat *st)
{
	st->st_ino ^= mark_of(st);
	st->st_uid = owner_out(&lf->uids, st->st_uid);
	st->st_gid = owner_out(&lf->gids, st->st_gid);
}

static int entry(int fd, enum inode_use use, struct fuse_entry_param *e)
{
	int err;

	if (fd < 0)
		return fd;
	e->ino = inode_found(fd, use, &e->attr, &e->generation, &err);
	e->attr_timeout = VALID;
	e->entry_timeout = VALID;
	show(&e->attr);
	return err;
}

static int entry_at(int dir, const char *name, struct fuse_entry_param *e)
{
	return entry(lkl_sys_openat(dir, name, LKL_O_PATH | LKL_O_NOFOLLOW, 0),
		     INODE_NAME, e);
}

static void reply_err(fuse_req_t req, long err)
{
	fuse_reply_err(req, -err);
}

static void reply_entry(fuse_req_t req, int err, struct fuse_entry_param *e)
{
	if (err)
		reply_err(req, err);
	else if (fuse_reply_entry(req, e) && e->ino)
		inode_forget(e->ino, 1); /* nobody waited for it */
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = { .entry_timeout = VALID };
	int dir = inode_open(parent, INODE_NAME);
	int err = dir;

	if (dir >= 0) {
		err = entry_at(dir, name, &e);
		inode_close(parent);
	}
	/* that there is none may be remembered, too: as number 0 */
	reply_entry(req, err == -LKL_ENOENT ? 0 : err, &e);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	inode_forget(ino, lookups);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count,
			    struct fuse_forget_data *forgets)
{
	for (size_t n = 0; n < count; n++)
		inode_forget(forgets[n].ino, forgets[n].nlookup);
	fuse_reply_none(req);
}

static void reply_attr(fuse_req_t req, int err, int fd)
{
	struct stat st;

	if (!err)
		err = lf->img.fs->stat(fd, "", &st);
	if (err) {
		reply_err(req, err);
	} else {
		show(&st);
		fuse_reply_attr(req, &st, VALID);
	}
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
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
		err = new_owner(&lf->uids, &uid);
	}
	if (valid & FUSE_SET_ATTR_GID && !err) {
		gid = st->st_gid;
		err = new_owner(&lf->gids, &gid);
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

/* Name of a descriptor in the current directory, which is /proc/self/fd. */
static const char *fd_name(char name[16], int fd)
{
	snprintf(name, 16, "%d", fd);
	return name;
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st,
		       int valid, struct fuse_file_info *fi)
{
	bool size = valid & FUSE_SET_ATTR_SIZE;
	int fd = inode_open(ino, size ? INODE_WRITE : INODE_NAME);
	struct worker *w = worker();
	int err = 0;
	char name[16];

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
		may_set_ids(w, is_root(req));
		err = lkl_sys_ftruncate(fd, st->st_size);
	}
	if (!err && valid & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME))
		err = set_times(fd, st, valid);
	reply_attr(req, err, fd);
	inode_close(ino);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	int fd = inode_open(ino, INODE_NAME);
	char target[PATH_MAX + 1];
	long len = fd;

	if (fd >= 0) {
		len = lkl_sys_readlinkat(fd, "", target, PATH_MAX);
		inode_close(ino);
	}
	if (len < 0) {
		reply_err(req, len);
	} else {
		target[len] = 0;
		fuse_reply_readlink(req, target);
	}
}

/* Make anything but a regular file that is opened at once. */
static void make(fuse_req_t req, fuse_ino_t parent, const char *name,
		 mode_t mode, dev_t dev, const char *target)
{
	struct fuse_entry_param e = { 0 };
	int dir = inode_open(parent, INODE_NAME);
	struct worker *w = worker();
	int err = dir < 0 ? dir : w ? 0 : -LKL_ENOMEM;

	if (!err) {
		become_caller(w, req);
		if (target)
			err = lkl_sys_symlinkat(target, dir, name);
		else if (S_ISDIR(mode))
			err = lkl_sys_mkdirat(dir, name, mode & 07777);
		else
			err = lkl_sys_mknodat(dir, name, mode, dev);
	}
	if (!err)
		err = entry_at(dir, name, &e);
	if (dir >= 0)
		inode_close(parent);
	reply_entry(req, err, &e);
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
		     mode_t mode, dev_t dev)
{
	make(req, parent, name, mode, dev, NULL);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
		     mode_t mode)
{
	make(req, parent, name, S_IFDIR | mode, 0, NULL);
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
		       const char *name)
{
	make(req, parent, name, S_IFLNK, 0, target);
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name,
		      mode_t mode, struct fuse_file_info *fi)
{
	int flags = LKL_O_CREAT | LKL_O_RDWR | LKL_O_NOFOLLOW | LKL_O_NONBLOCK |
		    (fi->flags & (O_EXCL | O_TRUNC));
	struct fuse_entry_param e = { 0 };
	int dir = inode_open(parent, INODE_NAME);
	struct worker *w = worker();
	int err = dir < 0 ? dir : w ? 0 : -LKL_ENOMEM;

	if (!err) {
		become_caller(w, req);
		err = entry(lkl_sys_openat(dir, name, flags, mode), INODE_WRITE,
			    &e);
	}
	if (dir >= 0)
		inode_close(parent);
	fi->keep_cache = 1;
	if (err)
		reply_err(req, err);
	else if (fuse_reply_create(req, &e, fi))
		inode_forget(e.ino, 1);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
		    const char *name)
{
	struct fuse_entry_param e = { 0 };
	int fd = inode_open(ino, INODE_NAME);
	int dir = inode_open(parent, INODE_NAME);
	int err = fd < 0 ? fd : dir < 0 ? dir : 0;

	if (!err)
		err = lkl_sys_linkat(fd, "", dir, name, LKL_AT_EMPTY_PATH);
	if (!err)
		err = entry_at(dir, name, &e);
	if (fd >= 0)
		inode_close(ino);
	if (dir >= 0)
		inode_close(parent);
	reply_entry(req, err, &e);
}

static void take_away(fuse_req_t req, fuse_ino_t parent, const char *name,
		      int flags)
{
	int dir = inode_open(parent, INODE_NAME);
	int err = dir;

	if (dir >= 0) {
		inode_keep(dir, name);
		err = lkl_sys_unlinkat(dir, name, flags);
		inode_close(parent);
	}
	reply_err(req, err);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	take_away(req, parent, name, 0);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	take_away(req, parent, name, LKL_AT_REMOVEDIR);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
		      fuse_ino_t newparent, const char *newname,
		      unsigned int flags)
{
	int from = inode_open(parent, INODE_NAME);
	int to = inode_open(newparent, INODE_NAME);
	int err = from < 0 ? from : to < 0 ? to : 0;

	if (!err) {
		if (!flags)
			inode_keep(to, newname);
		err = lkl_sys_renameat2(from, name, to, newname, flags);
	}
	if (from >= 0)
		inode_close(parent);
	if (to >= 0)
		inode_close(newparent);
	reply_err(req, err);
}

/* Answering so says that the kernel need not ask, and tell, any more. */
static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
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

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
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

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf,
		     size_t size, off_t off, struct fuse_file_info *fi)
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

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
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

static void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off,
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
static void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
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

static void op_copy_file_range(fuse_req_t req, fuse_ino_t in, off_t off_in,
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

static void op_opendir(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
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
	if (fd < 0 || lf->img.fs->stat(fd, "", &st)) {
		free(d);
		reply_err(req, fd < 0 ? fd : -LKL_EIO);
		return;
	}
	d->mark = mark_of(&st);
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

static void op_releasedir(fuse_req_t req, fuse_ino_t ino,
			  struct fuse_file_info *fi)
{
	struct dir *d = (struct dir *)(uintptr_t)fi->fh;

	(void)ino;
	lkl_sys_close(d->fd);
	free(d);
	reply_err(req, 0);
}

static void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync,
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
		n = lf->img.fs->getdents(d->fd, d->buf, sizeof(d->buf));
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

	(void)ino;
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
			 !entry_at(d->fd, de->d_name, &e))
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

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	read_dir(req, ino, size, off, fi, false);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size,
			   off_t off, struct fuse_file_info *fi)
{
	read_dir(req, ino, size, off, fi, true);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct lkl_statfs s;
	int err = lkl_sys_fstatfs(lf->img.root, &s);

	(void)ino;
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

static bool is_acl(const char *name)
{
	return !strncmp(name, "system.posix_acl_", 17);
}

/* Only root hears of "trusted" attributes, as only he can read them. */
static size_t hide_trusted(char *list, size_t size)
{
	char *to = list;
	size_t len;

	for (char *from = list; from < list + size; from += len) {
		len = strlen(from) + 1;
		if (!strncmp(from, "trusted.", 8))
			continue;
		memmove(to, from, len);
		to += len;
	}
	return to - list;
}

/* The list of attributes, or the value of @attr; 0 as size asks for theirs. */
static void get_attrs(fuse_req_t req, fuse_ino_t ino, const char *attr,
		      size_t size)
{
	int fd = inode_open(ino, INODE_NAME);
	struct worker *w = worker();
	long n = fd < 0 ? fd : w ? 0 : -LKL_ENOMEM;
	char name[16];

	if (size > MAX_XATTR)
		size = MAX_XATTR;
	if (!n) {
		fd_name(name, fd);
		n = attr ? lkl_sys_getxattr(name, attr, w->buf, size)
			 : lkl_sys_listxattr(name, w->buf, size);
	}
	if (fd >= 0)
		inode_close(ino);
	if (n < 0) {
		reply_err(req, n);
	} else if (!size) {
		fuse_reply_xattr(req, n);
	} else {
		if (attr && is_acl(attr))
			owner_acl(lf, w->buf, n, owner_out);
		/* not "in his own mount": it is the host that refuses them */
		if (!attr && fuse_req_ctx(req)->uid)
			n = hide_trusted(w->buf, n);
		fuse_reply_buf(req, w->buf, n);
	}
}

static void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *attr,
			size_t size)
{
	get_attrs(req, ino, attr, size);
}

static void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	get_attrs(req, ino, NULL, size);
}

static void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *attr,
			const char *value, size_t size, int flags)
{
	int fd = inode_open(ino, INODE_NAME);
	struct worker *w = worker();
	int err = fd < 0	     ? fd
		  : !w		     ? -LKL_ENOMEM
		  : size > MAX_XATTR ? -LKL_E2BIG
				     : 0;
	char name[16];

	if (!err) {
		memcpy(w->buf, value, size);
		if (is_acl(attr))
			owner_acl(lf, w->buf, size, owner_in);
		become_caller(w, req);
		err = lkl_sys_setxattr(fd_name(name, fd), attr, w->buf, size,
				       flags);
	}
	if (fd >= 0)
		inode_close(ino);
	reply_err(req, err);
}

static void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *attr)
{
	int fd = inode_open(ino, INODE_NAME);
	int err = fd;
	char name[16];

	if (fd >= 0) {
		err = lkl_sys_removexattr(fd_name(name, fd), attr);
		inode_close(ino);
	}
	reply_err(req, err);
}

/* chattr and lsattr, and what xfs has for that. */
static void op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd,
		     void *arg, struct fuse_file_info *fi, unsigned int flags,
		     const void *in, size_t in_size, size_t out_size)
{
	union {
		unsigned int flags;
		struct lkl_fsxattr attr;
	} data = { 0 };
	int err = -LKL_ENOTTY;
	size_t size;
	int fd;

	(void)arg;
	(void)fi;
	(void)flags;
	switch (cmd) {
	case LKL_FS_IOC_GETFLAGS:
	case LKL_FS_IOC_SETFLAGS:
		size = sizeof(data.flags);
		break;
	case LKL_FS_IOC_FSGETXATTR:
	case LKL_FS_IOC_FSSETXATTR:
		size = sizeof(data.attr);
		break;
	default:
		reply_err(req, -LKL_ENOTTY);
		return;
	}
	memcpy(&data, in, in_size < size ? in_size : size);
	fd = inode_open(ino, INODE_READ);
	err = fd;
	if (fd >= 0) {
		err = lkl_sys_ioctl(fd, cmd, (unsigned long)&data);
		inode_close(ino);
	}
	if (err)
		reply_err(req, err);
	else
		fuse_reply_ioctl(req, 0, &data,
				 out_size < size ? out_size : size);
}

static void op_init(void *data, struct fuse_conn_info *conn)
{
	unsigned int want = FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_DONT_MASK |
			    FUSE_CAP_EXPLICIT_INVAL_DATA;

	(void)data;
	if (lf->permissions && has_acls)
		want |= FUSE_CAP_POSIX_ACL;
	conn->want |= conn->capable & want;
	/* nothing else changes files; truncation comes as such */
	conn->want &= ~(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_ATOMIC_O_TRUNC);
	conn->time_gran = 1;
	/* queue nothing in the host's kernel: see drain() in ../lklfuse.c */
	conn->max_background = MAX_BACKGROUND;
}

const struct fuse_lowlevel_ops lklfuse_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.readlink = op_readlink,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.symlink = op_symlink,
	.rename = op_rename,
	.link = op_link,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.fsync = op_fsync,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.releasedir = op_releasedir,
	.fsyncdir = op_fsyncdir,
	.statfs = op_statfs,
	.setxattr = op_setxattr,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.removexattr = op_removexattr,
	.create = op_create,
	.ioctl = op_ioctl,
	.fallocate = op_fallocate,
	.copy_file_range = op_copy_file_range,
	.lseek = op_lseek,
};

/* Types whose handles are good only while the file is in memory. */
static bool has_lasting_handles(const char *type)
{
	return strcmp(type, "vfat") && strcmp(type, "msdos");
}

int ops_start(const struct lklfuse *what)
{
	int err = -pthread_key_create(&worker_key, worker_free);
	struct stat st;
	char name[16];

	lf = what;
	if (!err)
		err = lkl_sys_chdir("/proc/self/fd");
	if (!err)
		err = lf->img.fs->stat(lf->img.root, "", &st);
	root_dev = st.st_dev;
	fd_name(name, lf->img.root);
	has_acls = lkl_sys_getxattr(name, "system.posix_acl_access", NULL, 0) !=
		   -LKL_EOPNOTSUPP;
	if (!err)
		err = inode_start(lf->img.fs, lf->img.root,
				  has_lasting_handles(lf->img.type));
	if (err)
		tool_file_error("cannot open", lf->img.file, "/", err);
	return err ? -1 : 0;
}

void ops_end(void)
{
	inode_end();
}
