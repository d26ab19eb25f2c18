// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies trees from one world to another: a walk into a sink.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "copy.h"
#include "progress.h"
#include "tool.h"

/*
 * Find where to put things: into the target if it is a directory, else in its
 * place.  *@rename becomes the name the only source then gets.
 */
static int find_target(struct sink *s, const struct walk *walk, char *target,
		       char **rename)
{
	size_t len = strlen(target);
	bool slash = len && target[len - 1] == '/';
	struct walk_path wp;
	struct stat st;
	int err;

	*rename = NULL;
	s->target = target;
	s->base = s->fs->resolve(target);
	if (s->base >= 0)
		return 0;
	err = s->base;
	if (walk->count > 1 || (err != -ENOENT && err != -ENOTDIR)) {
		tool_file_error("cannot open target directory", s->fs->label,
				target, err);
		return -1;
	}
	if (slash) {
		err = walk_split(walk->fs, walk->paths[0], &wp);
		if (!err)
			err = walk->fs->stat(wp.dir, wp.open, &st);
		walk_split_free(walk->fs, &wp);
		if (!err && !S_ISDIR(st.st_mode)) {
			tool_file_error("cannot create regular file",
					s->fs->label, target, -ENOTDIR);
			return -1;
		}
	}
	while (len && target[len - 1] == '/')
		target[--len] = 0;
	err = walk_split(s->fs, target, &wp);
	if (err) {
		tool_file_error("cannot create", s->fs->label, target, err);
		walk_split_free(s->fs, &wp);
		return -1;
	}
	s->base = wp.dir;
	s->renamed = true;
	*rename = wp.name;
	wp.dir = -1;
	wp.name = NULL;
	walk_split_free(s->fs, &wp);
	return 0;
}

void copy_run(struct sink *s, struct walk *walk, char *target, bool sync)
{
	char *rename;

	if (find_target(s, walk, target, &rename))
		return;
	walk->rename = rename;
	walk->stream = stream_new();
	if (!walk->stream)
		tool_no_memory();
	s->several = walk->count > 1;
	progress_start(walk);
	sink_run(s, walk_run, walk, walk->stream);
	sink_close(s, sync);
	stream_free(walk->stream);
	free(rename);
}
