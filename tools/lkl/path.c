// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paths of the user's in the image.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/tool.h"
#include "path.h"

char *path_full(const struct session *s, const char *path)
{
	bool relative = *path != '/';
	char *full = NULL;

	if (asprintf(&full, "%s%s%s", relative ? s->cwd : "",
		     relative && *path ? "/" : "", path) < 0)
		tool_no_memory();
	return full;
}

int path_open(const struct session *s, const char *path, int flags)
{
	struct lkl_open_how how = {
		.flags = flags,
		.resolve = LKL_RESOLVE_IN_ROOT,
	};
	char *full = *path ? path_full(s, path) : strdup("");
	int fd;

	if (!full)
		tool_no_memory();
	fd = lkl_sys_openat2(s->img.root, full, &how, sizeof(how));
	free(full);
	return fd;
}

int path_stat(const struct session *s, const char *path, bool follow,
	      struct stat *st)
{
	int fd = path_open(s, path, LKL_O_PATH | (follow ? 0 : LKL_O_NOFOLLOW));
	int err;

	if (fd < 0)
		return fd;
	err = s->fs->stat(fd, "", st);
	s->fs->close(fd);
	return err;
}

int path_split(const struct session *s, const char *path, struct walk_path *wp)
{
	char *full;
	int err;

	if (!*path) {
		*wp = (struct walk_path){ .dir = -1 };
		return -ENOENT;
	}
	full = path_full(s, path);
	err = walk_split(s->fs, full, wp);
	free(full);
	return err;
}

int path_target(const struct session *s, const char *target, const char *source,
		struct walk_path *wp)
{
	size_t len = strlen(source);
	struct stat st;
	const char *name;

	if (path_stat(s, target, true, &st) || !S_ISDIR(st.st_mode))
		return path_split(s, target, wp);
	while (len && source[len - 1] == '/')
		len--;
	name = memrchr(source, '/', len);
	name = name ? name + 1 : source;
	*wp = (struct walk_path){ .dir = -1 };
	wp->name = strndup(name, source + len - name);
	wp->open = strdup(wp->name ?: "");
	if (!wp->name || !wp->open)
		tool_no_memory();
	wp->dir = path_open(s, target, LKL_O_PATH | LKL_O_DIRECTORY);
	return wp->dir < 0 ? wp->dir : 0;
}

void path_error(const struct session *s, const char *what, const char *path,
		long err)
{
	tool_file_error(what, s->fs->label, path, err);
}

char *path_without_slashes(const char *path)
{
	size_t len = strlen(path);
	char *copy;

	while (len > 1 && path[len - 1] == '/')
		len--;
	copy = strndup(path, len);
	if (!copy)
		tool_no_memory();
	return copy;
}
