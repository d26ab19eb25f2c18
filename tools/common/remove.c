// SPDX-License-Identifier: GPL-2.0-only
/*
 * Removes trees of files.
 *
 * A directory is open for each level, and each holds the names that are left in
 * it, so neither depth nor length of a path is limited but by descriptors.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "remove.h"
#include "tool.h"
#include "walk.h"

/*
 * @fd: the directory
 * @names: what was in it
 * @next: which of them comes next
 */
struct level {
	int fd;
	struct walk_names names;
	size_t next;
};

struct remover {
	const struct fs *fs;
	struct level *stack;
	size_t depth, size;
};

static int push(struct remover *r, int fd)
{
	struct level *l;

	if (r->depth == r->size) {
		r->size = r->size ? 2 * r->size : 16;
		r->stack = tool_alloc(r->stack, r->size * sizeof(*l));
	}
	l = &r->stack[r->depth++];
	*l = (struct level){ .fd = fd };
	return walk_names(r->fs, fd, &l->names);
}

static void pop(struct remover *r)
{
	struct level *l = &r->stack[--r->depth];

	walk_names_free(&l->names);
	r->fs->close(l->fd);
}

/* Remove what is below, then above. */
static int drain(struct remover *r)
{
	int err = 0;

	while (!err && r->depth) {
		struct level *l = &r->stack[r->depth - 1];
		const char *name;
		int fd;

		if (l->next == l->names.count) {
			pop(r);
			if (!r->depth)
				break;
			l = &r->stack[r->depth - 1];
			name = l->names.list[l->next++] + 1;
			err = r->fs->rmdir(l->fd, name);
			continue;
		}
		name = l->names.list[l->next] + 1;
		err = r->fs->unlink(l->fd, name);
		if (err != -EISDIR) {
			l->next++;
			continue;
		}
		err = fd = r->fs->open_dir(l->fd, name);
		if (fd >= 0)
			err = push(r, fd);
	}
	while (r->depth)
		pop(r);
	free(r->stack);
	return err;
}

int remove_content(const struct fs *fs, int dir)
{
	struct remover r = { .fs = fs };
	int fd = fs->open_dir(dir, "."), err;

	if (fd < 0)
		return fd;
	err = push(&r, fd);
	return drain(&r) ?: err;
}

int remove_tree(const struct fs *fs, int dir, const char *name)
{
	int err = fs->unlink(dir, name), fd;

	if (err != -EISDIR)
		return err;
	err = fd = fs->open_dir(dir, name);
	if (fd >= 0) {
		err = remove_content(fs, fd);
		fs->close(fd);
	}
	return err < 0 ? err : fs->rmdir(dir, name);
}
