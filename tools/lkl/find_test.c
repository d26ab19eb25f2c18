// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether a file is one that find looks for.
 */
#include <fnmatch.h>
#include <limits.h>
#include <string.h>

#include "../common/tool.h"
#include "find.h"
#include "ids.h"
#include "text.h"

static bool compare(const struct find_node *n, uint64_t value)
{
	if (n->compare == '+')
		return value > n->value;
	return n->compare == '-' ? value < n->value : value == n->value;
}

static bool is_empty(const struct find *f, const struct tree_entry *e)
{
	struct walk_names names;
	bool empty;
	int fd;

	if (S_ISREG(e->st.st_mode))
		return !e->st.st_size;
	if (!S_ISDIR(e->st.st_mode))
		return false;
	fd = f->s->fs->open_dir(e->dir, *e->name ? e->name : ".");
	if (fd < 0)
		return false;
	empty = !walk_names(f->s->fs, fd, &names) && !names.count;
	walk_names_free(&names);
	f->s->fs->close(fd);
	return empty;
}

static bool time_fits(const struct find *f, const struct find_node *n,
		      const struct stat *st)
{
	const struct timespec *ts = n->which == 'a'   ? &st->st_atim
				    : n->which == 'c' ? &st->st_ctim
						      : &st->st_mtim;
	double age = f->now.tv_sec - ts->tv_sec +
		     (f->now.tv_nsec - ts->tv_nsec) / 1e9;

	/* minutes are compared as they are, days without their fraction */
	if (n->unit == 60)
		return n->compare == '+'   ? age > n->value * 60.0
		       : n->compare == '-' ? age < n->value * 60.0
					   : age > (n->value - 1.0) * 60 &&
						     age <= n->value * 60.0;
	return n->compare == '+'   ? age >= (n->value + 1.0) * 86400
	       : n->compare == '-' ? age < n->value * 86400.0
				   : age >= n->value * 86400.0 &&
					     age < (n->value + 1.0) * 86400;
}

static bool perm_fits(const struct find_node *n, mode_t mode)
{
	if (n->compare == '-')
		return (mode & n->value) == n->value;
	if (n->compare == '/')
		return !n->value || mode & n->value;
	return (mode & 07777) == n->value;
}

bool find_eval(struct find *f, const struct find_node *n,
	       const struct tree_entry *e)
{
	const struct stat *st = &e->st;
	char target[PATH_MAX];

	switch (n->kind) {
	case AND:
		return find_eval(f, n->left, e) && !f->quit &&
		       find_eval(f, n->right, e);
	case OR:
		return find_eval(f, n->left, e) || f->quit ||
		       find_eval(f, n->right, e);
	case COMMA:
		find_eval(f, n->left, e);
		return !f->quit && find_eval(f, n->right, e);
	case NOT:
		return !find_eval(f, n->left, e);
	case NAME:
		return !fnmatch(n->text, find_name(e), n->flags);
	case PATH:
		return !fnmatch(n->text, e->path, n->flags);
	case LINK_NAME:
		return S_ISLNK(st->st_mode) &&
		       !text_link(f->s, e->dir, e->name, target) &&
		       !fnmatch(n->text, target, 0);
	case REGEX:
		return !regexec(&n->regex, e->path, 0, NULL, 0);
	case TYPE:
		return strchr(n->text, find_type(st->st_mode));
	case SIZE:
		return compare(n, (st->st_size + n->unit - 1) / n->unit);
	case EMPTY:
		return is_empty(f, e);
	case TIME:
		return time_fits(f, n, st);
	case NEWER:
		return st->st_mtim.tv_sec > n->time.tv_sec ||
		       (st->st_mtim.tv_sec == n->time.tv_sec &&
			st->st_mtim.tv_nsec > n->time.tv_nsec);
	case UID:
		return compare(n, st->st_uid);
	case GID:
		return compare(n, st->st_gid);
	case NO_USER:
		return !ids_name(f->s, IDS_USERS, st->st_uid);
	case NO_GROUP:
		return !ids_name(f->s, IDS_GROUPS, st->st_gid);
	case PERM:
		return perm_fits(n, st->st_mode);
	case LINKS:
		return compare(n, st->st_nlink);
	case INODE:
		return compare(n, st->st_ino);
	case ALWAYS:
		return true;
	case NEVER:
		return false;
	case PRUNE:
		f->prune = true;
		return true;
	case QUIT:
		f->quit = true;
		return false;
	case PRINT:
		find_print(f, e);
		return true;
	case PRINT0:
		fputs(e->path, stdout);
		putchar(0);
		return true;
	case PRINTF:
		find_printf(f, e, n->text);
		return true;
	}
	return false;
}
