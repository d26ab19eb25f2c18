// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes the files that a stream brings.
 *
 * What is open in the target is a stack of objects: directories and, at the
 * top, perhaps a file.  Owner, attributes, mode and times are set when an
 * object is closed, in this order: a change of owner clears set-user-id bits
 * and capabilities, writing into a directory changes its times.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "progress.h"
#include "sink.h"
#include "tool.h"

#define MODE_BITS 07777

/* The owner @from, or everybody (@any), becomes @to. */
struct idrule {
	bool any;
	uint32_t from;
	uint32_t to;
};

/*
 * @fd: open file or directory, or -1
 * @skip: could not be made; what belongs to it is left out
 * @fresh: made by this run, not there before
 * @implicit: directory that stays as it is
 * @inherits: directory that gives new files a group or an ACL
 * @failed: contents are incomplete
 * @st: what it is to become
 * @mode: permissions it was made with
 * @path_len: length of the path of the directory it is in
 * @name_len: length of its name, the last part of the path
 * @end: bytes written so far, holes included
 * @attrs: extended attributes: name, 0, uint32_t size, value, ...
 */
struct object {
	int fd;
	bool skip;
	bool fresh;
	bool implicit;
	bool inherits;
	bool failed;
	struct stat st;
	mode_t mode;
	size_t path_len;
	size_t name_len;
	off_t end;
	char *attrs;
	size_t attrs_size;
};

void idmap_parse(struct idmap *map, char *text, const char *what)
{
	char *save;

	for (char *part = strtok_r(text, ",", &save); part;
	     part = strtok_r(NULL, ",", &save)) {
		char *colon = strchr(part, ':');
		struct idrule rule = {
			.any = !colon || !strncmp(part, "*:", 2),
		};

		if (colon)
			*colon = 0;
		if (!rule.any)
			rule.from = tool_number(part, UINT32_MAX - 1, what);
		rule.to = tool_number(colon ? colon + 1 : part, UINT32_MAX - 1,
				      what);
		map->rules =
			tool_alloc(map->rules, (map->count + 1) * sizeof(rule));
		map->rules[map->count++] = rule;
	}
	if (!map->count)
		tool_usage_error("invalid %s: ''", what);
}

uint32_t idmap_get(const struct idmap *map, uint32_t id)
{
	for (size_t i = 0; i < map->count; i++) {
		if (map->rules[i].any || map->rules[i].from == id)
			return map->rules[i].to;
	}
	return id;
}

/* Set the path to that of @name in the directory on top of the stack. */
static void enter_path(struct sink *s, const char *name)
{
	if (s->depth) {
		tool_path_set(&s->path, s->path.len, name);
		return;
	}
	tool_path_set(&s->path, 0, s->target);
	if (!s->renamed && strcmp(name, "."))
		tool_path_set(&s->path, s->path.len, name);
}

/*
 * Report a failed call.  Some errors mean that nothing more will succeed; then
 * the first of them is enough.
 */
static void complain(struct sink *s, const char *what, long err)
{
	if (!s->full)
		tool_file_error(what, s->fs->label, s->path.text, err);
	s->full |= err == -ENOSPC || err == -EDQUOT || err == -EROFS ||
		   err == -EIO;
}

/*
 * Something a target of this kind or this user cannot keep: say so once, and
 * do not call it a failure.
 */
static void lose(struct sink *s, enum loss kind, const char *what, long err)
{
	if (s->lost[kind])
		return;
	s->lost[kind] = true;
	tool_file_warn(what, s->fs->label, s->path.text, strerror(-err));
}

static bool cannot_keep(long err)
{
	return err == -EPERM || err == -EOPNOTSUPP || err == -EINVAL;
}

/* The directory that the object at @level of the stack is in. */
static struct object parent(const struct sink *s, size_t level)
{
	if (level)
		return s->stack[level - 1];
	return (struct object){ .fd = s->base, .inherits = s->base_inherits };
}

/* Does the directory give what is made in it a group or an ACL? */
static bool inherits(const struct fs *fs, int dir, const char *name)
{
	struct stat st;

	return (!fs->stat(dir, name, &st) && st.st_mode & S_ISGID) ||
	       fs->getxattr(dir, name, "system.posix_acl_default", NULL, 0) > 0;
}

/* Open the directory that the symbolic link we are at leads to. */
static int open_link(const struct sink *s)
{
	int link = s->fs->resolve(s->path.text);
	int fd = link < 0 ? link : s->fs->open_dir(link, ".");

	if (link >= 0)
		s->fs->close(link);
	return fd;
}

static void make_dir(struct sink *s, struct object *o, const char *name)
{
	const struct object in = parent(s, s->depth - 1);
	const struct fs *fs = s->fs;
	int err;

	o->mode = 0700;
	err = fs->mkdir(in.fd, name, o->mode);
	if (err && (err != -EEXIST || (in.fresh && !s->replace))) {
		complain(s, "cannot create directory", err);
		o->skip = true;
		return;
	}
	o->fresh = !err;
	o->fd = fs->open_dir(in.fd, name);
	if (o->fd == -ENOTDIR && s->follow)
		o->fd = open_link(s);
	if (o->fd < 0) {
		complain(s, "cannot open directory", o->fd);
		o->skip = true;
	} else if (!o->fresh) {
		o->inherits = inherits(fs, o->fd, "");
		if (o->implicit)
			fs->stat(o->fd, "", &o->st);
	} else if (in.inherits) {
		fs->removexattr(o->fd, "", "system.posix_acl_default");
		fs->removexattr(o->fd, "", "system.posix_acl_access");
		fs->chmod(o->fd, "", o->mode);
	}
}

static int make(const struct fs *fs, struct object *o, int dir,
		const char *name, const char *target)
{
	mode_t type = o->st.st_mode & S_IFMT;

	switch (type) {
	case S_IFREG:
		o->fd = fs->create(dir, name, o->mode);
		return o->fd < 0 ? o->fd : 0;
	case S_IFLNK:
		return fs->symlink(target, dir, name);
	default:
		return fs->mknod(dir, name, type | o->mode, o->st.st_rdev);
	}
}

/*
 * Everything but a directory replaces what has its name.  In a directory that
 * this run has made, that would be another file of the source: the target does
 * not tell their names apart.
 */
static int make_room(const struct sink *s, const struct object *in,
		     const char *name)
{
	return in->fresh && !s->replace ? -EEXIST : s->fs->unlink(in->fd, name);
}

static void make_other(struct sink *s, struct object *o, const char *name,
		       const char *target)
{
	const char *what = S_ISREG(o->st.st_mode) ? "cannot create regular file"
			   : S_ISLNK(o->st.st_mode)
				   ? "cannot create symbolic link"
				   : "cannot create special file";
	const struct object in = parent(s, s->depth - 1);
	const struct fs *fs = s->fs;
	int err;

	o->mode = fs->exclusive ? o->st.st_mode & MODE_BITS : 0600;
	o->fresh = true;
	err = make(fs, o, in.fd, name, target);
	if (err == -EEXIST) {
		err = make_room(s, &in, name);
		if (!err)
			err = make(fs, o, in.fd, name, target);
	}
	if (err) {
		complain(s, what, err);
		o->skip = true;
	} else if (in.inherits && o->fd >= 0) {
		fs->removexattr(o->fd, "", "system.posix_acl_access");
	}
}

static void open_object(struct sink *s, const struct record *r)
{
	bool skip = s->depth && s->stack[s->depth - 1].skip;
	struct object *o;

	if (s->depth == s->stack_size) {
		s->stack_size = s->stack_size ? 2 * s->stack_size : 64;
		s->stack = tool_alloc(s->stack, s->stack_size * sizeof(*o));
	}
	o = &s->stack[s->depth];
	*o = (struct object){
		.fd = -1,
		.skip = skip,
		.implicit = r->type == REC_ENTER,
		.st = r->st,
		.path_len = s->path.len,
		.name_len = r->name_size - 1,
	};
	enter_path(s, r->data);
	s->depth++;
	if (skip)
		return;
	if (S_ISDIR(o->st.st_mode))
		make_dir(s, o, r->data);
	else
		make_other(s, o, r->data, r->data + r->name_size);
	if (!o->skip && !o->implicit)
		s->files++;
}

static void make_link(struct sink *s, const struct record *r)
{
	const char *first = r->data + r->name_size;
	const struct object in = parent(s, s->depth);
	const struct fs *fs = s->fs;
	size_t len = s->path.len;
	struct stat a, b;
	int err;

	if (in.skip)
		return;
	enter_path(s, r->data);
	err = fs->link(s->base, first, in.fd, r->data);
	if (err == -EEXIST && s->replace && !fs->stat(s->base, first, &a) &&
	    !fs->stat(in.fd, r->data, &b) && a.st_ino == b.st_ino) {
		err = 0; /* it is there already */
	} else if (err == -EEXIST) {
		err = make_room(s, &in, r->data);
		if (!err)
			err = fs->link(s->base, first, in.fd, r->data);
	}
	if (err)
		complain(s, "cannot create hard link", err);
	else
		s->files++;
	s->path.len = len;
	s->path.text[len] = 0;
}

static void add_attr(struct object *o, const char *name, const void *value,
		     uint32_t size)
{
	size_t len = strlen(name) + 1;

	o->attrs =
		tool_alloc(o->attrs, o->attrs_size + len + sizeof(size) + size);
	memcpy(o->attrs + o->attrs_size, name, len);
	o->attrs_size += len;
	memcpy(o->attrs + o->attrs_size, &size, sizeof(size));
	o->attrs_size += sizeof(size);
	memcpy(o->attrs + o->attrs_size, value, size);
	o->attrs_size += size;
}

/* Keep an attribute until the object is closed. */
static void keep_attr(struct sink *s, const struct record *r)
{
	struct object *o = &s->stack[s->depth - 1];

	if (o->skip)
		return;
	/* the user's label goes before the source's */
	if (s->label && !strcmp(r->data, "security.selinux"))
		return;
	add_attr(o, r->data, r->data + r->name_size, r->size - r->name_size);
}

static void write_data(struct sink *s, const struct record *r)
{
	struct object *o = &s->stack[s->depth - 1];
	size_t done = 0;

	if (o->skip || o->failed)
		return;
	while (done < r->size) {
		long n = s->fs->pwrite(o->fd, r->data + done, r->size - done,
				       r->off + done);

		if (n <= 0) {
			complain(s, "error writing", n ? n : -EIO);
			o->failed = true;
			return;
		}
		done += n;
	}
	o->end = r->off + r->size;
	s->bytes += r->size;
}

/* Returns the permissions that may be set, less those of the lost owner. */
static mode_t set_owner(struct sink *s, const struct object *o, int dir,
			const char *name, uid_t uid, gid_t gid)
{
	mode_t mode = o->st.st_mode & MODE_BITS;
	int err = s->fs->chown(dir, name, uid, gid);

	if (!err)
		return mode;
	if (!cannot_keep(err)) {
		complain(s, "cannot change the owner of", err);
	} else if (s->fs->exclusive || !s->fs->uid) {
		lose(s, LOST_OWNER, "cannot keep owners, as that of", err);
	} else if (!s->fs->chown(dir, name, -1, gid)) {
		/* an ordinary user, who may give files to groups of his */
		return mode & ~S_ISUID;
	}
	return mode & ~(S_ISUID | S_ISGID);
}

static void set_attrs(struct sink *s, const struct object *o, int dir,
		      const char *name)
{
	const char *p = o->attrs;

	while (p < o->attrs + o->attrs_size) {
		const char *attr = p;
		uint32_t size;
		int err;

		p += strlen(p) + 1;
		memcpy(&size, p, sizeof(size));
		p += sizeof(size);
		err = s->fs->setxattr(dir, name, attr, p, size);
		p += size;
		if (cannot_keep(err)) {
			lose(s, LOST_ATTRIBUTES,
			     "cannot keep extended attributes, as those of",
			     err);
		} else if (err) {
			tool_file_error("cannot set an extended attribute of",
					s->fs->label, s->path.text, err);
		}
	}
}

static void set_metadata(struct sink *s, struct object *o, int dir,
			 const char *name)
{
	struct timespec times[2] = { o->st.st_atim, o->st.st_mtim };
	bool unsure = !o->fresh || parent(s, s->depth - 1).inherits;
	uid_t uid = idmap_get(&s->uids, o->st.st_uid);
	gid_t gid = idmap_get(&s->gids, o->st.st_gid);
	mode_t mode = o->st.st_mode & MODE_BITS;
	int err;

	if (s->label)
		add_attr(o, "security.selinux", s->label, strlen(s->label) + 1);
	if (unsure || uid != s->fs->uid || gid != s->fs->gid) {
		mode = set_owner(s, o, dir, name, uid, gid);
		unsure |= mode & (S_ISUID | S_ISGID);
	}
	set_attrs(s, o, dir, name);
	if ((unsure || mode != o->mode) && !S_ISLNK(o->st.st_mode)) {
		err = s->fs->chmod(dir, name, mode);
		if (cannot_keep(err))
			lose(s, LOST_MODE, "cannot keep permissions, as of",
			     err);
		else if (err)
			complain(s, "cannot set permissions of", err);
	}
	err = s->fs->utime(dir, name, times);
	if (err)
		complain(s, "cannot set times of", err);
}

/* Take the top object off the stack, complete or, if @failed, as it is. */
static void close_object(struct sink *s, off_t size, bool failed)
{
	struct object *o = &s->stack[s->depth - 1];
	const char *name = s->path.text + s->path.len - o->name_len;
	int dir = parent(s, s->depth - 1).fd;
	bool file = S_ISREG(o->st.st_mode);
	const struct timespec times[2] = { o->st.st_atim, o->st.st_mtim };
	const struct fs *fs = s->fs;
	int err;

	if (o->skip)
		goto out;
	failed |= o->failed;
	if (file && !failed && o->end != size) {
		err = fs->truncate(o->fd, size);
		if (err)
			complain(s, "error writing", err);
		failed = err;
	}
	if (o->implicit && !o->fresh)
		fs->utime(o->fd, "", times);
	else if (o->fd < 0)
		set_metadata(s, o, dir, name);
	else if (!file || !failed)
		set_metadata(s, o, o->fd, "");
	err = o->fd < 0 ? 0 : fs->close(o->fd);
	if (err)
		complain(s, "error writing", err);
	if (file && (failed || err)) {
		fs->unlink(dir, name);
		s->files--;
	}
out:
	free(o->attrs);
	s->path.len = o->path_len;
	s->path.text[s->path.len] = 0;
	s->depth--;
}

/* Write everything that comes; tidy up if that is not all there is. */
static void receive(struct sink *s, struct stream *stream)
{
	while (!tool_signal && !s->full) {
		const struct record *r = stream_next(stream);

		progress_update(s->files, s->bytes);
		if (!r)
			continue;
		switch (r->type) {
		case REC_OPEN:
		case REC_ENTER:
			open_object(s, r);
			break;
		case REC_XATTR:
			keep_attr(s, r);
			break;
		case REC_MAP:
			break; /* holes are where no data comes */
		case REC_DATA:
			write_data(s, r);
			break;
		case REC_CLOSE:
			close_object(s, r->off, r->failed);
			break;
		case REC_LINK:
			make_link(s, r);
			break;
		case REC_DONE:
			return;
		}
	}
	stream_cancel(stream);
	while (s->depth)
		close_object(s, 0, true);
}

void sink_run(struct sink *s, void *(*produce)(void *), void *arg,
	      struct stream *stream)
{
	pthread_t producer;
	int err;

	s->base_inherits = inherits(s->fs, s->base, ".");
	err = pthread_create(&producer, NULL, produce, arg);
	if (err) {
		tool_error("cannot start a thread: %s", strerror(err));
		return;
	}
	receive(s, stream);
	pthread_join(producer, NULL);
	progress_end(s->files, s->bytes);
}

void sink_close(struct sink *s, bool sync)
{
	int err = sync ? s->fs->sync(s->base) : 0;

	if (err && !s->full)
		tool_file_error("error writing", s->fs->label, s->target, err);
	s->fs->close(s->base);
	free(s->stack);
	free(s->path.text);
}
