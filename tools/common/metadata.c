// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owner, attributes, mode and times are set when an object is closed, in this
 * order: a change of owner clears set-user-id bits and capabilities, writing
 * into a directory changes its times.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/limits.h>

#include "control.h"
#include "object.h"
#include "tool.h"

/* The first second that vfat knows. */
#define YEAR_1980 315532800

void sink_complain(struct sink *s, const char *what, long err)
{
	const char *reason = strerror(-err);

	if (err == -ENOSPC && s->fs->no_inodes(s->base))
		reason = "No space left on device (all inodes are in use)";
	if (err == -ETXTBSY && s->image)
		reason = "it is the image itself";
	if (!s->full)
		tool_file_reason(what, s->fs->label, s->path.text, reason);
	s->full |= err == -ENOSPC || err == -EDQUOT || err == -EROFS ||
		   err == -EIO;
}

void object_add_attr(struct object *o, const char *name, const void *value,
		     uint32_t size)
{
	size_t len = strlen(name) + 1;

	o->attrs =
		tool_alloc(o->attrs, o->attrs_size + len + sizeof(size) + size);
	memcpy(o->attrs + o->attrs_size, name, len);
	o->attrs_size += len;
	memcpy(o->attrs + o->attrs_size, &size, sizeof(size));
	o->attrs_size += sizeof(size);
	memcpy(o->attrs + o->attrs_size, value, size);
	o->attrs_size += size;
}

/*
 * Something a target of this kind or this user cannot keep: it is told once, at
 * the end, and is no failure.
 */
static void lose(struct sink *s, enum loss kind, long err)
{
	if (s->lost[kind].count++)
		return;
	s->lost[kind].path = strdup(s->path.text);
	if (!s->lost[kind].path)
		tool_no_memory();
	s->lost[kind].reason = strerror(-err);
}

void sink_say_lost(struct sink *s)
{
	static const char *const what[LOSSES][2] = {
		[LOST_OWNER] = { "cannot keep owners", "as that of" },
		[LOST_MODE] = { "cannot keep permissions", "as those of" },
		[LOST_SET_ID] = { "leaving out set-id bits", "as those of" },
		[LOST_ATTRIBUTES] = { "cannot keep extended attributes",
				      "as those of" },
		[LOST_TIME] = { "cannot keep times", "as that of" },
	};
	char text[96];

	for (int kind = 0; kind < LOSSES; kind++) {
		unsigned long long n = s->lost[kind].count;

		if (!n)
			continue;
		if (n == 1)
			snprintf(text, sizeof(text), "%s, %s", what[kind][0],
				 what[kind][1]);
		else
			snprintf(text, sizeof(text), "%s of %llu files, %s",
				 what[kind][0], n, what[kind][1]);
		tool_file_warn(text, s->fs->label, s->lost[kind].path,
			       s->lost[kind].reason);
		free(s->lost[kind].path);
	}
}

static bool cannot_keep(long err)
{
	return err == -EPERM || err == -EOPNOTSUPP || err == -EINVAL;
}

/* Returns the permissions that may be set, less those of the lost owner. */
static mode_t set_owner(struct sink *s, const struct object *o, int dir,
			const char *name, uid_t uid, gid_t gid)
{
	mode_t mode = o->st.st_mode & MODE_BITS;
	int err = s->fs->chown(dir, name, uid, gid);

	if (!err)
		return mode;
	if (!cannot_keep(err)) {
		sink_complain(s, "cannot change the owner of", err);
	} else if (s->fs->exclusive || !s->fs->uid) {
		lose(s, LOST_OWNER, err);
	} else if (!s->fs->chown(dir, name, -1, gid)) {
		/* an ordinary user, which may give files to its own groups */
		return mode & ~S_ISUID;
	}
	return mode & ~(S_ISUID | S_ISGID);
}

static void set_attrs(struct sink *s, const struct object *o, int dir,
		      const char *name)
{
	char what[XATTR_NAME_MAX + 64];
	const char *p = o->attrs;
	int lost = 0;

	while (p < o->attrs + o->attrs_size) {
		const char *attr = p;
		uint32_t size;
		int err;

		p += strlen(p) + 1;
		memcpy(&size, p, sizeof(size));
		p += sizeof(size);
		err = s->fs->setxattr(dir, name, attr, p, size);
		p += size;
		if (cannot_keep(err)) {
			lost = err;
		} else if (err) {
			snprintf(what, sizeof(what),
				 "cannot set extended attribute '%s' of", attr);
			/* the image is not trusted */
			tool_file_error(control_hide(what), s->fs->label,
					s->path.text, err);
		}
	}
	if (lost)
		lose(s, LOST_ATTRIBUTES, lost);
}

/*
 * A set-user-ID program of the user that unpacks must not come from an image
 * that is not trusted.  Root, which keeps owners, keeps the bits as well.
 */
static mode_t drop_set_id(struct sink *s, const struct object *o, mode_t mode)
{
	mode_t bits = S_ISUID | (S_ISDIR(o->st.st_mode) ? 0 : S_ISGID);

	if (s->fs->exclusive || !s->fs->uid || !(o->st.st_mode & bits))
		return mode;
	lose(s, LOST_SET_ID, -EPERM);
	return mode & ~bits;
}

/* Is the time out of what some file systems can hold? */
static bool is_extreme(time_t sec)
{
	return sec < YEAR_1980 || sec > INT32_MAX;
}

/* File systems take the nearest time they can hold, without a word. */
static void check_time(struct sink *s, const struct object *o, int dir,
		       const char *name)
{
	time_t sec = o->st.st_mtim.tv_sec;
	struct stat st;

	/* some count in steps of two seconds */
	if (is_extreme(sec) && !s->fs->stat(dir, name, &st) &&
	    (st.st_mtim.tv_sec < sec - 2 || st.st_mtim.tv_sec > sec + 2))
		lose(s, LOST_TIME, -ERANGE);
}

void object_finish(struct sink *s, struct object *o, bool unsure, int dir,
		   const char *name)
{
	struct timespec times[2] = { o->st.st_atim, o->st.st_mtim };
	uid_t uid = idmap_get(&s->uids, o->st.st_uid);
	gid_t gid = idmap_get(&s->gids, o->st.st_gid);
	mode_t mode = o->st.st_mode & MODE_BITS;
	int err;

	if (s->label)
		object_add_attr(o, "security.selinux", s->label,
				strlen(s->label) + 1);
	if (unsure || uid != s->fs->uid || gid != s->fs->gid) {
		mode = set_owner(s, o, dir, name, uid, gid);
		unsure |= mode & (S_ISUID | S_ISGID);
	}
	mode = drop_set_id(s, o, mode);
	set_attrs(s, o, dir, name);
	if ((unsure || mode != o->mode) && !S_ISLNK(o->st.st_mode)) {
		err = s->fs->chmod(dir, name, mode);
		if (cannot_keep(err))
			lose(s, LOST_MODE, err);
		else if (err)
			sink_complain(s, "cannot set permissions of", err);
	}
	err = s->fs->utime(dir, name, times);
	if (err)
		sink_complain(s, "cannot set times of", err);
	else
		check_time(s, o, dir, name);
}
