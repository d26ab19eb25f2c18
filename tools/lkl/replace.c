// SPDX-License-Identifier: GPL-2.0-only
/*
 * New contents for a file, all at once or not at all: they go into a file
 * beside it, which takes its place when it is complete and on the disk.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "../common/tool.h"
#include "replace.h"
#include "text.h"

#define MAX_LINKS 40
#define MAX_NAMES 10000

static void complain(const struct session *s, const struct replace *r,
		     const char *what, long err)
{
	if (err == -ENOSPC && s->fs->no_inodes(r->wp.dir))
		tool_file_reason(what, s->fs->label, r->path,
				 "No space left on device (all inodes are in "
				 "use)");
	else
		path_error(s, what, r->path, err);
}

/* Where a chain of links ends; the path to be freed. */
static int resolve(const struct session *s, const char *path, struct replace *r)
{
	char *here = strdup(path), *next;
	char target[PATH_MAX];
	int err;

	for (int i = 0; i < MAX_LINKS && here; i++) {
		const char *slash;
		size_t dir;

		err = path_split(s, here, &r->wp);
		if (!err)
			err = s->fs->stat(r->wp.dir, r->wp.open, &r->old);
		if (err || !S_ISLNK(r->old.st_mode)) {
			r->exists = !err;
			free(here);
			/* the directory must be there, the file need not */
			return err == -ENOENT && r->wp.dir >= 0 &&
					       strcmp(r->wp.open, ".")
				       ? 0
				       : err;
		}
		err = text_link(s, r->wp.dir, r->wp.open, target);
		walk_split_free(s->fs, &r->wp);
		r->wp.dir = -1;
		r->wp.open = r->wp.name = NULL;
		if (err) {
			free(here);
			return err;
		}
		slash = strrchr(here, '/');
		dir = *target == '/' || !slash ? 0 : slash - here + 1;
		if (asprintf(&next, "%.*s%s", (int)dir, here, target) < 0)
			tool_no_memory();
		free(here);
		here = next;
	}
	free(here);
	return -ELOOP;
}

static int open_new(const struct session *s, struct replace *r)
{
	for (unsigned int i = 0; i < MAX_NAMES; i++) {
		snprintf(r->tmp, sizeof(r->tmp), ".lkl%u.new", i);
		r->fd = s->fs->create(r->wp.dir, r->tmp, 0600);
		if (r->fd != -EEXIST)
			break;
	}
	return r->fd < 0 ? r->fd : 0;
}

int replace_begin(const struct session *s, const char *path, struct replace *r)
{
	int err;

	*r = (struct replace){ .fd = -1, .path = path, .wp = { .dir = -1 } };
	err = resolve(s, path, r);
	if (!err && r->exists && !S_ISREG(r->old.st_mode))
		err = S_ISDIR(r->old.st_mode) ? -EISDIR : -EINVAL;
	if (!err)
		err = open_new(s, r);
	if (err) {
		complain(s, r, "cannot write", err);
		if (r->wp.open)
			walk_split_free(s->fs, &r->wp);
		return -1;
	}
	return 0;
}

bool replace_write(const struct session *s, struct replace *r, const void *buf,
		   size_t size, off_t *off)
{
	const char *p = buf;

	while (size) {
		long n = s->fs->pwrite(r->fd, p, size, *off);

		if (n <= 0) {
			complain(s, r, "error writing", n ? n : -EIO);
			return false;
		}
		p += n;
		*off += n;
		size -= n;
	}
	return true;
}

/* All attributes that the file system lets us set, ACLs among them. */
static long copy_attributes(const struct session *s, struct replace *r)
{
	char *list = tool_alloc(NULL, XATTR_LIST_MAX);
	char *value = tool_alloc(NULL, XATTR_SIZE_MAX);
	long size =
		s->fs->listxattr(r->wp.dir, r->wp.open, list, XATTR_LIST_MAX);
	long err = size == -EOPNOTSUPP ? 0 : size < 0 ? size : 0;

	for (long i = 0; !err && i < size; i += strlen(list + i) + 1) {
		long n = s->fs->getxattr(r->wp.dir, r->wp.open, list + i, value,
					 XATTR_SIZE_MAX);

		if (n == -ENODATA || n == -EOPNOTSUPP)
			continue;
		err = n < 0 ? n
			    : s->fs->setxattr(r->fd, "", list + i, value, n);
		if (err == -EOPNOTSUPP || err == -EINVAL)
			err = 0;
	}
	free(list);
	free(value);
	return err;
}

static long take_over(const struct session *s, struct replace *r)
{
	mode_t mode = r->exists || r->new_mode ? r->old.st_mode & 07777 : 0644;
	long err = 0;

	if (r->exists)
		err = s->fs->chown(r->fd, "", r->old.st_uid, r->old.st_gid);
	/* a file system without owners */
	if (err == -EPERM)
		err = 0;
	if (!err && r->exists)
		err = copy_attributes(s, r);
	if (!err)
		err = s->fs->chmod(r->fd, "", mode);
	return err == -EPERM ? 0 : err;
}

int replace_end(const struct session *s, struct replace *r, bool good)
{
	long err = 0;

	if (good) {
		err = take_over(s, r);
		/* that what takes the place has its contents, come what may */
		if (!err)
			err = lkl_sys_fsync(r->fd);
	}
	if (good && !err)
		err = lkl_sys_renameat(r->wp.dir, r->tmp, r->wp.dir,
				       r->wp.open);
	if (err)
		complain(s, r, "error writing", err);
	s->fs->close(r->fd);
	if (!good || err)
		s->fs->unlink(r->wp.dir, r->tmp);
	walk_split_free(s->fs, &r->wp);
	return good && !err ? 0 : -1;
}
