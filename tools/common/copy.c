// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies trees from one world to another: a walk into a sink.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "confined.h"
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
	s->only_dir = slash && !walk->fs;
	if (slash && walk->fs) {
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

/* What both processes know. */
struct out {
	struct image *img;
	struct sink *sink;
	struct walk *walk;
};

/* Nothing has been sent in vain. */
static void new_stream(void *arg)
{
	struct walk *walk = ((struct out *)arg)->walk;

	if (walk->stream)
		stream_free(walk->stream);
	walk->stream = stream_new_shared();
	if (!walk->stream)
		tool_no_memory();
}

/* The process that reads the image. */
static int read_image(struct image *img, void *arg)
{
	struct out *o = arg;

	o->walk->fs = img->fs;
	progress_count(o->walk);
	walk_run(o->walk);
	progress_end_count();
	return tool_status();
}

/* And the one that writes what comes. */
static void write_host(int ended, void *arg)
{
	struct out *o = arg;

	stream_from(o->walk->stream, ended);
	progress_start(NULL);
	sink_run(o->sink, NULL, NULL, o->walk->stream);
}

/* Both in one process. */
static int read_and_write(struct image *img, void *arg)
{
	struct out *o = arg;

	stream_free(o->walk->stream);
	o->walk->stream = stream_new();
	if (!o->walk->stream)
		tool_no_memory();
	o->walk->fs = img->fs;
	progress_start(o->walk);
	sink_run(o->sink, walk_run, o->walk, o->walk->stream);
	return tool_status();
}

int copy_out(struct image *img, struct sink *s, struct walk *walk, char *target)
{
	struct out o = { img, s, walk };
	struct confined c = {
		.img = img,
		.run = img->no_sandbox ? read_and_write : read_image,
		.arg = &o,
		.prepare = new_stream,
		.meanwhile = write_host,
	};
	int status = TOOL_FAILED;
	char *rename;

	if (find_target(s, walk, target, &rename))
		return TOOL_FAILED;
	walk->rename = rename;
	s->several = walk->count > 1;
	new_stream(&o);
	progress_prepare();
	status = confined_run(&c);
	sink_close(s, img->sync);
	/* what went wrong here */
	if (status == TOOL_OK)
		status = tool_status();
	stream_free(walk->stream);
	free(rename);
	return status;
}
