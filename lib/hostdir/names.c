// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names in a host directory: looking them up, making, moving and removing them.
 *
 * Each is a single component in a directory that was found from the root, so
 * none leads elsewhere.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <lkl/asm/errno.h>
#include "hostdir.h"

/* The name in the arguments at @pos, or NULL if it cannot be one. */
static const char *name_at(struct request *r, size_t pos)
{
	const char *name = r->args + pos;

	if (pos >= r->len || !*name || strlen(name) > NAME_MAX ||
	    strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return NULL;
	return name;
}

static int open_parent(struct request *r, const char *name)
{
	if (!name)
		return -LKL_EINVAL;
	return nodes_open(r->h, r->hdr.nodeid, O_PATH, NULL);
}

/* Tell the kernel of a name in the directory that the request is about. */
static long enter(struct request *r, int dir, const char *name)
{
	struct lkl_fuse_entry_out *out = (void *)r->reply;
	struct statx stx;
	int err;

	err = nodes_stat(dir, name, &stx);
	if (!err)
		err = attr_entry(r->h, r->hdr.nodeid, name, &stx, out);
	return err ? err : (long)sizeof(*out);
}

HANDLER(lookup)
{
	const char *name = name_at(r, 0);
	int dir = open_parent(r, name);
	long ret;

	if (dir < 0)
		return dir;
	ret = enter(r, dir, name);
	nodes_close(r->h, dir);
	return ret;
}

/* Files are made as whom the kernel has it, if that is possible. */
static void become(struct request *r)
{
	if (!r->h->privileged)
		return;
	setfsgid(r->hdr.gid);
	setfsuid(r->hdr.uid);
}

static void become_again(struct request *r)
{
	if (!r->h->privileged)
		return;
	setfsuid(r->h->uid);
	setfsgid(r->h->gid);
}

/* Make what @make makes, and tell the kernel of it. */
static long make(struct request *r, const char *name,
		 int (*make)(struct request *r, int dir, const char *name))
{
	int dir = open_parent(r, name);
	long ret;

	if (dir < 0)
		return dir;
	become(r);
	ret = make(r, dir, name) ? -errno : 0;
	become_again(r);
	if (!ret)
		ret = enter(r, dir, name);
	nodes_close(r->h, dir);
	return ret;
}

static int make_symlink(struct request *r, int dir, const char *name)
{
	(void)r;
	return symlinkat(name + strlen(name) + 1, dir, name);
}

HANDLER(symlink)
{
	const char *name = name_at(r, 0);

	if (name && strlen(name) + 1 >= r->len)
		name = NULL;
	return make(r, name, make_symlink);
}

static int make_node(struct request *r, int dir, const char *name)
{
	const struct lkl_fuse_mknod_in *in = (void *)r->args;
	unsigned int major = in->rdev >> 8 & 0xfff;
	unsigned int minor = (in->rdev & 0xff) | (in->rdev >> 12 & 0xfff00);

	return mknodat(dir, name, attr_mode(r->h, in->mode),
		       makedev(major, minor));
}

HANDLER(mknod)
{
	return make(r, name_at(r, sizeof(struct lkl_fuse_mknod_in)), make_node);
}

static int make_dir(struct request *r, int dir, const char *name)
{
	const struct lkl_fuse_mkdir_in *in = (void *)r->args;

	return mkdirat(dir, name, attr_mode(r->h, in->mode | S_IFDIR) & 07777);
}

HANDLER(mkdir)
{
	return make(r, name_at(r, sizeof(struct lkl_fuse_mkdir_in)), make_dir);
}

static int make_link(struct request *r, int dir, const char *name)
{
	const struct lkl_fuse_link_in *in = (void *)r->args;
	struct handle *handle;
	char path[32];
	int fd, err, saved;

	fd = handles_take(r->h, in->oldnodeid, &handle);
	if (fd < 0) {
		errno = -fd;
		return -1;
	}
	err = linkat(fd, "", dir, name, AT_EMPTY_PATH);
	if (err && errno == ENOENT) { /* not for everyone */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		err = linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW);
	}
	saved = errno;
	handles_drop(r->h, fd, handle);
	errno = saved;
	return err;
}

HANDLER(link)
{
	return make(r, name_at(r, sizeof(struct lkl_fuse_link_in)), make_link);
}

static long remove_name(struct request *r, int flags)
{
	const char *name = name_at(r, 0);
	int dir = open_parent(r, name);
	long ret;

	if (dir < 0)
		return dir;
	ret = unlinkat(dir, name, flags) ? -errno : 0;
	nodes_close(r->h, dir);
	return ret;
}

HANDLER(unlink)
{
	return remove_name(r, 0);
}

HANDLER(rmdir)
{
	return remove_name(r, AT_REMOVEDIR);
}

static void moved(struct request *r, uint64_t parent, int dir, const char *name)
{
	struct statx stx;

	if (!nodes_stat(dir, name, &stx))
		nodes_moved(r->h, parent, name, &stx);
}

static long rename_at(struct request *r, int from, int to, uint64_t to_id,
		      const char *old, const char *new, unsigned int flags)
{
	struct hostdir *h = r->h;
	long ret;

	lock(&h->rename);
	__atomic_fetch_add(&h->moves, 1, __ATOMIC_SEQ_CST);
	become(r); /* the owner of a whiteout */
	ret = renameat2(from, old, to, new, flags) ? -errno : 0;
	become_again(r);
	if (!ret) {
		moved(r, to_id, to, new);
		if (flags & RENAME_EXCHANGE)
			moved(r, r->hdr.nodeid, from, old);
	}
	__atomic_fetch_add(&h->moves, 1, __ATOMIC_SEQ_CST);
	lkl_vdev_host->wake(&h->moves, THREADS);
	unlock(&h->rename);
	return ret;
}

static long move(struct request *r, size_t names, uint64_t to_id,
		 unsigned int flags)
{
	const char *old = name_at(r, names);
	const char *new = old ? name_at(r, names + strlen(old) + 1) : NULL;
	int from, to;
	long ret;

	from = open_parent(r, new);
	if (from < 0)
		return from;
	ret = to = nodes_open(r->h, to_id, O_PATH, NULL);
	if (to >= 0)
		ret = rename_at(r, from, to, to_id, old, new, flags);
	nodes_close(r->h, to);
	nodes_close(r->h, from);
	return ret;
}

HANDLER(rename)
{
	const struct lkl_fuse_rename_in *in = (void *)r->args;

	return move(r, sizeof(*in), in->newdir, 0);
}

HANDLER(rename2)
{
	const struct lkl_fuse_rename2_in *in = (void *)r->args;

	return move(r, sizeof(*in), in->newdir, in->flags);
}

HANDLER(readlink)
{
	int fd = nodes_open(r->h, r->hdr.nodeid, O_PATH, NULL);
	long ret;

	if (fd < 0)
		return fd;
	ret = readlinkat(fd, "", r->reply, PATH_MAX);
	if (ret < 0)
		ret = -errno;
	nodes_close(r->h, fd);
	return ret;
}

/* Make a file, or open one that others have made meanwhile. */
static int open_new(struct request *r, int dir, const char *name,
		    struct statx *stx)
{
	const struct lkl_fuse_create_in *in = (void *)r->args;
	int fd, err;

	become(r);
	fd = openat(dir, name,
		    O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
			    (in->flags & (O_ACCMODE | O_EXCL | O_SYNC)),
		    attr_mode(r->h, in->mode) & 07777);
	err = fd < 0 ? -errno : 0;
	become_again(r);
	if (!err)
		err = nodes_stat(fd, "", stx);
	if (!err && !S_ISREG(stx->stx_mode))
		err = -LKL_ESTALE;
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

HANDLER(create)
{
	struct {
		struct lkl_fuse_entry_out entry;
		struct lkl_fuse_open_out open;
	} *out = (void *)r->reply;
	const char *name = name_at(r, sizeof(struct lkl_fuse_create_in));
	int fd, err, dir = open_parent(r, name);
	struct statx stx;

	if (dir < 0)
		return dir;
	fd = open_new(r, dir, name, &stx);
	nodes_close(r->h, dir);
	if (fd < 0)
		return fd;
	err = attr_entry(r->h, r->hdr.nodeid, name, &stx, &out->entry);
	if (err) {
		close(fd);
		return err;
	}
	out->open = (struct lkl_fuse_open_out){
		.fh = handles_add(r->h, out->entry.nodeid, fd),
		.open_flags = LKL_FOPEN_DIRECT_IO | LKL_FOPEN_NOFLUSH,
	};
	if (out->open.fh)
		return sizeof(*out);
	nodes_forget(r->h, out->entry.nodeid, 1);
	return -LKL_ENOMEM;
}
