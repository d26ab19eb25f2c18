// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl ls - list files
 *
 * The lines of a directory are made when all of it has been read, as their
 * columns are as wide as the widest.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "../common/tool.h"
#include "ids.h"
#include "json.h"
#include "path.h"
#include "text.h"

enum column {
	INODE,
	BLOCKS,
	LINKS,
	USER,
	GROUP,
	LABEL,
	MAJOR,
	SIZE,
	TIME,
	COLUMNS,
};

struct item {
	char *name;
	struct stat st;
	bool known;
	char mode[MODE_TEXT];
	char *text[COLUMNS];
	char *target;
};

/*
 * @items: what is to be listed next
 * @many: directories are listed under their names
 * @headed: something has been listed
 */
struct ls {
	const struct session *s;
	struct args a;
	const char *time_style;
	struct item *items;
	size_t count, size;
	bool many;
	bool headed;
};

static bool has(const struct ls *ls, int option)
{
	return ls->a.given[option];
}

static char *copy(const char *text)
{
	char *new = strdup(text);

	if (!new)
		tool_no_memory();
	return new;
}

static char *number(uint64_t n)
{
	char text[SIZE_TEXT];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	return copy(text);
}

static char *owner(const struct ls *ls, enum ids_kind kind, uint32_t id)
{
	const char *name = has(ls, 'n') ? NULL : ids_name(ls->s, kind, id);

	return name ? copy(name) : number(id);
}

static void fill_long(const struct ls *ls, int dir, const char *entry,
		      struct item *i)
{
	char size[SIZE_TEXT], when[TIME_TEXT], target[PATH_MAX];
	const struct stat *st = &i->st;

	text_mode(st->st_mode, i->mode);
	i->text[LINKS] = number(st->st_nlink);
	i->text[USER] = owner(ls, IDS_USERS, st->st_uid);
	i->text[GROUP] = owner(ls, IDS_GROUPS, st->st_gid);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		snprintf(size, sizeof(size), "%u,", major(st->st_rdev));
		i->text[MAJOR] = copy(size);
		i->text[SIZE] = number(minor(st->st_rdev));
	} else {
		i->text[SIZE] =
			copy(text_size(st->st_size, has(ls, 'h') ? 1024 : 1,
				       has(ls, 'h'), size));
	}
	i->text[TIME] = copy(text_time(&st->st_mtim, ls->time_style, when));
	if (S_ISLNK(st->st_mode) && !text_link(ls->s, dir, entry, target))
		i->target = copy(target);
}

/* Note @entry in @dir, or @dir itself if that is "", to be listed as @name. */
static void add(struct ls *ls, int dir, const char *entry, const char *name,
		const char *path)
{
	char text[SIZE_TEXT], label[4096];
	struct item i = { 0 };
	long err;

	err = ls->s->fs->stat(dir, entry, &i.st);
	i.known = !err;
	if (err) {
		path_error(ls->s, "cannot stat", path, err);
		return;
	}
	if (has(ls, OPT_JSON)) {
		json_item(json_file(ls->s, dir, entry, path, &i.st));
		return;
	}
	i.name = copy(name);
	if (has(ls, 'i'))
		i.text[INODE] = number(i.st.st_ino);
	if (has(ls, 's'))
		i.text[BLOCKS] = copy(text_size((uint64_t)i.st.st_blocks * 512,
						1024, has(ls, 'h'), text));
	if (has(ls, 'Z'))
		i.text[LABEL] = copy(
			text_label(ls->s, dir, entry, label, sizeof(label)));
	if (has(ls, 'l'))
		fill_long(ls, dir, entry, &i);
	if (ls->count == ls->size) {
		ls->size = ls->size ? 2 * ls->size : 64;
		ls->items =
			tool_alloc(ls->items, ls->size * sizeof(*ls->items));
	}
	ls->items[ls->count++] = i;
}

static int by_size(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->st.st_size != y->st.st_size)
		return x->st.st_size > y->st.st_size ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int by_time(const void *a, const void *b)
{
	const struct timespec *x = &((const struct item *)a)->st.st_mtim;
	const struct timespec *y = &((const struct item *)b)->st.st_mtim;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec > y->tv_sec ? -1 : 1;
	if (x->tv_nsec != y->tv_nsec)
		return x->tv_nsec > y->tv_nsec ? -1 : 1;
	return strcmp(((const struct item *)a)->name,
		      ((const struct item *)b)->name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->name,
		      ((const struct item *)b)->name);
}

static void sort(struct ls *ls)
{
	const char *by = ls->a.value[OPT_SORT];
	size_t n = ls->count;

	if (has(ls, 'S') || (by && !strcmp(by, "size")))
		qsort(ls->items, n, sizeof(*ls->items), by_size);
	else if (by && !strcmp(by, "time"))
		qsort(ls->items, n, sizeof(*ls->items), by_time);
	else
		qsort(ls->items, n, sizeof(*ls->items), by_name);
	for (size_t i = 0; has(ls, 'r') && i < n / 2; i++) {
		struct item tmp = ls->items[i];

		ls->items[i] = ls->items[n - 1 - i];
		ls->items[n - 1 - i] = tmp;
	}
}

static void put_suffix(const struct ls *ls, mode_t mode, bool to_link)
{
	if (!has(ls, 'F'))
		return;
	if (S_ISDIR(mode))
		putchar('/');
	else if (S_ISLNK(mode) && to_link)
		putchar('@');
	else if (S_ISFIFO(mode))
		putchar('|');
	else if (S_ISSOCK(mode))
		putchar('=');
	else if (S_ISREG(mode) && mode & 0111)
		putchar('*');
}

static void put_item(const struct ls *ls, const struct item *i,
		     const int *width)
{
	/* GNU's ls has these to the left, all others to the right */
	static const bool left[COLUMNS] = {
		[USER] = true, [GROUP] = true, [LABEL] = true, [TIME] = true
	};
	bool wide = has(ls, 'l');
	int size = width[SIZE];

	/* a device's numbers take the room of a size */
	if (width[MAJOR] && width[MAJOR] + 1 + width[SIZE] > size &&
	    !i->text[MAJOR])
		size = width[MAJOR] + 1 + width[SIZE];
	for (int c = 0; c < COLUMNS; c++) {
		int w = c == SIZE ? size : width[c];
		bool numeric = has(ls, 'n') && (c == USER || c == GROUP);

		if (c == LINKS && wide)
			printf("%s ", i->mode);
		if (!i->text[c] || !w)
			continue;
		if (left[c] && !numeric) {
			/* what an image calls its users may be anything */
			put_name(i->text[c]);
			printf("%*s ", w - (int)strlen(i->text[c]), "");
		} else {
			printf("%*s ", w, i->text[c]);
		}
	}
	put_name(i->name);
	if (i->target) {
		printf(" -> ");
		put_name(i->target);
	} else {
		put_suffix(ls, i->st.st_mode, !wide);
	}
	putchar('\n');
}

/* Print what has been noted. */
static void flush(struct ls *ls, bool total)
{
	int width[COLUMNS] = { 0 };
	char text[SIZE_TEXT];
	uint64_t blocks = 0;

	sort(ls);
	for (size_t n = 0; n < ls->count; n++) {
		blocks += ls->items[n].st.st_blocks;
		for (int c = 0; c < COLUMNS; c++) {
			const char *t = ls->items[n].text[c];

			if (t && (int)strlen(t) > width[c])
				width[c] = strlen(t);
		}
	}
	/* sizes that are wider than the numbers of devices */
	if (width[MAJOR]) {
		int minor_width = 0;

		for (size_t n = 0; n < ls->count; n++) {
			const struct item *i = &ls->items[n];

			if (i->text[MAJOR] &&
			    (int)strlen(i->text[SIZE]) > minor_width)
				minor_width = strlen(i->text[SIZE]);
		}
		if (width[SIZE] > width[MAJOR] + 1 + minor_width)
			width[MAJOR] = width[SIZE] - 1 - minor_width;
		width[SIZE] = minor_width;
	}
	if (total && (has(ls, 'l') || has(ls, 's')))
		printf("total %s\n",
		       text_size(blocks * 512, 1024, has(ls, 'h'), text));
	for (size_t n = 0; n < ls->count; n++) {
		struct item *i = &ls->items[n];

		put_item(ls, i, width);
		free(i->name);
		free(i->target);
		for (int c = 0; c < COLUMNS; c++)
			free(i->text[c]);
	}
	ls->count = 0;
}

static void put_heading(const struct ls *ls, const char *path)
{
	if (ls->headed)
		putchar('\n');
	put_name(path);
	puts(":");
}

static bool shown(const struct ls *ls, const char *name)
{
	return *name != '.' || has(ls, 'a') || has(ls, 'A');
}

/* What is in a directory, which is closed then. */
static void list_dir(struct ls *ls, int fd, struct tool_path *path)
{
	const struct fs *fs = ls->s->fs;
	size_t len = path->len;
	struct walk_names names;
	bool json = has(ls, OPT_JSON);
	long err = walk_names(fs, fd, &names);

	if (err)
		path_error(ls->s, "error reading directory", path->text, err);
	if (!json && (ls->many || has(ls, 'R')))
		put_heading(ls, path->text);
	ls->headed = true;
	for (int i = 0; has(ls, 'a') && i < 2; i++) {
		int parent = i ? fs->open_parent(fd) : fd;

		if (parent < 0)
			continue;
		add(ls, parent, "", i ? ".." : ".", path->text);
		if (i)
			fs->close(parent);
	}
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.list[i] + 1;

		if (!shown(ls, name))
			continue;
		tool_path_set(path, len, name);
		add(ls, fd, name, name, path->text);
	}
	path->len = len;
	path->text[len] = 0;
	if (!json)
		flush(ls, true);
	for (size_t i = 0; has(ls, 'R') && i < names.count && !tool_signal;
	     i++) {
		const char *name = names.list[i] + 1;
		struct stat st;
		int sub;

		if (!shown(ls, name) || fs->stat(fd, name, &st) ||
		    !S_ISDIR(st.st_mode))
			continue;
		tool_path_set(path, len, name);
		sub = fs->open_dir(fd, name);
		if (sub < 0)
			path_error(ls->s, "cannot open directory", path->text,
				   sub);
		else
			list_dir(ls, sub, path);
	}
	walk_names_free(&names);
	fs->close(fd);
	path->len = len;
	path->text[len] = 0;
}

/* A link is itself where its properties are asked for. */
static bool follows(const struct ls *ls)
{
	return !has(ls, 'l') && !has(ls, 'd') && !has(ls, 'F');
}

static bool is_directory(const struct ls *ls, const char *path)
{
	struct stat st;

	return !has(ls, 'd') && !path_stat(ls->s, path, follows(ls), &st) &&
	       S_ISDIR(st.st_mode);
}

static void list_file(struct ls *ls, const char *path)
{
	struct walk_path wp;
	struct stat st;
	int err = path_split(ls->s, path, &wp);

	if (!err)
		err = ls->s->fs->stat(wp.dir, wp.open, &st);
	if (err)
		path_error(ls->s, "cannot access", path, err);
	else
		add(ls, wp.dir, wp.open, path, path);
	if (wp.dir >= 0)
		walk_split_free(ls->s->fs, &wp);
}

static void list_path(struct ls *ls, const char *name)
{
	struct tool_path path = { 0 };
	int dir = path_open(ls->s, name, LKL_O_RDONLY | LKL_O_DIRECTORY);

	if (dir < 0) {
		path_error(ls->s, "cannot open directory", name, dir);
		return;
	}
	tool_path_set(&path, 0, name);
	list_dir(ls, dir, &path);
	free(path.text);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int ls_run(struct session *s, const struct args *a)
{
	struct ls ls = { .s = s, .a = *a, .time_style = "long-iso" };
	char *root[] = { s->cwd, NULL };
	char **paths = a->count ? a->operand : root;
	const char *sort_by = a->value[OPT_SORT];

	if (a->given[OPT_FULL_TIME]) {
		ls.time_style = "full-iso";
		ls.a.given['l'] = true;
	}
	ls.a.given['l'] |= a->given['n'];
	if (a->given[OPT_TIME_STYLE])
		ls.time_style = a->value[OPT_TIME_STYLE];
	if (!text_time_style(ls.time_style))
		return args_bad("unknown time style '%s'", ls.time_style);
	if (sort_by && strcmp(sort_by, "size") && strcmp(sort_by, "time") &&
	    strcmp(sort_by, "name"))
		return args_bad("unknown order '%s'", sort_by);
	ls.many = a->count > 1;
	qsort(a->operand, a->count, sizeof(char *), by_path);
	if (a->given[OPT_JSON])
		json_begin();
	/* what is no directory comes first, as with GNU's */
	for (char **path = paths; *path && !tool_signal; path++) {
		if (!is_directory(&ls, *path))
			list_file(&ls, *path);
	}
	if (ls.count) {
		ls.headed = true;
		flush(&ls, false);
	}
	for (char **path = paths; *path && !tool_signal; path++) {
		if (is_directory(&ls, *path))
			list_path(&ls, *path);
	}
	if (a->given[OPT_JSON])
		json_end();
	free(ls.items);
	return session_status();
}
