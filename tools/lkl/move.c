// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl mv, ln - give files other names
 *
 * A file keeps a name in whatever order things fail: what takes the place of
 * another is complete before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/tool.h"
#include "path.h"

/* What is made beside a file, to take its place: how many names are tried. */
#define MAX_NAMES 1000
#define NAME_SIZE 24

static bool same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

static bool same_dir(const struct session *s, const struct walk_path *a,
		     const struct walk_path *b)
{
	struct stat a_st, b_st;

	return !s->fs->stat(a->dir, ".", &a_st) &&
	       !s->fs->stat(b->dir, ".", &b_st) && same_inode(&a_st, &b_st);
}

/*
 * Is it another spelling of a name, for a file system that does not tell the
 * two apart?  Otherwise it is the same name, or one of several links.
 */
static bool is_spelling(const struct session *s, const struct stat *st,
			const struct walk_path *a, const struct walk_path *b)
{
	return (st->st_nlink == 1 || S_ISDIR(st->st_mode)) &&
	       same_dir(s, a, b) && strcmp(a->open, b->open);
}

/* A name that nothing has, perhaps: the @n-th try. */
static const char *unused_name(char buf[NAME_SIZE], unsigned int n)
{
	snprintf(buf, NAME_SIZE, ".lkl%u.new", n);
	return buf;
}

/* rename() does nothing where both names are of the same file. */
static int spell(const struct walk_path *in, const struct walk_path *out)
{
	char between[NAME_SIZE];
	int err = -EEXIST;

	for (unsigned int n = 0; n < MAX_NAMES && err == -EEXIST; n++)
		err = lkl_sys_renameat2(in->dir, in->open, in->dir,
					unused_name(between, n),
					LKL_RENAME_NOREPLACE);
	if (err)
		return err;
	err = lkl_sys_renameat2(in->dir, between, out->dir, out->open,
				LKL_RENAME_NOREPLACE);
	if (err)
		lkl_sys_renameat2(in->dir, between, in->dir, in->open,
				  LKL_RENAME_NOREPLACE);
	return err;
}

static void mv_one(struct session *s, const struct args *a, const char *from,
		   const char *to)
{
	unsigned int flags = a->given['n'] ? LKL_RENAME_NOREPLACE : 0;
	char *source = path_without_slashes(from);
	struct walk_path in = { .dir = -1 }, out = { .dir = -1 };
	struct stat a_st, b_st;
	bool same = false;
	int err = path_split(s, source, &in);

	if (!err)
		err = s->fs->stat(in.dir, in.open, &a_st);
	if (err) {
		path_error(s, "cannot stat", from, err);
		goto out;
	}
	err = a->given['T'] ? path_split(s, to, &out)
			    : path_target(s, to, source, &out);
	if (!err && !s->fs->stat(out.dir, out.open, &b_st)) {
		if (a->given['n'])
			goto out;
		same = same_inode(&a_st, &b_st);
		if (same && !is_spelling(s, &a_st, &in, &out)) {
			tool_file_reason("cannot move to", s->fs->label, to,
					 "they are the same file");
			goto out;
		}
	}
	if (!err)
		err = same ? spell(&in, &out)
			   : lkl_sys_renameat2(in.dir, in.open, out.dir,
					       out.open, flags);
	if (err < 0)
		tool_file_error("cannot move to", s->fs->label, to, err);
	else
		put_done(a, "renamed", from);
out:
	if (in.open)
		walk_split_free(s->fs, &in);
	if (out.open)
		walk_split_free(s->fs, &out);
	free(source);
}

/* With several sources the last operand must be a directory. */
static bool target_fits(struct session *s, const struct args *a)
{
	const char *target = a->operand[a->count - 1];
	struct stat st;
	int err;

	if (a->count == 2)
		return true;
	if (a->given['T']) {
		args_bad("extra operand '%s'", a->operand[2]);
		return false;
	}
	err = path_stat(s, target, true, &st);
	if (!err && !S_ISDIR(st.st_mode))
		err = -ENOTDIR;
	if (err)
		path_error(s, "cannot use as target", target, err);
	return !err;
}

int mv_run(struct session *s, const struct args *a)
{
	if (!target_fits(s, a))
		return TOOL_FAILED;
	for (int i = 0; i < a->count - 1 && !tool_signal; i++)
		mv_one(s, a, a->operand[i], a->operand[a->count - 1]);
	return session_status();
}

static int ln_make(struct session *s, const struct args *a, const char *from,
		   int dir, const char *name)
{
	struct walk_path in;
	int err;

	if (a->given['s'])
		return s->fs->symlink(from, dir, name);
	err = path_split(s, from, &in);
	if (!err)
		err = s->fs->link(in.dir, in.open, dir, name);
	if (in.open)
		walk_split_free(s->fs, &in);
	return err;
}

/*
 * Take the place of a file, once the link is there.  Returns 1 if that would
 * remove what the link is to.
 */
static int ln_replace(struct session *s, const struct args *a, const char *from,
		      const struct walk_path *out)
{
	struct walk_path in = { .dir = -1 };
	struct stat in_st, out_st;
	char tmp[NAME_SIZE];
	bool same = false;
	int err;

	if (!path_split(s, from, &in) &&
	    !s->fs->stat(in.dir, in.open, &in_st) &&
	    !s->fs->stat(out->dir, out->open, &out_st))
		same = same_inode(&in_st, &out_st);
	err = same && (in_st.st_nlink == 1 ||
		       (same_dir(s, &in, out) && !strcmp(in.open, out->open)));
	if (in.open)
		walk_split_free(s->fs, &in);
	/* it is that link already */
	if (err || (same && !a->given['s']))
		return err;
	err = -EEXIST;
	for (unsigned int n = 0; n < MAX_NAMES && err == -EEXIST; n++)
		err = ln_make(s, a, from, out->dir, unused_name(tmp, n));
	if (err)
		return err;
	err = lkl_sys_renameat2(out->dir, tmp, out->dir, out->open, 0);
	if (err)
		s->fs->unlink(out->dir, tmp);
	return err;
}

static void ln_one(struct session *s, const struct args *a, const char *from,
		   const char *to)
{
	const char *what = a->given['s'] ? "cannot create symbolic link"
					 : "cannot create hard link";
	struct walk_path out = { .dir = -1 };
	struct stat st;
	int err;

	/* with -n a link to a directory is replaced, not filled */
	if (a->given['T'] || (a->given['n'] && !path_stat(s, to, false, &st) &&
			      S_ISLNK(st.st_mode)))
		err = path_split(s, to, &out);
	else
		err = path_target(s, to, from, &out);
	if (!err)
		err = ln_make(s, a, from, out.dir, out.open);
	if (err == -EEXIST && a->given['f'])
		err = ln_replace(s, a, from, &out);
	if (err > 0)
		tool_file_reason(what, s->fs->label, to,
				 "they are the same file");
	else if (err)
		path_error(s, what, to, err);
	else
		put_done(a, "created", to);
	if (out.open)
		walk_split_free(s->fs, &out);
}

int ln_run(struct session *s, const struct args *a)
{
	if (a->count == 1) {
		ln_one(s, a, a->operand[0], s->cwd);
		return session_status();
	}
	if (!target_fits(s, a))
		return TOOL_FAILED;
	for (int i = 0; i < a->count - 1 && !tool_signal; i++)
		ln_one(s, a, a->operand[i], a->operand[a->count - 1]);
	return session_status();
}
