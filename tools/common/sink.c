// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes the files that a stream brings.
 *
 * What is open in the target is a stack of objects: directories and, at the
 * top, perhaps a file.  An object gets its attributes (metadata.c) when it is
 * closed.
 *
 * Nothing that the stream brings may lead out of the target: names are single
 * parts of a path, directories are opened without following links, and what a
 * hard link shall lead to is looked up in the same way (resolve.c).
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "image.h"
#include "names.h"
#include "object.h"
#include "progress.h"
#include "remove.h"
#include "tool.h"

/* Holes are made of these. */
#define SPARSE_BLOCK 4096

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

/* The directory that the object at @level of the stack is in. */
static struct object parent(const struct sink *s, size_t level)
{
	if (level)
		return s->stack[level - 1];
	return (struct object){ .fd = s->base,
				.inherits = s->base_inherits,
				.names = s->base_names };
}

/* Does the directory give what is made in it a group or an ACL? */
static bool inherits(const struct fs *fs, int dir, const char *name)
{
	struct stat st;

	return (!fs->stat(dir, name, &st) && st.st_mode & S_ISGID) ||
	       fs->getxattr(dir, name, "system.posix_acl_default", NULL, 0) > 0;
}

/* Open the directory that a symbolic link leads to. */
static int open_link(const struct sink *s, int dir, const char *name)
{
	int link = resolve_dir(&s->resolver, dir, name);
	int fd = link < 0 ? link : s->fs->open_dir(link, ".");

	if (link >= 0)
		s->fs->close(link);
	return fd;
}

/* What has to be known about the names in a directory at @path. */
static struct names *enter_names(struct sink *s, int fd, bool fresh)
{
	bool keep = s->several || (s->replace && s->fs->folds(fd));

	if (!keep && (fresh || s->replace))
		return NULL;
	return names_enter(&s->all_names, s->fs, fd, s->path.text, fresh, keep);
}

/* Was what has this name there before, or may it come again? */
static bool free_to_take(const struct sink *s, const struct object *in,
			 const char *name, bool again)
{
	if (!in->names)
		return s->replace;
	return names_free_to_take(in->names, s->fs, in->fd, name, again);
}

static void take(const struct object *in, const char *name)
{
	if (in->names)
		names_take(in->names, name);
}

/* A directory that an archive has goes before a file. */
static int replace_by_dir(const struct sink *s, struct object *o,
			  const struct object *in, const char *name)
{
	struct stat st;
	int err = s->fs->stat(in->fd, name, &st);

	if (err || !s->replace || o->implicit ||
	    (S_ISLNK(st.st_mode) && !s->layers))
		return err ? err : -ENOTDIR;
	err = s->fs->unlink(in->fd, name)
		      ?: s->fs->mkdir(in->fd, name, o->mode);
	o->fresh = !err;
	return err ? err : s->fs->open_dir(in->fd, name);
}

static void make_dir(struct sink *s, struct object *o, const char *name)
{
	const struct object in = parent(s, s->depth - 1);
	const struct fs *fs = s->fs;
	int err;

	o->mode = 0700;
	err = fs->mkdir(in.fd, name, o->mode);
	if (err && (err != -EEXIST ||
		    (strcmp(name, ".") && !free_to_take(s, &in, name, true)))) {
		sink_complain(s, "cannot create directory", err);
		o->skip = true;
		return;
	}
	take(&in, name);
	o->fresh = !err;
	o->fd = fs->open_dir(in.fd, name);
	if (o->fd == -ENOTDIR && s->follow)
		o->fd = open_link(s, in.fd, name);
	if (o->fd == -ENOTDIR)
		o->fd = replace_by_dir(s, o, &in, name);
	if (o->fd < 0) {
		sink_complain(s, "cannot open directory", o->fd);
		o->skip = true;
		return;
	}
	if (!o->fresh) {
		o->inherits = inherits(fs, o->fd, "");
		if (o->implicit)
			fs->stat(o->fd, "", &o->st);
	} else if (in.inherits) {
		fs->removexattr(o->fd, "", "system.posix_acl_default");
		fs->removexattr(o->fd, "", "system.posix_acl_access");
		fs->chmod(o->fd, "", o->mode);
	}
	o->names = enter_names(s, o->fd, o->fresh);
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
 * Everything but a directory replaces what has its name, and in an archive also
 * an empty directory.  But it does not replace another file of the source whose
 * name the target does not tell apart.
 */
static int make_room(const struct sink *s, const struct object *in,
		     const char *name)
{
	struct stat st;
	int err;

	if (!free_to_take(s, in, name, s->replace))
		return -EEXIST;
	if (s->image && !s->fs->stat(in->fd, name, &st) &&
	    image_is(s->image, &st))
		return -ETXTBSY;
	err = s->fs->unlink(in->fd, name);
	if (err == -EISDIR && s->layers)
		err = remove_tree(s->fs, in->fd, name);
	else if (err == -EISDIR && s->replace)
		err = s->fs->rmdir(in->fd, name);
	return err;
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
	err = s->only_dir && s->depth == 1 ? -ENOTDIR
					   : make(fs, o, in.fd, name, target);
	if (err == -EEXIST) {
		err = make_room(s, &in, name);
		if (!err)
			err = make(fs, o, in.fd, name, target);
	}
	if (err) {
		sink_complain(s, what, err);
		o->skip = true;
		return;
	}
	take(&in, name);
	if (S_ISLNK(o->st.st_mode))
		resolve_note(&s->resolver, in.fd, name);
	if (in.inherits && o->fd >= 0)
		fs->removexattr(o->fd, "", "system.posix_acl_access");
	else if (in.inherits && !S_ISLNK(o->st.st_mode))
		fs->removexattr(in.fd, name, "system.posix_acl_access");
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
	if (s->amend && !o->implicit)
		s->amend(s->arg, s->path.text, &o->st);
	if (S_ISDIR(o->st.st_mode))
		make_dir(s, o, r->data);
	else
		make_other(s, o, r->data, r->data + r->name_size);
	if (!o->skip && !o->implicit)
		s->files++;
}

/* Open the directory in the target that a path leads through to its last part.
 */
static int open_beneath(const struct sink *s, const char *path,
			const char **last)
{
	const char *slash = strrchr(path, '/');
	char *parent;
	int fd;

	*last = slash ? slash + 1 : path;
	parent = slash ? strndup(path, slash - path) : strdup(".");
	if (!parent)
		tool_no_memory();
	fd = s->fs->beneath(s->base, *parent ? parent : ".");
	if (fd == -ENOSYS || (fd == -ELOOP && s->follow))
		fd = resolve_dir(&s->resolver, s->base, parent);
	free(parent);
	return fd;
}

/* Are both names of the same file? */
static bool same_file(const struct fs *fs, int dir_a, const char *name_a,
		      int dir_b, const char *name_b)
{
	struct stat a, b;

	return !fs->stat(dir_a, name_a, &a) && !fs->stat(dir_b, name_b, &b) &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static void make_link(struct sink *s, const struct record *r)
{
	const struct object in = parent(s, s->depth);
	const struct fs *fs = s->fs;
	size_t len = s->path.len;
	const char *first;
	int err, dir;

	if (in.skip)
		return;
	enter_path(s, r->data);
	err = dir = open_beneath(s, r->data + r->name_size, &first);
	if (dir >= 0)
		err = fs->link(dir, first, in.fd, r->data);
	if (err == -EEXIST && s->replace &&
	    same_file(fs, dir, first, in.fd, r->data)) {
		err = 0; /* it is there already */
	} else if (err == -EEXIST) {
		err = make_room(s, &in, r->data);
		if (!err)
			err = fs->link(dir, first, in.fd, r->data);
	}
	if (dir >= 0)
		fs->close(dir);
	if (err) {
		sink_complain(s, "cannot create hard link", err);
	} else {
		take(&in, r->data);
		s->files++;
	}
	s->path.len = len;
	s->path.text[len] = 0;
}

/* What was in the target is to go; it may not be there. */
static void remove_path(struct sink *s, const struct record *r)
{
	const char *name;
	size_t len = s->path.len;
	int err, dir;

	tool_path_set(&s->path, len, r->data);
	if (r->type == REC_EMPTY) {
		err = dir = s->fs->beneath(s->base, *r->data ? r->data : ".");
		if (dir >= 0)
			err = remove_content(s->fs, dir);
	} else {
		err = dir = open_beneath(s, r->data, &name);
		if (dir >= 0)
			err = remove_tree(s->fs, dir, name);
	}
	if (dir >= 0)
		s->fs->close(dir);
	if (err < 0 && err != -ENOENT && err != -ENOTDIR)
		sink_complain(s, "cannot remove", err);
	s->path.len = len;
	s->path.text[len] = 0;
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
	object_add_attr(o, r->data, r->data + r->name_size,
			r->size - r->name_size);
}

/* Write @size bytes of a record that begin at @done in it; false after an
 * error. */
static bool write_part(struct sink *s, const struct record *r, size_t done,
		       size_t size)
{
	struct object *o = &s->stack[s->depth - 1];
	size_t end = done + size;

	while (done < end) {
		long n = s->fs->pwrite(o->fd, r->bytes + done, end - done,
				       r->off + done);

		if (n <= 0) {
			sink_complain(s, "error writing", n ? n : -EIO);
			o->failed = true;
			return false;
		}
		done += n;
	}
	if (size)
		o->end = r->off + end;
	return true;
}

static bool is_zero(const char *p, size_t size)
{
	return !*p && !memcmp(p, p + 1, size - 1);
}

/* Write the blocks that are not all zeros, as long runs of them as there are.
 */
static void write_blocks(struct sink *s, const struct record *r)
{
	size_t begin = 0, pos = 0;

	while (pos < r->size) {
		size_t n = SPARSE_BLOCK - (r->off + pos) % SPARSE_BLOCK;

		if (n > r->size - pos)
			n = r->size - pos;
		if (is_zero(r->bytes + pos, n)) {
			if (!write_part(s, r, begin, pos - begin))
				return;
			begin = pos + n;
		}
		pos += n;
	}
	write_part(s, r, begin, pos - begin);
}

static void write_data(struct sink *s, const struct record *r)
{
	struct object *o = &s->stack[s->depth - 1];

	if (o->skip || o->failed)
		return;
	if (s->sparse)
		write_blocks(s, r);
	else
		write_part(s, r, 0, r->size);
	if (!o->failed)
		s->bytes += r->size;
}

/*
 * What has no descriptor, as nothing is written into it.  Where others look,
 * they may have put something else in its place.
 */
static void finish_by_name(struct sink *s, struct object *o, bool unsure,
			   int dir, const char *name)
{
	struct stat st;
	int fd, err;

	if (s->fs->exclusive) {
		object_finish(s, o, unsure, dir, name);
		return;
	}
	err = fd = s->fs->open_path(dir, name);
	if (fd >= 0)
		err = s->fs->stat(fd, "", &st);
	if (!err && ((st.st_mode ^ o->st.st_mode) & S_IFMT || st.st_nlink > 1))
		err = -ESTALE;
	if (err)
		sink_complain(s, "cannot set permissions of", err);
	else
		object_finish(s, o, unsure, fd, "");
	if (fd >= 0)
		s->fs->close(fd);
}

/* Take the top object off the stack, complete or, if @failed, as it is. */
static void close_object(struct sink *s, off_t size, bool failed)
{
	struct object *o = &s->stack[s->depth - 1];
	const char *name = s->path.text + s->path.len - o->name_len;
	int dir = parent(s, s->depth - 1).fd;
	bool file = S_ISREG(o->st.st_mode);
	bool unsure = !o->fresh || parent(s, s->depth - 1).inherits;
	const struct timespec times[2] = { o->st.st_atim, o->st.st_mtim };
	const struct fs *fs = s->fs;
	int err;

	if (o->skip)
		goto out;
	failed |= o->failed;
	if (file && !failed && o->end != size) {
		err = fs->truncate(o->fd, size);
		if (err)
			sink_complain(s, "error writing", err);
		failed = err;
	}
	if (o->implicit && !o->fresh)
		fs->utime(o->fd, "", times);
	else if (o->fd < 0)
		finish_by_name(s, o, unsure, dir, name);
	else if (!file || !failed)
		object_finish(s, o, unsure, o->fd, "");
	err = o->fd < 0 ? 0 : fs->close(o->fd);
	if (err)
		sink_complain(s, "error writing", err);
	if (file && (failed || err)) {
		fs->unlink(dir, name);
		s->files--;
	}
out:
	names_leave(o->names);
	free(o->attrs);
	s->path.len = o->path_len;
	s->path.text[s->path.len] = 0;
	s->depth--;
}

/* The record with the names that things get in the target. */
static const struct record *rename_in(struct sink *s, const struct record *r,
				      struct record **own)
{
	free(*own);
	*own = NULL;
	if (!s->escape || (r->type != REC_OPEN && r->type != REC_ENTER &&
			   r->type != REC_LINK))
		return r;
	*own = escape_record(r, s->renamed, !s->depth);
	return *own;
}

/* Write everything that comes; tidy up if that is not all there is. */
static void receive(struct sink *s, struct stream *stream)
{
	struct record *own = NULL;

	while (!tool_signal && !s->full) {
		const struct record *r = stream_next(stream);

		progress_update(s->files, s->bytes);
		if (!r)
			continue;
		r = rename_in(s, r, &own);
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
		case REC_REMOVE:
		case REC_EMPTY:
			remove_path(s, r);
			break;
		case REC_DONE:
			goto out;
		case REC_BROKEN:
			goto tidy;
		}
	}
tidy:
	stream_cancel(stream);
	while (s->depth)
		close_object(s, 0, true);
out:
	free(own);
}

/* The base may be open only as a starting point. */
static struct names *enter_base(struct sink *s)
{
	int fd = s->fs->open_dir(s->base, ".");
	struct names *n = enter_names(s, fd < 0 ? s->base : fd, false);

	if (fd >= 0)
		s->fs->close(fd);
	return n;
}

void sink_run(struct sink *s, void *(*produce)(void *), void *arg,
	      struct stream *stream)
{
	pthread_t producer;
	int err;

	s->resolver = (struct resolver){ s->fs, s->follow, NULL };
	s->base_inherits = inherits(s->fs, s->base, ".");
	tool_path_set(&s->path, 0, s->target);
	s->base_names = enter_base(s);
	tool_path_set(&s->path, 0, "");
	err = produce ? pthread_create(&producer, NULL, produce, arg) : 0;
	if (err) {
		tool_error("cannot start a thread: %s", strerror(err));
		return;
	}
	receive(s, stream);
	if (produce)
		pthread_join(producer, NULL);
	progress_end(s->files, s->bytes);
	sink_say_lost(s);
	names_leave(s->base_names);
	names_free(&s->all_names);
	resolve_free(&s->resolver);
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
