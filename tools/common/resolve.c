// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user may want links to directories in the target to be followed, but an
 * image or an archive that brings its own link must not lead the copy anywhere.
 * So each link on the way, also one that another link leads through, is looked
 * up by its inode among those that this run has made.
 */
#include <errno.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolve.h"
#include "tool.h"

#define LINKS_MAX 40

struct made {
	dev_t dev;
	ino_t ino;
};

static int by_inode(const void *a, const void *b)
{
	const struct made *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

void resolve_note(struct resolver *r, int dir, const char *name)
{
	struct made *m = tool_alloc(NULL, sizeof(*m));
	struct stat st;
	void *found;

	if (!r->follow || r->fs->stat(dir, name, &st)) {
		free(m);
		return;
	}
	*m = (struct made){ st.st_dev, st.st_ino };
	found = tsearch(m, &r->made, by_inode);
	if (!found)
		tool_no_memory();
	if (*(struct made **)found != m)
		free(m);
}

/* The target of an open link with the rest of the path behind it, or NULL. */
static char *expand(const struct resolver *r, int link, const struct stat *st,
		    const char *rest, int *err)
{
	const struct made key = { st->st_dev, st->st_ino };
	char target[PATH_MAX], *path;
	long len;

	*err = -ELOOP;
	if (!r->follow || tfind(&key, &r->made, by_inode))
		return NULL;
	len = r->fs->readlink(link, "", target, sizeof(target));
	if (len < 0 || len >= (long)sizeof(target)) {
		*err = len < 0 ? len : -ENAMETOOLONG;
		return NULL;
	}
	target[len] = 0;
	if (asprintf(&path, "%s/%s", target, rest) < 0)
		tool_no_memory();
	*err = 0;
	return path;
}

/*
 * One step from @dir to what is called @name there.  A link leaves *@dir where
 * it is, or at the root, and replaces the rest of the path.
 */
static int step(const struct resolver *r, int *dir, const char *name,
		char **path, const char *rest)
{
	const struct fs *fs = r->fs;
	int next = strcmp(name, "..") ? fs->open_path(*dir, name)
				      : fs->open_parent(*dir);
	struct stat st;
	char *longer;
	int err = next < 0 ? next : fs->stat(next, "", &st);

	if (!err && S_ISLNK(st.st_mode)) {
		longer = expand(r, next, &st, rest, &err);
		fs->close(next);
		if (!longer)
			return err;
		free(*path);
		*path = longer;
		if (*longer != '/')
			return 1;
		next = fs->resolve("/");
		err = next < 0 ? next : 1;
	} else if (!err && !S_ISDIR(st.st_mode)) {
		err = -ENOTDIR;
	}
	if (err < 0) {
		if (next >= 0)
			fs->close(next);
		return err;
	}
	fs->close(*dir);
	*dir = next;
	return err;
}

int resolve_dir(const struct resolver *r, int dir, const char *path)
{
	char *text = strdup(path), *at = text, *name;
	int links = 0, err = 0;

	if (!text)
		tool_no_memory();
	dir = r->fs->open_path(dir, ".");
	while (dir >= 0) {
		name = at + strspn(at, "/");
		if (!*name)
			break;
		at = name + strcspn(name, "/");
		if (*at)
			*at++ = 0;
		if (!strcmp(name, "."))
			continue;
		err = step(r, &dir, name, &text, at);
		if (err > 0) {
			at = text;
			err = ++links > LINKS_MAX ? -ELOOP : 0;
		}
		if (err < 0) {
			r->fs->close(dir);
			dir = err;
		}
	}
	free(text);
	return dir;
}

void resolve_free(struct resolver *r)
{
	tdestroy(r->made, free);
	r->made = NULL;
}
