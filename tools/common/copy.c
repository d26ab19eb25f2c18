// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies trees from one world to another: a walk into a sink.
 *
 * Each image is read or written by a confined process, which has the walk or
 * the sink; the other half is in this process, with the user's rights.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confined.h"
#include "copy.h"
#include "progress.h"
#include "tool.h"

bool copy_is_no_dir(const struct walk *walk)
{
	struct walk_path wp;
	struct stat st;
	int err = walk_split(walk->fs, walk->paths[0], &wp);

	if (!err)
		err = walk->fs->stat(wp.dir, wp.open, &st);
	walk_split_free(walk->fs, &wp);
	return !err && !S_ISDIR(st.st_mode);
}

int copy_target(struct sink *s, const struct walk *walk, char *target,
		char **rename)
{
	size_t len = strlen(target);
	bool slash = len && target[len - 1] == '/';
	struct walk_path wp;
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
	if (slash && walk->fs && copy_is_no_dir(walk)) {
		tool_file_error("cannot create regular file", s->fs->label,
				target, -ENOTDIR);
		return -1;
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

	if (copy_target(s, walk, target, &rename))
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

void copy_expect(struct stream *s, const struct walk *walk)
{
	if (walk->rename)
		stream_expect(s, walk->rename);
	for (int i = 0; i < walk->count && !walk->rename; i++) {
		char *name = walk_name(walk->paths[i]);

		stream_expect(s, name);
		free(name);
	}
}

/* Nothing has been sent in vain. */
static void new_stream(void *arg)
{
	struct walk *walk = ((struct out *)arg)->walk;

	if (walk->stream)
		stream_free(walk->stream);
	walk->stream = stream_new_shared(false);
	if (!walk->stream)
		tool_no_memory();
	copy_expect(walk->stream, walk);
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
		.run = img->no_sandbox || !confined_possible() ? read_and_write
							       : read_image,
		.arg = &o,
		.prepare = new_stream,
		.meanwhile = write_host,
	};
	int status = TOOL_FAILED;
	char *rename;

	if (copy_target(s, walk, target, &rename))
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

/*
 * What comes into an image.
 *
 * @produce: sends it
 * @arg: of that
 * @stream: where @produce finds the stream
 * @walk: what it sends, if it is walk_run()
 * @no_dir: which is a single source that is no directory
 * @ready: a pipe that tells it to begin, and by which name the only source goes
 */
struct in {
	struct image *img;
	struct sink *sink;
	void *(*produce)(void *);
	void *arg;
	struct stream **stream;
	struct walk *walk;
	bool no_dir;
	char *target;
	int ready[2];
};

/* Nothing has been sent in vain. */
static void begin_in(void *arg)
{
	struct in *in = arg;

	if (*in->stream)
		stream_free(*in->stream);
	*in->stream = stream_new_shared(true);
	if (in->ready[0] >= 0) {
		close(in->ready[0]);
		close(in->ready[1]);
	}
	if (!*in->stream || pipe2(in->ready, O_CLOEXEC))
		tool_no_memory();
}

int copy_in_target(struct sink *s, int count, bool no_dir, char *target,
		   char **rename)
{
	/* the host's files are seen in the other process only */
	struct walk unknown = { .count = count };
	char *given = strdup(target);
	int ret;

	if (!given)
		tool_no_memory();
	ret = copy_target(s, &unknown, target, rename);
	if (!ret && s->only_dir && no_dir) {
		tool_file_error("cannot create regular file", s->fs->label,
				given, -ENOTDIR);
		s->fs->close(s->base);
		free(*rename);
		ret = -1;
	}
	free(given);
	return ret;
}

/* Open what everything goes into; 0 or -1 when it has said why not. */
static int open_target(struct in *in, char **rename)
{
	struct sink *s = in->sink;

	*rename = NULL;
	s->fs = in->img->fs;
	if (in->walk)
		return copy_in_target(s, in->walk->count, in->no_dir,
				      in->target, rename);
	s->target = in->target;
	s->base = s->fs->resolve(s->target);
	if (s->base >= 0)
		return 0;
	tool_file_error("cannot open target directory", s->fs->label, s->target,
			s->base);
	return -1;
}

static void write_from(struct in *in, void *(*produce)(void *))
{
	sink_run(in->sink, produce, in->arg, *in->stream);
	/* writing back to the image may fail late, so always wait */
	sink_close(in->sink, true);
}

static int no_target(const struct in *in)
{
	return in->walk ? tool_status() : TOOL_FAILED;
}

/* The process that writes the image. */
static int write_image(struct image *img, void *arg)
{
	struct in *in = arg;
	char *rename;

	(void)img;
	if (open_target(in, &rename))
		return no_target(in);
	progress_start(NULL);
	/* the other has died if this fails, and nothing comes */
	if (write(in->ready[1], rename ?: "", rename ? strlen(rename) + 1 : 1) >
	    0)
		write_from(in, NULL);
	free(rename);
	return tool_status();
}

/* And the one that sends. */
static void send_host(int ended, void *arg)
{
	struct in *in = arg;
	/* one that is longer than that is too long all the same */
	static char name[NAME_MAX + 2];
	ssize_t n = 0;

	close(in->ready[1]);
	in->ready[1] = -1;
	if (tool_wait_input(in->ready[0]))
		n = read(in->ready[0], name, sizeof(name) - 1);
	if (n <= 0)
		return;
	if (in->walk) {
		in->walk->rename = *name ? name : NULL;
		progress_count(in->walk);
	}
	stream_to(*in->stream, ended);
	in->produce(in->arg);
}

/* Both in one process. */
static int send_and_write(struct image *img, void *arg)
{
	struct in *in = arg;
	char *rename;

	(void)img;
	*in->stream = stream_new();
	if (!*in->stream)
		tool_no_memory();
	if (open_target(in, &rename))
		return no_target(in);
	if (in->walk)
		in->walk->rename = rename;
	progress_start(in->walk);
	write_from(in, in->produce);
	free(rename);
	return tool_status();
}

static int run_in(struct in *in)
{
	struct confined c = {
		.img = in->img,
		.run = in->img->no_sandbox || !confined_possible()
			       ? send_and_write
			       : write_image,
		.arg = in,
		.prepare = begin_in,
		.meanwhile = send_host,
	};
	int status;

	in->ready[0] = in->ready[1] = -1;
	progress_prepare();
	status = confined_run(&c);
	progress_end_count();
	if (*in->stream)
		stream_free(*in->stream);
	/* what went wrong here */
	return status == TOOL_OK ? tool_status() : status;
}

int copy_in(struct image *img, struct sink *s, struct walk *walk, char *target)
{
	struct in in = {
		.img = img,
		.sink = s,
		.produce = walk_run,
		.arg = walk,
		.stream = &walk->stream,
		.walk = walk,
		.target = target,
	};
	struct stat st;

	if (!stat(img->file, &st)) {
		walk->skip_dev = st.st_dev;
		walk->skip_ino = st.st_ino;
	}
	walk->fs = fs_host();
	s->several = walk->count > 1;
	in.no_dir = walk->count == 1 && copy_is_no_dir(walk);
	return run_in(&in);
}

int copy_stream(struct image *img, struct sink *s, void *(*produce)(void *),
		void *arg, struct stream **stream, char *target)
{
	struct in in = {
		.img = img,
		.sink = s,
		.produce = produce,
		.arg = arg,
		.stream = stream,
		.target = target,
	};

	return run_in(&in);
}
