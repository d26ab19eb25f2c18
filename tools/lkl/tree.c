// SPDX-License-Identifier: GPL-2.0-only
/*
 * Goes through trees in the image.
 *
 * Directories that are being read are on a stack, each with its descriptor, so
 * that nothing is looked up by a long path.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/tool.h"
#include "path.h"

/*
 * @entry: the directory
 * @fd: its descriptor
 * @names: what is in it
 * @next: number of the name that comes next
 * @len: length of its path
 */
struct level {
	struct tree_entry entry;
	int fd;
	struct walk_names names;
	size_t next;
	size_t len;
	char *name;
};

struct walker {
	struct tree *t;
	struct level **stack;
	size_t depth, size;
	struct tool_path path;
	dev_t dev;
};

static void complain(struct walker *w, const char *what, long err)
{
	path_error(w->t->s, what, w->path.text, err);
	w->t->failed = true;
}

static void leave(struct walker *w, struct tree_entry *e)
{
	e->path = w->path.text;
	if (w->t->leave)
		w->t->leave(w->t, e);
}

/* Go into a directory, which comes off the stack when all of it was visited. */
static void push(struct walker *w, const struct tree_entry *e)
{
	const struct fs *fs = w->t->s->fs;
	struct level *l = tool_alloc(NULL, sizeof(*l));
	long err;

	l->entry = *e;
	l->name = strdup(e->name);
	if (!l->name)
		tool_no_memory();
	l->entry.name = l->name;
	l->len = w->path.len;
	l->next = 0;
	l->names = (struct walk_names){ 0 };
	l->fd = fs->open_dir(e->dir, *e->name ? e->name : ".");
	if (l->fd < 0) {
		complain(w, "cannot open directory", l->fd);
	} else {
		err = walk_names(fs, l->fd, &l->names);
		if (err)
			complain(w, "error reading directory", err);
	}
	if (w->depth == w->size) {
		w->size = w->size ? 2 * w->size : 64;
		w->stack = tool_alloc(w->stack, w->size * sizeof(*w->stack));
	}
	w->stack[w->depth++] = l;
}

static void pop(struct walker *w)
{
	struct level *l = w->stack[--w->depth];

	walk_names_free(&l->names);
	if (l->fd >= 0)
		w->t->s->fs->close(l->fd);
	w->path.len = l->len;
	w->path.text[l->len] = 0;
	leave(w, &l->entry);
	free(l->name);
	free(l);
}

static void visit(struct walker *w, struct tree_entry *e)
{
	struct tree *t = w->t;
	bool descend;

	e->path = w->path.text;
	descend = !t->enter || t->enter(t, e);
	if (descend && S_ISDIR(e->st.st_mode) &&
	    !(t->one && e->st.st_dev != w->dev))
		push(w, e);
	else
		leave(w, e);
}

static void drain(struct walker *w)
{
	while (w->depth) {
		struct level *l = w->stack[w->depth - 1];
		struct tree_entry e = {
			.dir = l->fd,
			.depth = l->entry.depth + 1,
			.up = &l->entry,
		};
		int err;

		if (l->next == l->names.count || tool_signal) {
			pop(w);
			continue;
		}
		e.name = l->names.list[l->next++] + 1;
		tool_path_set(&w->path, l->len, e.name);
		err = w->t->s->fs->stat(l->fd, e.name, &e.st);
		if (err)
			complain(w, "cannot stat", err);
		else
			visit(w, &e);
	}
}

void tree_walk(struct tree *t, const char *path)
{
	const struct fs *fs = t->s->fs;
	struct walker w = { .t = t };
	struct tree_entry e = { .name = "" };
	struct walk_path wp = { .dir = -1 };
	int err, fd = -1;

	tool_path_set(&w.path, 0, path);
	if (t->follow) {
		err = fd = path_open(t->s, path, LKL_O_PATH);
		e.dir = fd;
	} else {
		err = path_split(t->s, path, &wp);
		e.dir = wp.dir;
		e.name = wp.open ?: "";
		if (!strcmp(e.name, "."))
			e.name = "";
	}
	if (err >= 0)
		err = fs->stat(e.dir, e.name, &e.st);
	if (err < 0) {
		complain(&w, "cannot access", err);
	} else {
		w.dev = e.st.st_dev;
		visit(&w, &e);
		drain(&w);
	}
	if (fd >= 0)
		fs->close(fd);
	if (wp.open)
		walk_split_free(fs, &wp);
	free(w.stack);
	free(w.path.text);
}
