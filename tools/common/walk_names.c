// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads directories, and takes paths apart.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"
#include "walk.h"

#define DIR_BUF (64 << 10)

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a + 1, *(char *const *)b + 1);
}

long walk_names(const struct fs *fs, int fd, struct walk_names *names)
{
	size_t size = 0, len = 0, pos = 0;
	char *buf = tool_alloc(NULL, DIR_BUF);
	bool begun = false;
	long got;

	*names = (struct walk_names){ 0 };
	while ((got = fs->getdents(fd, buf, DIR_BUF)) > 0) {
		if (tool_signal)
			got = -EINTR;
		for (long i = 0; i < got;) {
			struct fs_dirent *d = (void *)(buf + i);
			size_t n = strlen(d->d_name) + 1;

			i += d->d_reclen;
			/* damaged ones may begin again and again */
			if (!strcmp(d->d_name, ".") && begun)
				got = -EUCLEAN;
			begun |= !strcmp(d->d_name, ".");
			if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
				continue;
			if (len + 1 + n > size) {
				size = 2 * (len + 1 + n);
				names->buf = tool_alloc(names->buf, size);
			}
			names->buf[len] = d->d_type;
			memcpy(names->buf + len + 1, d->d_name, n);
			len += 1 + n;
			names->count++;
		}
		if (got < 0)
			break;
	}
	free(buf);
	names->list = tool_alloc(NULL, names->count * sizeof(char *));
	for (size_t i = 0; i < names->count; i++) {
		names->list[i] = names->buf + pos;
		pos += 1 + strlen(names->buf + pos + 1) + 1;
	}
	qsort(names->list, names->count, sizeof(char *), by_name);
	return got;
}

void walk_names_free(struct walk_names *names)
{
	free(names->list);
	free(names->buf);
}

/* The last part of a path, which loses the slashes at its end. */
static char *last_part(char *path)
{
	size_t len = strlen(path);
	char *slash;

	while (len && path[len - 1] == '/')
		path[--len] = 0;
	slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool is_nameless(const char *last)
{
	return !*last || !strcmp(last, ".") || !strcmp(last, "..");
}

char *walk_name(const char *path)
{
	char *copy = strdup(path), *last, *name;

	if (!copy)
		tool_no_memory();
	last = last_part(copy);
	name = strdup(is_nameless(last) ? "." : last);
	if (!name)
		tool_no_memory();
	free(copy);
	return name;
}

int walk_split(const struct fs *fs, const char *path, struct walk_path *wp)
{
	size_t len = strlen(path);
	char *parent = strdup(path);
	bool is_dir = len && path[len - 1] == '/';
	char *last;

	if (!parent)
		tool_no_memory();
	last = last_part(parent);
	is_dir |= is_nameless(last);
	wp->name = walk_name(path);
	wp->open = strdup(is_dir ? "." : last);
	if (!wp->open)
		tool_no_memory();
	*last = 0;
	wp->dir = fs->resolve(is_dir ? path : *parent ? parent : ".");
	free(parent);
	return wp->dir < 0 ? wp->dir : 0;
}

void walk_split_free(const struct fs *fs, struct walk_path *wp)
{
	if (wp->dir >= 0)
		fs->close(wp->dir);
	free(wp->open);
	free(wp->name);
}
