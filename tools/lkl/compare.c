// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares two trees that come as streams.
 *
 * Both have the entries of a directory in the order of their names, so of two
 * that differ the lesser one is in one tree only.  Contents are compared as
 * they come; what is between their parts is zeros.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/progress.h"
#include "compare.h"
#include "path.h"

#define MODE_BITS 07777

/* The next record; NULL when there is none any more. */
static const struct record *peek(struct compare *c, int n)
{
	struct compare_side *s = &c->side[n];

	while (!s->r && !c->broken) {
		if (tool_signal)
			c->broken = true;
		else
			s->r = stream_next(s->stream);
		if (s->r && s->r->type == REC_BROKEN)
			c->broken = true;
		if (s->r && !n) {
			c->files += s->r->type == REC_OPEN;
			c->bytes += s->r->type == REC_DATA ? s->r->size : 0;
		}
		progress_update(c->files, c->bytes);
	}
	return c->broken ? NULL : s->r;
}

static void advance(struct compare *c, int n)
{
	c->side[n].r = NULL;
}

/* Take all that belongs to the object whose OPEN is next. */
static void skip(struct compare *c, int n)
{
	size_t depth = 0;
	const struct record *r;

	while ((r = peek(c, n))) {
		depth += r->type == REC_OPEN;
		depth -= r->type == REC_CLOSE;
		advance(c, n);
		if (!depth)
			break;
	}
}

/* "disk.img:/etc/passwd" */
static void put_path(const struct compare *c, int n, bool parent)
{
	size_t len = c->path.len;
	const char *slash;

	put_name(c->side[n].path);
	if (parent) {
		slash = memrchr(c->path.text, '/', len);
		len = slash ? slash - c->path.text : 0;
	}
	if (len) {
		char *text = strndup(c->path.text, len);

		if (!text)
			tool_no_memory();
		putchar('/');
		put_name(text);
		free(text);
	} else if (*c->side[n].path &&
		   c->side[n].path[strlen(c->side[n].path) - 1] == ':') {
		putchar('/');
	}
}

/* "WHAT A and B differ" */
static void put_differ(struct compare *c, const char *what, const char *end)
{
	progress_clear();
	fputs(what, stdout);
	put_path(c, 0, false);
	fputs(" and ", stdout);
	put_path(c, 1, false);
	puts(end);
}

static void differ(struct compare *c, const char *what)
{
	c->differ = true;
	put_differ(c, what, " differ");
}

static void only_in(struct compare *c, int n)
{
	const char *name = strrchr(c->path.text, '/');

	c->differ = true;
	progress_clear();
	fputs("Only in ", stdout);
	put_path(c, n, true);
	fputs(": ", stdout);
	put_name(name ? name + 1 : c->path.text);
	putchar('\n');
}

static const char *type_name(const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFDIR:
		return "directory";
	case S_IFREG:
		return st->st_size ? "regular file" : "regular empty file";
	case S_IFLNK:
		return "symbolic link";
	case S_IFCHR:
		return "character special file";
	case S_IFBLK:
		return "block special file";
	case S_IFIFO:
		return "fifo";
	default:
		return "socket";
	}
}

static void types_differ(struct compare *c, const struct stat st[2])
{
	c->differ = true;
	progress_clear();
	for (int n = 0; n < 2; n++) {
		fputs(n ? " while file " : "File ", stdout);
		put_path(c, n, false);
		printf(" is a %s", type_name(&st[n]));
	}
	putchar('\n');
}

/* Extended attributes of one object, sorted. */
struct attrs {
	struct attr {
		size_t name_size, size;
		char *data;
	} * list;
	size_t count;
};

static int by_attr(const void *a, const void *b)
{
	return strcmp(((const struct attr *)a)->data,
		      ((const struct attr *)b)->data);
}

static void take_attrs(struct compare *c, int n, struct attrs *a)
{
	const struct record *r;

	*a = (struct attrs){ 0 };
	while ((r = peek(c, n)) && r->type == REC_XATTR) {
		if (c->attributes) {
			struct attr one = { r->name_size, r->size,
					    tool_alloc(NULL, r->size + 1) };

			memcpy(one.data, r->data, r->size);
			a->list = tool_alloc(a->list,
					     (a->count + 1) * sizeof(*a->list));
			a->list[a->count++] = one;
		}
		advance(c, n);
	}
	if (a->count)
		qsort(a->list, a->count, sizeof(*a->list), by_attr);
}

static bool attrs_same(const struct attrs *a, const struct attrs *b)
{
	bool same = a->count == b->count;

	for (size_t i = 0; same && i < a->count; i++)
		same = a->list[i].size == b->list[i].size &&
		       !memcmp(a->list[i].data, b->list[i].data,
			       a->list[i].size);
	return same;
}

static void free_attrs(struct attrs *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->list[i].data);
	free(a->list);
}

/* All but types and contents. */
static void compare_metadata(struct compare *c, const struct stat st[2])
{
	struct attrs a[2];

	take_attrs(c, 0, &a[0]);
	take_attrs(c, 1, &a[1]);
	if (c->attributes && !c->broken) {
		if (!S_ISLNK(st[0].st_mode) &&
		    (st[0].st_mode ^ st[1].st_mode) & MODE_BITS)
			differ(c, "Permissions of ");
		if (st[0].st_uid != st[1].st_uid ||
		    st[0].st_gid != st[1].st_gid)
			differ(c, "Owners of ");
		if (!attrs_same(&a[0], &a[1]))
			differ(c, "Extended attributes of ");
	}
	if (c->times && !c->broken &&
	    (st[0].st_mtim.tv_sec != st[1].st_mtim.tv_sec ||
	     st[0].st_mtim.tv_nsec != st[1].st_mtim.tv_nsec))
		differ(c, "Times of ");
	free_attrs(&a[0]);
	free_attrs(&a[1]);
}

/*
 * What of a file's content comes next: @len bytes at @p, or if that is NULL, of
 * zeros.
 */
struct piece {
	const char *p;
	uint64_t len;
};

/* The piece at @pos; false at the end of the file, or if it could not be read.
 */
static bool next_piece(struct compare *c, int n, uint64_t pos, struct piece *p)
{
	const struct record *r;

	while ((r = peek(c, n))) {
		if (r->type == REC_DATA && r->off + r->size > pos) {
			*p = (struct piece){ NULL, r->off - pos };
			if (r->off <= pos)
				*p = (struct piece){ r->bytes + (pos - r->off),
						     r->off + r->size - pos };
			return true;
		}
		if (r->type == REC_CLOSE) {
			*p = (struct piece){ NULL, r->off - pos };
			return r->off > pos;
		}
		advance(c, n);
	}
	return false;
}

static bool is_zero(const char *p, size_t size)
{
	return !*p && !memcmp(p, p + 1, size - 1);
}

static bool pieces_same(const struct piece *a, const struct piece *b,
			uint64_t len)
{
	if (a->p && b->p)
		return !memcmp(a->p, b->p, len);
	if (a->p || b->p)
		return is_zero(a->p ?: b->p, len);
	return true;
}

static void compare_content(struct compare *c)
{
	bool same = true, more = true;
	uint64_t pos = 0;

	while (same && more && !c->broken) {
		struct piece a, b;
		bool has_b = next_piece(c, 1, pos, &b);
		uint64_t len;

		more = next_piece(c, 0, pos, &a);
		same = more == has_b;
		if (!same || !more)
			break;
		len = a.len < b.len ? a.len : b.len;
		same = pieces_same(&a, &b, len);
		pos += len;
	}
	if (c->broken)
		return;
	if (!same)
		differ(c, "Files ");
	else if (c->same)
		put_differ(c, "Files ", " are identical");
}

/* Take the rest of an object, up to its CLOSE. */
static void finish(struct compare *c, int n)
{
	const struct record *r;

	while ((r = peek(c, n)) && r->type != REC_CLOSE)
		advance(c, n);
	advance(c, n);
}

/* Compare what is not a directory, of which both OPEN are next. */
static void compare_other(struct compare *c, const struct stat st[2])
{
	mode_t type = st[0].st_mode & S_IFMT;
	const char *what = NULL;
	char *target = NULL;
	const struct record *r;

	if (type == S_IFLNK) {
		r = peek(c, 0);
		target = strdup(r->data + r->name_size);
		if (!target)
			tool_no_memory();
		r = peek(c, 1);
		if (strcmp(target, r->data + r->name_size))
			what = "Symbolic links ";
		free(target);
	} else if ((type == S_IFCHR || type == S_IFBLK) &&
		   st[0].st_rdev != st[1].st_rdev) {
		what = "Devices ";
	}
	advance(c, 0);
	advance(c, 1);
	if (what)
		differ(c, what);
	else if (type != S_IFREG && c->same)
		put_differ(c, "Files ", " are identical");
	compare_metadata(c, st);
	if (type == S_IFREG)
		compare_content(c);
	finish(c, 0);
	finish(c, 1);
}

static bool is_excluded(const struct compare *c, const char *name)
{
	for (size_t i = 0; i < c->exclude_count; i++) {
		if (!fnmatch(c->exclude[i], name, 0))
			return true;
	}
	return false;
}

/* Set the path to that of @name in the directory whose path has @len bytes. */
static void set_path(struct compare *c, size_t len, const char *name)
{
	c->path.len = len;
	if (c->path.text)
		c->path.text[len] = 0;
	if (strcmp(name, "."))
		tool_path_set(&c->path, len, name);
	else
		tool_path_set(&c->path, 0, "");
}

/*
 * Compare what comes next in both; true if these are directories, which are
 * open now.
 */
static bool compare_next(struct compare *c, size_t len)
{
	const struct record *a = peek(c, 0), *b = peek(c, 1);
	const struct stat st[2] = { a->st, b->st };
	int order = strcmp(a->data, b->data);

	if (is_excluded(c, order > 0 ? b->data : a->data)) {
		if (order <= 0)
			skip(c, 0);
		if (order >= 0)
			skip(c, 1);
		return false;
	}
	set_path(c, len, order > 0 ? b->data : a->data);
	if (order) {
		only_in(c, order > 0);
		skip(c, order > 0);
	} else if ((st[0].st_mode ^ st[1].st_mode) & S_IFMT) {
		types_differ(c, st);
		skip(c, 0);
		skip(c, 1);
	} else if (!S_ISDIR(st[0].st_mode)) {
		compare_other(c, st);
	} else {
		advance(c, 0);
		advance(c, 1);
		compare_metadata(c, st);
		return true;
	}
	return false;
}

/* The tree @n has an entry where the other's directory has ended. */
static void lone(struct compare *c, size_t len, int n)
{
	const char *name = peek(c, n)->data;

	if (!is_excluded(c, name)) {
		set_path(c, len, name);
		only_in(c, n);
	}
	skip(c, n);
}

void compare_run(struct compare *c)
{
	size_t *lens = NULL, depth = 0, room = 0;

	tool_path_set(&c->path, 0, "");
	progress_start(NULL);
	for (;;) {
		const struct record *a = peek(c, 0), *b = peek(c, 1);
		size_t len = depth ? lens[depth - 1] : 0;
		bool more_a, more_b;

		if (!a || !b)
			break;
		more_a = a->type == REC_OPEN;
		more_b = b->type == REC_OPEN;
		if (more_a && more_b) {
			if (!compare_next(c, len))
				continue;
			if (depth == room) {
				room = room ? 2 * room : 64;
				lens = tool_alloc(lens, room * sizeof(*lens));
			}
			lens[depth++] = c->path.len;
		} else if (more_a || more_b) {
			lone(c, len, !more_a);
		} else if (depth) {
			depth--;
			advance(c, 0);
			advance(c, 1);
		} else {
			break;
		}
	}
	progress_clear();
	free(lens);
	free(c->path.text);
}
