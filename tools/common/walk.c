// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads trees of files and sends them as a stream.
 *
 * Directories being read are kept on a stack with the names still to visit,
 * each holding its descriptor: nothing is ever looked up by a long path, and a
 * directory that is moved away meanwhile does no harm.  A file costs one open,
 * one fstat, one flistxattr, one read (of a byte more than it should have, so
 * that the same call also meets its end) and one close.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "escape.h"
#include "holes.h"
#include "tool.h"
#include "walk.h"

/* Which files must have holes: long ones with few blocks. */
#define MANY_BLOCKS 2048
#define FEW_OF_SIZE 16

struct frame {
	int fd;
	struct walk_names names;
	size_t next;
	size_t path_len;
};

/* A file with more names than one, and the first of them that was sent. */
struct link {
	dev_t dev;
	ino_t ino;
	char path[];
};

/*
 * @path: where we are, as the user would write it, for messages
 * @top: name the current one of the user's paths gets in the target
 * @top_len: length of that path in @path
 * @links: tree of struct link
 * @unknown: the file system did not know an attribute that it had listed
 * @streams: files with streams, which are left out, and
 * @streams_of: the first of them
 */
struct walker {
	const struct walk *walk;
	const struct fs *fs;
	struct frame *stack;
	size_t depth;
	size_t stack_size;
	struct tool_path path;
	const char *top;
	size_t top_len;
	void *links;
	bool unknown;
	unsigned long long streams;
	char *streams_of;
	char attrs[XATTR_LIST_MAX];
};

static void complain(const struct walker *w, const char *what, long err)
{
	tool_file_error(what, w->fs->label, w->path.text, err);
}

/* A path, or a name, as it is to be in the target; to be freed. */
static char *target_name(const struct walker *w, const char *path)
{
	char *name = w->walk->unescape ? escape_path(path, escape_undo)
				       : strdup(path);

	if (!name)
		tool_no_memory();
	return name;
}

/*
 * The send functions return false when the stream has been cancelled.
 */

static bool send_open(struct walker *w, const char *name, const struct stat *st,
		      const char *target)
{
	return stream_named(w->walk->stream, REC_OPEN, st, name, target,
			    strlen(target) + 1);
}

/* Where the walk is in the target, from the directory everything goes to; to be
 * freed. */
static char *target_path(const struct walker *w)
{
	const char *rest = w->path.text + w->top_len;
	char *below, *path;

	rest += strspn(rest, "/");
	below = target_name(w, rest);
	if (asprintf(&path, "%s%s%s", w->top, *below ? "/" : "", below) < 0)
		tool_no_memory();
	free(below);
	return path;
}

/*
 * Left out are attributes of the system's own that no tool can carry over, the
 * second names under which root sees the ACLs of xfs, and those in which ntfs3
 * keeps owner and mode.
 */
static bool wanted(const char *attr)
{
	if (!strncmp(attr, "system.", 7))
		return !strcmp(attr, "system.posix_acl_access") ||
		       !strcmp(attr, "system.posix_acl_default");
	return strncmp(attr, "trusted.SGI_ACL_", 16) && strncmp(attr, "$LX", 3);
}

static bool send_attr(struct walker *w, int dir, const char *name,
		      const char *attr)
{
	size_t len = strlen(attr) + 1;
	struct record *r;
	long size;

	r = stream_reserve(w->walk->stream, len + XATTR_SIZE_MAX);
	if (!r)
		return false;
	size = w->fs->getxattr(dir, name, attr, r->data + len, XATTR_SIZE_MAX);
	if (size >= 0) {
		r->name_size = len;
		memcpy(r->data, attr, len);
		stream_commit(w->walk->stream, REC_XATTR, len + size);
	} else if (size == -EOPNOTSUPP && !w->unknown) {
		/* hfsplus of Linux 6.12 cuts off the end of some names */
		w->unknown = true;
		tool_file_warn("leaving out extended attributes, as one of",
			       w->fs->label, w->path.text, strerror(-size));
	} else if (size != -ENODATA && size != -EOPNOTSUPP) {
		complain(w, "cannot read an extended attribute of", size);
	}
	return true;
}

/* It is told once, at the end. */
static void look_for_streams(struct walker *w, int fd)
{
	if (!w->fs->has_streams || !w->fs->has_streams(fd) || w->streams++)
		return;
	w->streams_of = strdup(w->path.text);
	if (!w->streams_of)
		tool_no_memory();
}

static void say_streams(struct walker *w)
{
	char what[80];

	if (!w->streams)
		return;
	snprintf(what, sizeof(what),
		 "leaving out alternate streams of %llu file%s, as those of",
		 w->streams, w->streams == 1 ? "" : "s");
	tool_file_warn(what, w->fs->label, w->streams_of, "Linux has none");
	free(w->streams_of);
}

static int by_attr(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In the order of their names, as file systems have others. */
static bool send_attrs(struct walker *w, int dir, const char *name)
{
	long size = w->fs->listxattr(dir, name, w->attrs, sizeof(w->attrs));
	const char **list;
	size_t count = 0;
	bool go_on = true;

	if (size < 0 && size != -EOPNOTSUPP)
		complain(w, "cannot list the extended attributes of", size);
	if (size <= 0)
		return true;
	list = tool_alloc(NULL, size / 2 * sizeof(*list) + sizeof(*list));
	for (long i = 0; i < size; i += strlen(w->attrs + i) + 1) {
		if (wanted(w->attrs + i))
			list[count++] = w->attrs + i;
	}
	qsort(list, count, sizeof(*list), by_attr);
	for (size_t i = 0; i < count && go_on; i++)
		go_on = send_attr(w, dir, name, list[i]);
	free(list);
	return go_on;
}

/*
 * Send what @fd has from *@off up to @to or, with @to_end, up to its end,
 * presumably at @to.  *@err becomes the error that stopped it.
 */
static bool send_range(struct walker *w, int fd, off_t *off, off_t to,
		       bool to_end, long *err)
{
	for (;;) {
		off_t left = to - *off + to_end;
		size_t want = STREAM_CHUNK;
		struct record *r;
		long got;

		if (!to_end && left <= 0)
			return true;
		if (left > 0 && left < STREAM_CHUNK)
			want = left;
		r = stream_reserve(w->walk->stream, want);
		if (!r)
			return false;
		got = w->fs->pread(fd, r->data, want, *off);
		if (got <= 0) {
			*err = got;
			return true;
		}
		r->off = *off;
		stream_commit(w->walk->stream, REC_DATA, got);
		*off += got;
		if (to_end && (size_t)got < want && *off >= to)
			return true;
	}
}

/* Send where a file has data, so far as that can be found out. */
static bool send_map(struct walker *w, struct holes *h)
{
	const size_t max = STREAM_CHUNK / sizeof(struct extent);
	off_t data, hole = 0;
	struct record *r;
	long found;
	size_t n;

	do {
		struct extent *list;

		r = stream_reserve(w->walk->stream, STREAM_CHUNK);
		if (!r)
			return false;
		list = (void *)r->data;
		for (n = 0; n < max; n++) {
			found = holes_next(h, hole, &data, &hole);
			if (found <= 0)
				break;
			list[n] = (struct extent){ data, hole - data };
		}
		if (found < 0)
			return true;
		stream_commit(w->walk->stream, REC_MAP, n * sizeof(*list));
	} while (n == max);
	return true;
}

/* Send the parts of a file that are no holes. */
static bool send_parts(struct walker *w, struct holes *h, off_t *off, long *err)
{
	off_t data, hole;
	long found;

	if (w->walk->maps && !send_map(w, h))
		return false;
	while ((found = holes_next(h, *off, &data, &hole)) > 0) {
		*off = data;
		if (!send_range(w, h->fd, off, hole, false, err))
			return false;
		if (*err || *off < hole)
			return true;
	}
	if (!found)
		*off = h->size;
	else if (found == -EINVAL || found == -EOPNOTSUPP)
		return send_range(w, h->fd, off, h->size, true, err);
	else
		*err = found;
	return true;
}

/* As send_range() for a whole file, leaving out its holes. */
static bool send_data(struct walker *w, int fd, const struct stat *st,
		      off_t *off, long *err)
{
	struct holes h = {
		.fs = w->fs,
		.fd = fd,
		.size = st->st_size,
		.few = st->st_size > MANY_BLOCKS * 512 &&
		       st->st_blocks < st->st_size / 512 / FEW_OF_SIZE,
	};
	bool go_on;

	if (st->st_blocks >= st->st_size / 512)
		return send_range(w, fd, off, st->st_size, true, err);
	go_on = send_parts(w, &h, off, err);
	holes_end(&h);
	return go_on;
}

static bool send_file(struct walker *w, int fd, const char *name,
		      const struct stat *st)
{
	off_t size = 0;
	long err = 0;

	look_for_streams(w, fd);
	if (!send_open(w, name, st, "") || !send_attrs(w, fd, "") ||
	    !send_data(w, fd, st, &size, &err))
		return false;
	if (err)
		complain(w, "error reading", err);
	return stream_close(w->walk->stream, size, err);
}

/* Symbolic links, devices, FIFOs and sockets. */
static bool send_special(struct walker *w, int dir, const char *open,
			 const char *name, const struct stat *st)
{
	char target[PATH_MAX] = "", *text;
	bool go_on;

	if (S_ISLNK(st->st_mode)) {
		long len = w->fs->readlink(dir, open, target, sizeof(target));

		if (len >= (long)sizeof(target))
			len = -ENAMETOOLONG;
		if (len < 0) {
			complain(w, "cannot read symbolic link", len);
			return true;
		}
		target[len] = 0;
	}
	text = target_name(w, target);
	go_on = send_open(w, name, st, text) && send_attrs(w, dir, open) &&
		stream_close(w->walk->stream, 0, false);
	free(text);
	return go_on;
}

/* Send the start of a directory and put it on the stack. */
static bool enter(struct walker *w, int fd, const char *name,
		  const struct stat *st)
{
	struct frame *f;
	long err;

	look_for_streams(w, fd);
	if (!send_open(w, name, st, "") || !send_attrs(w, fd, "")) {
		w->fs->close(fd);
		return false;
	}
	if (w->depth == w->stack_size) {
		w->stack_size = w->stack_size ? 2 * w->stack_size : 64;
		w->stack = tool_alloc(w->stack, w->stack_size * sizeof(*f));
	}
	f = &w->stack[w->depth++];
	f->fd = fd;
	f->next = 0;
	f->path_len = w->path.len;
	err = walk_names(w->fs, fd, &f->names);
	if (err)
		complain(w, "error reading directory", err);
	return true;
}

static void leave(struct walker *w)
{
	struct frame *f = &w->stack[--w->depth];

	walk_names_free(&f->names);
	w->fs->close(f->fd);
}

static int by_inode(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

/* The first name of a file met before, or NULL and it is noted as met. */
static const char *known_link(struct walker *w, const struct stat *st)
{
	char *path = target_path(w);
	struct link *l = tool_alloc(NULL, sizeof(*l) + strlen(path) + 1);
	struct link **found;

	strcpy(l->path, path);
	free(path);

	l->dev = st->st_dev;
	l->ino = st->st_ino;
	found = tsearch(l, &w->links, by_inode);
	if (!found)
		tool_no_memory();
	if (*found != l) {
		free(l);
		return (*found)->path;
	}
	return NULL;
}

/*
 * Send @open in @dir as @name, or report why not.  A directory is only begun;
 * its contents come from the stack.
 */
static bool visit(struct walker *w, int dir, const char *open, const char *name,
		  unsigned char type)
{
	const struct fs *fs = w->fs;
	bool hinted = type != DT_UNKNOWN;
	const char *first;
	struct stat st;
	bool go_on;
	int fd = -1;
	int err;

	if (type == DT_UNKNOWN) {
		err = fs->stat(dir, open, &st);
		if (err) {
			complain(w, "cannot stat", err);
			return true;
		}
		type = IFTODT(st.st_mode);
	}
	if (type == DT_DIR || type == DT_REG) {
		fd = type == DT_DIR ? fs->open_dir(dir, open)
				    : fs->open_file(dir, open);
		if (fd < 0) {
			complain(w, "cannot open", fd);
			return true;
		}
	}
	err = fd < 0 ? fs->stat(dir, open, &st) : fs->stat(fd, "", &st);
	if (err || IFTODT(st.st_mode) != type) {
		if (fd >= 0)
			fs->close(fd);
		/* under fakeroot stat() knows better than the directory */
		if (!err && hinted)
			return visit(w, dir, open, name, DT_UNKNOWN);
		complain(w, "cannot stat", err ? err : -ESTALE);
		return true;
	}

	if (type == DT_DIR)
		return enter(w, fd, name, &st);
	if (type == DT_REG && st.st_dev == w->walk->skip_dev &&
	    st.st_ino == w->walk->skip_ino) {
		tool_file_warn("leaving out", fs->label, w->path.text,
			       "it is the image itself");
		fs->close(fd);
		return true;
	}
	first = st.st_nlink > 1 && !w->walk->apart ? known_link(w, &st) : NULL;
	if (first)
		go_on = stream_named(w->walk->stream, REC_LINK, &st, name,
				     first, strlen(first) + 1);
	else if (type == DT_REG)
		go_on = send_file(w, fd, name, &st);
	else
		go_on = send_special(w, dir, open, name, &st);
	if (fd >= 0)
		fs->close(fd);
	return go_on;
}

/* Visit everything in the directories on the stack. */
static bool drain(struct walker *w)
{
	while (w->depth) {
		struct frame *f = &w->stack[w->depth - 1];
		const char *name;
		char *was;
		bool go_on;

		if (f->next == f->names.count) {
			leave(w);
			if (!stream_close(w->walk->stream, 0, false))
				return false;
			continue;
		}
		name = f->names.list[f->next++];
		tool_path_set(&w->path, f->path_len, name + 1);
		was = w->walk->unescape ? escape_undo(name + 1) : NULL;
		go_on = visit(w, f->fd, name + 1, was ?: name + 1, name[0]);
		free(was);
		if (!go_on)
			return false;
	}
	return true;
}

static bool walk_path(struct walker *w, const char *path)
{
	struct walk_path wp;
	bool go_on = true;
	int err = walk_split(w->fs, path, &wp);
	char *top = target_name(w, wp.name);

	w->path.len = 0;
	tool_path_set(&w->path, 0, path);
	w->top = w->walk->rename ?: top;
	w->top_len = w->path.len;
	if (err)
		complain(w, "cannot open", err);
	else
		go_on = visit(w, wp.dir, wp.open, w->top, DT_UNKNOWN) &&
			drain(w);
	walk_split_free(w->fs, &wp);
	free(top);
	return go_on;
}

void *walk_run(void *arg)
{
	struct walker *w = tool_alloc(NULL, sizeof(*w));
	const struct walk *walk = arg;

	memset(w, 0, sizeof(*w));
	w->walk = walk;
	w->fs = walk->fs;
	for (int i = 0; i < walk->count; i++) {
		if (!walk_path(w, walk->paths[i]))
			break;
	}
	while (w->depth)
		leave(w);
	say_streams(w);
	if (stream_reserve(walk->stream, 0))
		stream_commit(walk->stream, REC_DONE, 0);
	tdestroy(w->links, free);
	free(w->stack);
	free(w->path.text);
	free(w);
	return NULL;
}
