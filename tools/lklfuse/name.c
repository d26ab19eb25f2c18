// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that find, make, rename and remove files.
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include <lkl.h>

#include "ops.h"

/*
 * How long a name may be relied on.  Where a file has several spellings of its
 * name, one does not stay because another is removed, nor is it missing because
 * it was.
 */
static double valid_in(fuse_ino_t parent)
{
	return inode_folds(parent) ? 0 : VALID;
}

static int entry(fuse_ino_t parent, int fd, enum inode_use use,
		 struct fuse_entry_param *e)
{
	int err;

	if (fd < 0)
		return fd;
	e->ino = inode_found(fd, use, &e->attr, &e->generation, &err);
	e->attr_timeout = VALID;
	e->entry_timeout = valid_in(parent);
	view_attr(&e->attr);
	return err;
}

int entry_at(fuse_ino_t parent, int dir, const char *name,
	     struct fuse_entry_param *e)
{
	return entry(parent,
		     lkl_sys_openat(dir, name, LKL_O_PATH | LKL_O_NOFOLLOW, 0),
		     INODE_NAME, e);
}

static void reply_entry(fuse_req_t req, int err, struct fuse_entry_param *e)
{
	if (err)
		reply_err(req, err);
	else if (fuse_reply_entry(req, e) && e->ino)
		inode_forget(e->ino, 1); /* the request was interrupted */
}

/*
 * A file itself, by any descriptor of it.  The host's kernel asks because it
 * has forgotten the file, so no program has it open: it is gone with its name.
 */
static int entry_of(fuse_ino_t ino, int fd, struct fuse_entry_param *e)
{
	char name[FD_NAME];
	struct stat st;
	int err = inode_stat(fd, &st);

	if (err || !st.st_nlink)
		return err ? err : -LKL_ESTALE;
	return entry(
		ino,
		lkl_sys_openat(LKL_AT_FDCWD, fd_name(name, fd), LKL_O_PATH, 0),
		INODE_NAME, e);
}

/*
 * The host's kernel asks for "." and ".." only to find a file by its number,
 * which may be one that it, and we, have forgotten.
 */
void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = { .entry_timeout = valid_in(parent) };
	int dir = inode_open(parent, INODE_NAME);
	bool revived = dir == -LKL_ESTALE;
	int err;

	if (revived)
		dir = inode_revive(parent);
	err = dir;
	if (dir >= 0) {
		err = strcmp(name, ".") ? entry_at(parent, dir, name, &e)
					: entry_of(parent, dir, &e);
		if (revived)
			lkl_sys_close(dir);
		else
			inode_close(parent);
	}
	/* that there is none may be remembered, too: as number 0 */
	reply_entry(req, err == -LKL_ENOENT ? 0 : err, &e);
}

void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	inode_forget(ino, lookups);
	fuse_reply_none(req);
}

void op_forget_multi(fuse_req_t req, size_t count,
		     struct fuse_forget_data *forgets)
{
	for (size_t n = 0; n < count; n++)
		inode_forget(forgets[n].ino, forgets[n].nlookup);
	fuse_reply_none(req);
}

void op_readlink(fuse_req_t req, fuse_ino_t ino)
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

/*
 * Become the caller for making a file with @mode in @dir.  The set-group-ID bit
 * of a program stays for members of the directory's group, which it gets.
 */
static void become_maker(struct worker *w, fuse_req_t req, int dir, mode_t mode)
{
	const mode_t program = S_ISGID | S_IXGRP;
	struct stat st;

	become_caller(w, req);
	if ((mode & program) == program && !is_root(req) &&
	    !inode_stat(dir, &st) && st.st_mode & S_ISGID)
		become_member(w, req, st.st_gid);
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
		become_maker(w, req, dir, mode);
		if (target)
			err = lkl_sys_symlinkat(target, dir, name);
		else if (S_ISDIR(mode))
			err = lkl_sys_mkdirat(dir, name, mode & 07777);
		else
			err = lkl_sys_mknodat(dir, name, mode, dev);
	}
	if (!err)
		err = entry_at(parent, dir, name, &e);
	if (dir >= 0)
		inode_close(parent);
	reply_entry(req, err, &e);
}

void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	      dev_t dev)
{
	make(req, parent, name, mode, dev, NULL);
}

void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	make(req, parent, name, S_IFDIR | mode, 0, NULL);
}

void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
		const char *name)
{
	make(req, parent, name, S_IFLNK, 0, target);
}

void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	       struct fuse_file_info *fi)
{
	int flags = LKL_O_CREAT | LKL_O_RDWR | LKL_O_NOFOLLOW | LKL_O_NONBLOCK |
		    (fi->flags & (O_EXCL | O_TRUNC));
	struct fuse_entry_param e = { 0 };
	int dir = inode_open(parent, INODE_NAME);
	struct worker *w = worker();
	int err = dir < 0 ? dir : w ? 0 : -LKL_ENOMEM;

	if (!err) {
		become_maker(w, req, dir, mode);
		err = entry(parent, lkl_sys_openat(dir, name, flags, mode),
			    INODE_WRITE, &e);
	}
	if (dir >= 0)
		inode_close(parent);
	fi->keep_cache = 1;
	if (err)
		reply_err(req, err);
	else if (fuse_reply_create(req, &e, fi))
		inode_forget(e.ino, 1);
}

void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
	     const char *name)
{
	struct fuse_entry_param e = { 0 };
	int fd = inode_open(ino, INODE_NAME);
	int dir = inode_open(parent, INODE_NAME);
	int err = fd < 0 ? fd : dir < 0 ? dir : 0;

	if (!err)
		err = lkl_sys_linkat(fd, "", dir, name, LKL_AT_EMPTY_PATH);
	if (!err)
		err = entry_at(parent, dir, name, &e);
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

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	take_away(req, parent, name, 0);
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	take_away(req, parent, name, LKL_AT_REMOVEDIR);
}

void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
	       fuse_ino_t newparent, const char *newname, unsigned int flags)
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
