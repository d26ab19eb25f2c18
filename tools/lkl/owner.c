// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl chmod, chown - change permissions and owners
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/tool.h"
#include "ids.h"
#include "mode.h"
#include "path.h"

/*
 * @mode: new permissions, or NULL
 * @uid: new owner, or -1
 * @gid: new group, or -1
 */
struct change {
	const struct args *a;
	struct mode_change *mode;
	uint32_t uid, gid;
};

static void apply(struct tree *t, const struct tree_entry *e)
{
	const struct change *c = t->arg;
	const struct fs *fs = t->s->fs;
	bool link = S_ISLNK(e->st.st_mode);
	int err;

	if (tool_signal)
		return;
	if (c->mode) {
		/* a link that is met on the way has no permissions */
		if (link)
			return;
		err = fs->chmod(e->dir, *e->name ? e->name : ".",
				mode_apply(c->mode, e->st.st_mode));
	} else {
		err = fs->chown(e->dir, *e->name ? e->name : ".", c->uid,
				c->gid);
	}
	if (err) {
		path_error(t->s,
			   c->mode ? "cannot change permissions of"
				   : "cannot change the owner of",
			   e->path, err);
	} else if (c->a->given['v']) {
		printf("changed '");
		put_name(e->path);
		puts("'");
	}
}

/* What the path leads to, if it is a link: by its descriptor. */
static void apply_target(struct session *s, struct change *c, const char *path)
{
	char proc[64];
	struct stat st;
	int fd = path_open(s, path, LKL_O_PATH);
	int err = fd < 0 ? fd : s->fs->stat(fd, "", &st);

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	if (!err && c->mode)
		err = lkl_sys_fchmodat(LKL_AT_FDCWD, proc,
				       mode_apply(c->mode, st.st_mode));
	else if (!err)
		err = lkl_sys_fchownat(LKL_AT_FDCWD, proc, c->uid, c->gid, 0);
	if (err) {
		path_error(s,
			   fd < 0    ? "cannot access"
			   : c->mode ? "cannot change permissions of"
				     : "cannot change the owner of",
			   path, err);
	} else if (c->a->given['v']) {
		printf("changed '");
		put_name(path);
		puts("'");
	}
	if (fd >= 0)
		s->fs->close(fd);
}

static int change(struct session *s, struct change *c, char **paths)
{
	struct tree t = { .s = s, .leave = apply, .arg = c };

	for (; *paths && !tool_signal; paths++) {
		struct stat st;
		bool tree = c->a->given['R'] &&
			    !path_stat(s, *paths, true, &st) &&
			    S_ISDIR(st.st_mode) &&
			    !path_stat(s, *paths, false, &st) &&
			    S_ISDIR(st.st_mode);

		if (tree || c->a->given['h'])
			tree_walk(&t, *paths);
		else
			apply_target(s, c, *paths);
	}
	return session_status();
}

int chmod_run(struct session *s, const struct args *a)
{
	struct change c = { .a = a };
	int status;

	c.mode = mode_parse(a->operand[0]);
	if (!c.mode)
		return args_bad("invalid mode: '%s'", a->operand[0]);
	status = change(s, &c, a->operand + 1);
	free(c.mode);
	return status;
}

/* USER, USER:GROUP, USER: (the user's own group) or :GROUP. */
static bool parse_owner(const struct session *s, const char *text,
			struct change *c)
{
	const char *colon = strchr(text, ':');
	char *user =
		strndup(text, colon ? (size_t)(colon - text) : strlen(text));
	bool ok = true;

	if (!user)
		tool_no_memory();
	if (*user && !ids_number(s, IDS_USERS, user, &c->uid)) {
		args_bad("the image has no user '%s'", user);
		ok = false;
	} else if (colon && colon[1]) {
		ok = ids_number(s, IDS_GROUPS, colon + 1, &c->gid);
		if (!ok)
			args_bad("the image has no group '%s'", colon + 1);
	} else if (colon && *user) {
		ok = ids_group_of(s, user, &c->gid);
		if (!ok)
			args_bad("invalid owner: '%s'", text);
	} else if (!*user) {
		args_bad("invalid owner: '%s'", text);
		ok = false;
	}
	free(user);
	return ok;
}

int chown_run(struct session *s, const struct args *a)
{
	struct change c = { .a = a, .uid = -1, .gid = -1 };

	if (!parse_owner(s, a->operand[0], &c))
		return TOOL_FAILED;
	return change(s, &c, a->operand + 1);
}
