// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl mkdir, rm, touch, truncate - make, remove and change files
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../common/tool.h"
#include "mode.h"
#include "path.h"
#include "text.h"

/* Open the directory that the path is in, call @fn, close it. */
static int at_parent(struct session *s, const char *path,
		     int (*fn)(struct session *s, const struct args *a,
			       const struct walk_path *wp),
		     const struct args *a)
{
	struct walk_path wp;
	int err = path_split(s, path, &wp);

	if (!err)
		err = fn(s, a, &wp);
	if (wp.open)
		walk_split_free(s->fs, &wp);
	return err;
}

static int mkdir_at(struct session *s, const struct args *a,
		    const struct walk_path *wp)
{
	(void)a;
	return s->fs->mkdir(wp->dir, wp->open, 0755);
}

/* Each directory on the way that is not there. */
static int make_parents(struct session *s, char *path, const struct args *a)
{
	struct stat st;
	int err;

	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		if (p[-1] == '/')
			continue;
		*p = 0;
		err = at_parent(s, path, mkdir_at, a);
		if (!err)
			put_done(a, "created directory", path);
		if (err == -EEXIST && !path_stat(s, path, true, &st) &&
		    !S_ISDIR(st.st_mode))
			err = -ENOTDIR;
		/* what a directory is to be made in may be read-only */
		if (err && err != -EEXIST && path_stat(s, path, true, &st))
			return err;
		if (err == -ENOTDIR)
			return err;
		*p = '/';
	}
	return 0;
}

int mkdir_run(struct session *s, const struct args *a)
{
	struct mode_change *mode = NULL;

	if (a->value['m'] && !(mode = mode_parse(a->value['m'])))
		return args_bad("invalid mode: '%s'", a->value['m']);
	for (char **path = a->operand; *path && !tool_signal; path++) {
		char *p = path_without_slashes(*path);
		struct walk_path wp = { .dir = -1 };
		struct stat st;
		int err = a->given['p'] ? make_parents(s, p, a) : 0;

		if (!err)
			err = path_split(s, p, &wp);
		if (!err)
			err = s->fs->mkdir(wp.dir, wp.open, 0755);
		if (!err) {
			put_done(a, "created directory", *path);
			if (mode)
				err = s->fs->chmod(
					wp.dir, wp.open,
					mode_apply(mode, S_IFDIR | 0777));
		} else if (err == -EEXIST && a->given['p'] &&
			   !path_stat(s, p, true, &st) && S_ISDIR(st.st_mode)) {
			err = 0;
		}
		if (err)
			path_error(s, "cannot create directory", *path, err);
		if (wp.open)
			walk_split_free(s->fs, &wp);
		free(p);
	}
	free(mode);
	return session_status();
}

static bool rm_enter(struct tree *t, const struct tree_entry *e)
{
	(void)t;
	(void)e;
	return true;
}

static void rm_leave(struct tree *t, const struct tree_entry *e)
{
	const struct fs *fs = t->s->fs;
	bool dir = S_ISDIR(e->st.st_mode);
	int err;

	if (tool_signal)
		return;
	err = dir ? fs->rmdir(e->dir, e->name) : fs->unlink(e->dir, e->name);
	/* what could not be removed in it has been told */
	if (err && !(err == -ENOTEMPTY && t->failed)) {
		path_error(t->s, "cannot remove", e->path, err);
		t->failed = true;
	} else if (!err) {
		put_done(t->arg, dir ? "removed directory" : "removed",
			 e->path);
	}
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void rm_path(struct session *s, const struct args *a, const char *path)
{
	struct tree t = {
		.s = s,
		.enter = rm_enter,
		.leave = rm_leave,
		.arg = (void *)a,
	};
	bool recursive = a->given['r'] || a->given['R'];
	char *p = path_without_slashes(path);
	struct stat st, root;
	int err = path_stat(s, p, false, &st);

	if (!strcmp(last_part(p), ".") || !strcmp(last_part(p), "..")) {
		tool_file_reason("refusing to remove", s->fs->label, path,
				 "it is '.' or '..'");
	} else if (err) {
		if (!a->given['f'] || (err != -ENOENT && err != -ENOTDIR))
			path_error(s, "cannot remove", path, err);
	} else if (S_ISDIR(st.st_mode) && !path_stat(s, "/", true, &root) &&
		   root.st_ino == st.st_ino && root.st_dev == st.st_dev) {
		tool_file_reason("cannot remove", s->fs->label, path,
				 "it is the root directory");
	} else if (S_ISDIR(st.st_mode) && !recursive) {
		struct walk_path wp;

		err = a->given['d'] ? path_split(s, p, &wp) : -EISDIR;
		if (a->given['d']) {
			if (!err)
				err = s->fs->rmdir(wp.dir, wp.open);
			walk_split_free(s->fs, &wp);
		}
		if (err)
			path_error(s, "cannot remove", path, err);
		else
			put_done(a, "removed directory", path);
	} else {
		tree_walk(&t, p);
	}
	free(p);
}

int rm_run(struct session *s, const struct args *a)
{
	if (!a->count && !a->given['f'])
		return args_bad("missing operand");
	for (char **path = a->operand; *path && !tool_signal; path++)
		rm_path(s, a, *path);
	return session_status();
}

/* Both times that are to be set, by the options of touch. */
static int touch_times(struct session *s, const struct args *a,
		       struct timespec ts[2])
{
	const char *which = a->value[OPT_TIME];
	bool access = a->given['a'] || (which && (!strcmp(which, "atime") ||
						  !strcmp(which, "access")));
	bool modify = which &&
		      (!strcmp(which, "mtime") || !strcmp(which, "modify"));
	struct stat st;
	int err;

	if (which && !access && !modify)
		return args_bad("unknown time '%s'", which), -1;
	clock_gettime(CLOCK_REALTIME, &ts[0]);
	ts[1] = ts[0];
	if (a->given['r']) {
		err = path_stat(s, a->value['r'], true, &st);
		if (err) {
			path_error(s, "cannot stat", a->value['r'], err);
			return -1;
		}
		ts[0] = st.st_atim;
		ts[1] = st.st_mtim;
	} else if (a->value['d']) {
		if (!text_parse_time(a->value['d'], &ts[0]))
			return args_bad("invalid date: '%s'", a->value['d']),
			       -1;
		ts[1] = ts[0];
	}
	if (access && !modify)
		ts[1].tv_nsec = UTIME_OMIT;
	if (modify && !access)
		ts[0].tv_nsec = UTIME_OMIT;
	return 0;
}

int touch_run(struct session *s, const struct args *a)
{
	struct timespec ts[2];

	if (touch_times(s, a, ts))
		return TOOL_FAILED;
	for (char **path = a->operand; *path && !tool_signal; path++) {
		int flags = a->given['c'] ? 0 : LKL_O_CREAT;
		struct walk_path wp;
		struct stat st;
		int fd, err;

		/* a link is followed, unless that is not wanted */
		err = a->given['h'] ? path_stat(s, *path, false, &st)
				    : path_stat(s, *path, true, &st);
		if (err == -ENOENT && a->given['c'])
			continue;
		if (err == -ENOENT && !a->given['h']) {
			struct lkl_open_how how = {
				.flags = LKL_O_WRONLY | flags,
				.mode = 0644,
				.resolve = LKL_RESOLVE_IN_ROOT,
			};
			char *full = path_full(s, *path);

			err = fd = lkl_sys_openat2(s->img.root, full, &how,
						   sizeof(how));
			free(full);
			if (fd >= 0) {
				err = s->fs->utime(fd, "", ts);
				s->fs->close(fd);
			}
		} else if (!err && (a->given['h'] || !S_ISREG(st.st_mode))) {
			err = path_split(s, *path, &wp);
			if (!err && !a->given['h']) {
				fd = path_open(s, *path,
					       LKL_O_RDONLY | LKL_O_NONBLOCK);
				err = fd < 0 ? s->fs->utime(wp.dir, wp.open, ts)
					     : s->fs->utime(fd, "", ts);
				if (fd >= 0)
					s->fs->close(fd);
			} else if (!err) {
				err = s->fs->utime(wp.dir, wp.open, ts);
			}
			if (wp.open)
				walk_split_free(s->fs, &wp);
		} else if (!err) {
			err = fd = path_open(s, *path, LKL_O_RDONLY);
			if (fd >= 0) {
				err = s->fs->utime(fd, "", ts);
				s->fs->close(fd);
			}
		}
		if (err)
			path_error(s, "cannot touch", *path, err);
	}
	return session_status();
}

/* The new size by what was said: [+-<>/%]SIZE. */
static bool new_size(char mode, uint64_t n, uint64_t old, uint64_t *size)
{
	switch (mode) {
	case '+':
		*size = old + n;
		break;
	case '-':
		*size = old > n ? old - n : 0;
		break;
	case '<':
		*size = old < n ? old : n;
		break;
	case '>':
		*size = old > n ? old : n;
		break;
	case '/':
		*size = n ? old / n * n : 0;
		return n;
	case '%':
		*size = n ? (old + n - 1) / n * n : 0;
		return n;
	default:
		*size = n;
	}
	return *size <= INT64_MAX;
}

int truncate_run(struct session *s, const struct args *a)
{
	const char *text = a->value['s'];
	char mode = text && *text && strchr("+-<>/%", *text) ? *text : 0;
	uint64_t n = 0;
	struct stat st;
	int err;

	if (!text && !a->given['r'])
		return args_bad("give a size with -s, or --reference");
	if (a->given['r']) {
		err = path_stat(s, a->value['r'], true, &st);
		if (err) {
			path_error(s, "cannot stat", a->value['r'], err);
			return TOOL_FAILED;
		}
		n = st.st_size;
	}
	if (text && !tool_parse_size(text + !!mode, &n))
		return args_bad("invalid size: '%s'", text);
	for (char **path = a->operand; *path && !tool_signal; path++) {
		struct lkl_open_how how = {
			.flags = LKL_O_WRONLY | LKL_O_NONBLOCK |
				 (a->given['c'] ? 0 : LKL_O_CREAT),
			.mode = a->given['c'] ? 0 : 0644,
			.resolve = LKL_RESOLVE_IN_ROOT,
		};
		char *full = path_full(s, *path);
		uint64_t size;
		int fd = lkl_sys_openat2(s->img.root, full, &how, sizeof(how));

		free(full);
		if (fd == -ENOENT && a->given['c'])
			continue;
		err = fd;
		if (fd >= 0) {
			err = s->fs->stat(fd, "", &st);
			if (!err && !S_ISREG(st.st_mode))
				err = -EINVAL;
			if (!err && !new_size(mode, n, st.st_size, &size))
				err = -EFBIG;
			if (!err)
				err = s->fs->truncate(fd, size);
			s->fs->close(fd);
		}
		if (err)
			path_error(s, "cannot truncate", *path, err);
	}
	return session_status();
}
