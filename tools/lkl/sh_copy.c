// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl sh: copies between the host and the image, and its files in an editor.
 *
 * The process with the image sends or receives the files in the image; this one
 * those of the host.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/copy.h"
#include "../common/progress.h"
#include "../common/tool.h"
#include "edit.h"
#include "shell.h"

/* ":/PATH" is in the image, all else on the host. */
static bool is_inside(const char *arg)
{
	return *arg == ':';
}

/* The path there: without one, the directory that others begin at. */
static char *inside(char *arg)
{
	return arg[1] ? arg + 1 : ".";
}

/* A stream to or from the other process, which gets its end with @m. */
static struct stream *new_stream(struct message *m, bool trusted)
{
	struct stream *s = stream_new_file(trusted, &m->fds[0]);

	if (!s)
		tool_no_memory();
	return s;
}

/* The descriptor is the other's now. */
static bool ask_stream(struct remote_image *r, struct message *m)
{
	bool ok = ask(r, m);

	close(m->fds[0]);
	return ok;
}

static int copy_to_image(struct remote_image *r, const struct image *img,
			 struct walk *walk, const char *target)
{
	struct message m = message_new(ASK_COPY_IN), name;
	bool no_dir = walk->count == 1 && copy_is_no_dir(walk);
	int status = TOOL_FAILED;
	struct stat st;

	if (!stat(img->file, &st)) {
		walk->skip_dev = st.st_dev;
		walk->skip_ino = st.st_ino;
	}
	m.number = (unsigned int)walk->count | (no_dir ? NO_DIR : 0);
	message_add_text(&m, target);
	walk->stream = new_stream(&m, true);
	if (ask_stream(r, &m) && answer(r, &name)) {
		status = name.status;
		if (name.what == TELL_TEXT && name.size <= NAME_MAX + 2) {
			walk->rename = name.size > 1 ? name.text : NULL;
			stream_to(walk->stream, r->ended);
			progress_count(walk);
			walk_run(walk);
			progress_end_count();
		}
		if (name.what == TELL_TEXT)
			status = answer_status(r, NULL);
		message_free(&name);
	}
	stream_free(walk->stream);
	return status;
}

static int copy_from_image(struct remote_image *r, const struct image *img,
			   struct walk *walk, char *target)
{
	struct sink sink = { .fs = fs_host(), .image = img };
	struct message m = message_new(ASK_COPY_OUT);
	int status = TOOL_FAILED;
	struct stream *stream;
	char *rename;

	if (copy_target(&sink, walk, target, &rename))
		return TOOL_FAILED;
	walk->rename = rename;
	sink.several = walk->count > 1;
	message_add_text(&m, rename ?: "");
	for (int i = 0; i < walk->count; i++)
		message_add_text(&m, walk->paths[i]);
	stream = new_stream(&m, false);
	copy_expect(stream, walk);
	if (ask_stream(r, &m)) {
		stream_from(stream, r->ended);
		progress_start(NULL);
		sink_run(&sink, NULL, NULL, stream);
		status = answer_status(r, NULL);
	}
	sink_close(&sink, false);
	stream_free(stream);
	free(rename);
	return status;
}

int sh_copy(struct remote_image *r, const struct verb *v,
	    const struct image *img, const struct args *a, char *const *words)
{
	struct walk walk = { .paths = a->operand, .count = a->count - 1 };
	char *target = a->operand[a->count - 1];
	bool from = is_inside(a->operand[0]);
	bool to = is_inside(target);
	mode_t mask;
	int status;

	for (int i = 0; i < walk.count; i++) {
		if (is_inside(a->operand[i]) != from)
			return args_bad("sources must all be :FS_PATH, or all "
					"files of the host");
	}
	if (!from && !to)
		return args_bad("no path is in the image, as :FS_PATH is");
	if (to && img->readonly) {
		tool_error("the image is read-only here");
		return TOOL_FAILED;
	}
	if (from && to)
		return ask_run(r, v, words, false, v->name);
	/* what is copied out has its own permissions */
	mask = umask(0);
	tool_forget_errors();
	if (to) {
		walk.fs = fs_host();
		status = copy_to_image(r, img, &walk, target + 1);
	} else {
		for (int i = 0; i < walk.count; i++)
			a->operand[i] = inside(a->operand[i]);
		target = strdup(target);
		if (!target)
			tool_no_memory();
		status = copy_from_image(r, img, &walk, target);
		free(target);
	}
	umask(mask);
	return status ?: tool_status();
}

/*
 * An editor.
 */
static int get_file(void *arg, struct edited *e)
{
	struct message m = message_new(ASK_GET);

	message_add_text(&m, e->path);
	message_add_text(&m, e->file);
	m.fds[0] = e->fd;
	return ask(arg, &m) && !answer_status(arg, NULL) ? 0 : -1;
}

static int put_file(void *arg, struct edited *e)
{
	struct message m = message_new(ASK_PUT);

	message_add_text(&m, e->path);
	message_add(&m, e->old, e->old_len);
	message_add(&m, e->new, e->new_len);
	m.number = e->old_len;
	return ask(arg, &m) && !answer_status(arg, NULL) ? 0 : -1;
}

int sh_edit(struct remote_image *r, const char *label, const struct args *a)
{
	const struct edit_way w = { get_file, put_file, r, label };

	return edit_all(&w, a);
}
