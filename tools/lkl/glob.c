// SPDX-License-Identifier: GPL-2.0-only
/*
 * Patterns of file names in the image, as the shell has them.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "../common/tool.h"
#include "path.h"
#include "words.h"

struct glob {
	const struct session *s;
	void (*add)(void *arg, char *path);
	void *arg;
	size_t count;
};

static bool is_magic(const char *part, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (part[i] == '\\')
			i++;
		else if (strchr("*?[", part[i]))
			return true;
	}
	return false;
}

static char *join(const char *dir, const char *name)
{
	char *path;

	if (asprintf(&path, "%s%s", dir, name) < 0)
		tool_no_memory();
	return path;
}

/* A part of a pattern that has none of its characters, as a name. */
static char *plain(const char *part, size_t len)
{
	char *name = tool_alloc(NULL, len + 1), *to = name;

	for (size_t i = 0; i < len; i++) {
		if (part[i] == '\\' && i + 1 < len)
			i++;
		*to++ = part[i];
	}
	*to = 0;
	return name;
}

static void find(struct glob *g, const char *dir, const char *rest);

static void found(struct glob *g, char *path, const char *rest)
{
	struct stat st;

	if (*rest) {
		find(g, path, rest);
		free(path);
	} else if (path_stat(g->s, path, false, &st)) {
		free(path);
	} else {
		g->add(g->arg, path);
		g->count++;
	}
}

/* @dir is "", or ends in a slash. */
static void find(struct glob *g, const char *dir, const char *rest)
{
	size_t len = strcspn(rest, "/");
	size_t slashes = strspn(rest + len, "/");
	const char *next = rest + len + slashes;
	struct walk_names names;
	char *part, *name, *path;
	int fd;

	if (!is_magic(rest, len)) {
		name = plain(rest, len);
		path = join(dir, name);
		free(name);
		if (slashes) {
			name = path;
			path = join(name, "/");
			free(name);
		}
		found(g, path, next);
		return;
	}
	fd = path_open(g->s, *dir ? dir : ".", LKL_O_RDONLY | LKL_O_DIRECTORY);
	if (fd < 0)
		return;
	part = strndup(rest, len);
	if (!part)
		tool_no_memory();
	walk_names(g->s->fs, fd, &names);
	for (size_t i = 0; i < names.count; i++) {
		if (fnmatch(part, names.list[i] + 1, FNM_PERIOD))
			continue;
		path = join(dir, names.list[i] + 1);
		if (slashes) {
			name = path;
			path = join(name, "/");
			free(name);
		}
		found(g, path, next);
	}
	walk_names_free(&names);
	g->s->fs->close(fd);
	free(part);
}

size_t glob_image(const struct session *s, const char *pattern,
		  void (*add)(void *arg, char *path), void *arg)
{
	struct glob g = { .s = s, .add = add, .arg = arg };
	size_t slashes = strspn(pattern, "/");

	find(&g, slashes ? "/" : "", pattern + slashes);
	return g.count;
}
