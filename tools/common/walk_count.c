// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts what a walk will send, while it does so.
 */
#include <stddef.h>

#include "walk.h"

#define MAX_COUNT_DEPTH 2000

/* Only for an estimate, so very deep trees need not be counted to the end. */
static void count(const struct walk_counter *c, int dir, const char *name,
		  unsigned int depth)
{
	const struct fs *fs = c->walk->fs;
	struct walk_total *total = c->total;
	struct walk_names names;
	struct stat st;
	int fd;

	if (total->stop || fs->stat(dir, name, &st))
		return;
	total->files++;
	/* every one of its names will come along, presumably */
	if (S_ISREG(st.st_mode))
		total->bytes += st.st_size / st.st_nlink;
	if (!S_ISDIR(st.st_mode) || depth == MAX_COUNT_DEPTH)
		return;
	fd = fs->open_dir(dir, name);
	if (fd < 0)
		return;
	walk_names(fs, fd, &names);
	for (size_t i = 0; i < names.count; i++)
		count(c, fd, names.list[i] + 1, depth + 1);
	walk_names_free(&names);
	fs->close(fd);
}

void *walk_count(void *arg)
{
	const struct walk_counter *c = arg;
	const struct walk *walk = c->walk;
	struct walk_path wp;

	for (int i = 0; i < walk->count; i++) {
		if (!walk_split(walk->fs, walk->paths[i], &wp))
			count(c, wp.dir, wp.open, 0);
		walk_split_free(walk->fs, &wp);
	}
	c->total->done = true;
	return NULL;
}
