// SPDX-License-Identifier: GPL-2.0-only
/*
 * A target may not tell two names of the source apart: upper and lower case,
 * composed and decomposed letters, a dot at the end.  The second would silently
 * replace the first.  But what was there before the run is to be replaced, also
 * under another such name.
 *
 * So the names in a directory are read before the first is made in it.  What
 * exists under a name that comes is one of these, each of which can be replaced
 * once, or this run has made it.  Which one it is under another name, its inode
 * tells.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "tool.h"
#include "walk.h"

/*
 * @path: of the directory
 * @keep: it stays known
 * @before: what was in it; the byte before a name is its type or, once that was
 *	replaced, TAKEN
 * @made: names that this run has made, only with @keep
 */
struct names {
	char *path;
	bool keep;
	struct walk_names before;
	void *made;
};

#define TAKEN 0x7f

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct names *)a)->path,
		      ((const struct names *)b)->path);
}

static int by_name(const void *key, const void *entry)
{
	return strcmp(key, *(char *const *)entry + 1);
}

struct names *names_enter(void **all, const struct fs *fs, int dir,
			  const char *path, bool fresh, bool keep)
{
	const struct names key = { .path = (char *)path };
	struct names **known = keep ? tfind(&key, all, by_path) : NULL, *n;

	if (known)
		return *known;
	n = tool_alloc(NULL, sizeof(*n));
	*n = (struct names){ .path = strdup(path), .keep = keep };
	if (!n->path)
		tool_no_memory();
	/* a base that cannot be read gets what is new to it */
	if (!fresh)
		walk_names(fs, dir, &n->before);
	if (keep && !tsearch(n, all, by_path))
		tool_no_memory();
	return n;
}

/* The name by which the directory itself calls @name, to be freed, or NULL. */
static char *own_name(const struct fs *fs, int dir, const char *name)
{
	char buf[32768], *found = NULL;
	struct stat st;
	long got;
	int fd;

	if (fs->stat(dir, name, &st))
		return NULL;
	fd = fs->open_dir(dir, ".");
	if (fd < 0)
		return NULL;
	while (!found && (got = fs->getdents(fd, buf, sizeof(buf))) > 0) {
		for (long i = 0; i < got && !found;) {
			struct fs_dirent *d = (void *)(buf + i);

			i += d->d_reclen;
			if (d->d_ino == st.st_ino && strcmp(d->d_name, ".") &&
			    strcmp(d->d_name, ".."))
				found = strdup(d->d_name);
		}
	}
	fs->close(fd);
	return found;
}

/* Take a name that was there before; whether it was. */
static bool take_before(struct names *n, const char *name, bool *known)
{
	char **entry = bsearch(name, n->before.list, n->before.count,
			       sizeof(char *), by_name);
	bool first;

	*known = entry;
	if (!entry)
		return false;
	first = **entry != TAKEN;
	**entry = TAKEN;
	return first;
}

bool names_free_to_take(struct names *n, const struct fs *fs, int dir,
			const char *name, bool again)
{
	bool known, first;
	char *own;

	if (tfind(name, &n->made, by_text))
		return again;
	first = take_before(n, name, &known);
	if (known)
		return first;
	own = own_name(fs, dir, name);
	first = own && take_before(n, own, &known);
	free(own);
	return first;
}

void names_take(struct names *n, const char *name)
{
	char *copy;
	void *found;

	if (!n->keep)
		return;
	copy = strdup(name);
	found = copy ? tsearch(copy, &n->made, by_text) : NULL;
	if (!found)
		tool_no_memory();
	if (*(char **)found != copy)
		free(copy);
}

static void forget(void *arg)
{
	struct names *n = arg;

	tdestroy(n->made, free);
	walk_names_free(&n->before);
	free(n->path);
	free(n);
}

void names_leave(struct names *n)
{
	if (n && !n->keep)
		forget(n);
}

void names_free(void **all)
{
	tdestroy(*all, forget);
	*all = NULL;
}
