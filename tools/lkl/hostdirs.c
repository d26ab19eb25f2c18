// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directories of the host in an image, for lkl sh.
 *
 * They are mounted relative to the root of the image, by paths without links.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lkl.h>

#include "../common/tool.h"
#include "hostdirs.h"
#include "verb.h"

/**
 * struct hostdir - what "DIR:PATH" or "DIR:PATH:ro" says
 * @text: the memory of the others, to be freed
 * @dir: of the host
 * @path: in the image, relative to its root
 * @readonly: as it says
 */
struct hostdir {
	char *text;
	const char *dir;
	const char *path;
	bool readonly;
};

static bool parse(const char *arg, struct hostdir *h)
{
	char *end;

	*h = (struct hostdir){ .text = strdup(arg) };
	if (!h->text)
		tool_no_memory();
	end = strrchr(h->text, ':');
	if (end && !strcmp(end, ":ro")) {
		h->readonly = true;
		*end = 0;
		end = strrchr(h->text, ':');
	}
	if (!end || end == h->text || end[1] != '/')
		return false;
	*end = 0;
	h->dir = h->text;
	h->path = end + 1 + strspn(end + 1, "/");
	return true;
}

/* The path must be there: it is for the user to change the image. */
static int check_path(struct session *s, const char *path)
{
	struct lkl_open_how how = {
		.flags = LKL_O_PATH | LKL_O_DIRECTORY | LKL_O_CLOEXEC,
		.resolve = LKL_RESOLVE_BENEATH | LKL_RESOLVE_NO_SYMLINKS,
	};
	int fd = *path ? lkl_sys_openat2(s->img.root, path, &how, sizeof(how))
		       : -LKL_EBUSY;

	if (fd >= 0)
		lkl_sys_close(fd);
	return fd < 0 ? fd : 0;
}

static int mount_one(struct session *s, const char *arg)
{
	struct hostdir h;
	int err;

	if (!parse(arg, &h)) {
		tool_error("not DIR:/PATH or DIR:/PATH:ro: '%s'", arg);
		free(h.text);
		return -1;
	}
	err = check_path(s, h.path);
	if (err) {
		tool_file_error("cannot mount on", s->img.file, h.path, err);
	} else {
		err = lkl_sys_fchdir(s->img.root);
		if (!err)
			err = lkl_mount_hostdir(h.dir, h.path,
						h.readonly ? LKL_MS_RDONLY : 0);
		lkl_sys_chdir("/");
		if (err)
			tool_file_error("cannot mount", NULL, h.dir, err);
	}
	free(h.text);
	return err ? -1 : 0;
}

static int unmount_one(struct session *s, const char *arg)
{
	struct hostdir h;
	int err;

	parse(arg, &h);
	err = lkl_sys_fchdir(s->img.root);
	if (!err)
		err = lkl_umount_hostdir(h.path);
	lkl_sys_chdir("/");
	if (err)
		tool_file_error("cannot unmount", s->img.file, h.path, err);
	free(h.text);
	return err ? -1 : 0;
}

int hostdirs_unmount(struct session *s, const struct args *a, size_t count)
{
	int err = 0;

	while (count--)
		if (a->list[count].id == OPT_HOSTDIR)
			err |= unmount_one(s, a->list[count].value);
	return err;
}

int hostdirs_mount(struct session *s, const struct args *a)
{
	size_t i;

	for (i = 0; i < a->list_count; i++) {
		if (a->list[i].id != OPT_HOSTDIR ||
		    !mount_one(s, a->list[i].value))
			continue;
		hostdirs_unmount(s, a, i);
		return -1;
	}
	return 0;
}

struct sandbox_dir *hostdirs_list(const struct args *a)
{
	struct sandbox_dir *list;
	size_t count = 0;
	struct hostdir h;

	list = tool_alloc(NULL, (a->list_count + 1) * sizeof(*list));
	for (size_t i = 0; i < a->list_count; i++) {
		/* what is wrong is told later */
		if (a->list[i].id != OPT_HOSTDIR)
			continue;
		parse(a->list[i].value, &h);
		list[count].path = strdup(h.dir ?: "");
		if (!list[count].path)
			tool_no_memory();
		list[count++].readonly = h.readonly;
		free(h.text);
	}
	list[count].path = NULL;
	if (count)
		return list;
	free(list);
	return NULL;
}

void hostdirs_list_free(struct sandbox_dir *list)
{
	for (struct sandbox_dir *d = list; d && d->path; d++)
		free((char *)d->path);
	free(list);
}
