// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl diff - compare images, or an image with files of the host
 *
 * Each image is read by a confined process of its own, which sends it as a
 * stream; files of the host are sent by a thread.  This process compares the
 * streams.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "../common/confined.h"
#include "../common/remote.h"
#include "../common/tool.h"
#include "../common/walk.h"
#include "compare.h"
#include "path.h"
#include "run.h"

/* Exit statuses of diff(1). */
#define SAME 0
#define DIFFERENT 1
#define TROUBLE 2

/*
 * One of the trees.
 *
 * @img: the image, if it is in one, and
 * @in_image: whether it is
 * @path: where in that, or on the host
 * @label: how it is called
 * @walk: what is sent
 * @thread: sends files of the host
 * @status: what the process said that read the image
 */
struct side {
	struct image img;
	bool in_image;
	char *path;
	char *label;
	struct walk walk;
	pthread_t thread;
	int status;
};

/*
 * @order: in which they begin to be sent: images first, as a process that has
 *	threads is hard to copy
 * @next: which of these is next
 */
struct work {
	struct side side[2];
	int order[2];
	int next;
	struct compare compare;
};

static void cut_slashes(char *text)
{
	size_t len = strlen(text);

	while (len > 1 && text[len - 1] == '/')
		text[--len] = 0;
}

static bool take_host(struct side *t, char *text)
{
	struct stat st;

	t->label = text;
	if (stat(text, &st)) {
		tool_file_error("cannot open", NULL, text, -errno);
		return false;
	}
	cut_slashes(text);
	/* what a link leads to, if the user has named that */
	if (asprintf(&t->path, "%s%s", text, S_ISDIR(st.st_mode) ? "/." : "") <
	    0)
		tool_no_memory();
	return true;
}

/*
 * Take an operand apart.  Where one has a colon, what has none is of the host;
 * else only directories are.
 */
static bool take_operand(struct side *t, char *text, bool colons)
{
	size_t len = image_length(text);
	struct stat st;

	t->in_image = colons ? len || remote_is_uri(text)
			     : stat(text, &st) || !S_ISDIR(st.st_mode);
	if (!t->in_image)
		return take_host(t, text);
	t->path = strdup(len && text[len + 1] ? text + len + 1 : "/");
	if (!t->path)
		tool_no_memory();
	if (len)
		text[len] = 0;
	t->img.file = text;
	if (asprintf(&t->label, "%s:%s", text, t->path) < 0)
		tool_no_memory();
	cut_slashes(t->label);
	return true;
}

static void new_stream(struct work *w, int n)
{
	struct side *t = &w->side[n];

	if (t->walk.stream)
		stream_free(t->walk.stream);
	t->walk.stream = t->in_image ? stream_new_shared(false) : stream_new();
	if (!t->walk.stream)
		tool_no_memory();
	w->compare.side[n].stream = t->walk.stream;
}

/* Before a process is made that reads an image. */
static void prepare(void *arg)
{
	struct work *w = arg;

	new_stream(w, w->order[w->next]);
}

static int read_image(struct image *img, void *arg)
{
	struct work *w = arg;
	struct walk *walk = &w->side[w->order[w->next]].walk;

	walk->fs = img->fs;
	walk_run(walk);
	return tool_status();
}

static void send_next(struct work *w);

/* This process, while the other reads the image. */
static void meanwhile(int ended, void *arg)
{
	struct work *w = arg;
	struct stream *s = w->side[w->order[w->next]].walk.stream;

	stream_from(s, ended);
	w->next++;
	send_next(w);
	w->next--;
	stream_cancel(s);
}

static void send_host(struct work *w, int n)
{
	struct side *t = &w->side[n];
	int err;

	new_stream(w, n);
	t->walk.fs = fs_host();
	err = pthread_create(&t->thread, NULL, walk_run, &t->walk);
	if (err) {
		tool_error("cannot start a thread: %s", strerror(err));
		return;
	}
	w->next++;
	send_next(w);
	stream_cancel(t->walk.stream);
	pthread_join(t->thread, NULL);
}

/* Have the next tree sent; when all are, it is time to compare. */
static void send_next(struct work *w)
{
	struct confined c = {
		.apart = true,
		.run = read_image,
		.arg = w,
		.prepare = prepare,
		.meanwhile = meanwhile,
	};
	int n;

	if (w->next == 2) {
		compare_run(&w->compare);
		return;
	}
	n = w->order[w->next];
	if (!w->side[n].in_image) {
		send_host(w, n);
		return;
	}
	c.img = &w->side[n].img;
	w->side[n].status = confined_run(&c);
}

static void compare(struct work *w)
{
	for (int n = 0; n < 2; n++) {
		w->side[n].walk.paths = &w->side[n].path;
		w->side[n].walk.count = 1;
		w->side[n].walk.rename = ".";
		w->side[n].walk.apart = true;
		w->compare.side[n].path = w->side[n].label;
		w->order[n] = w->side[0].in_image ? n : 1 - n;
	}
	send_next(w);
	for (int n = 0; n < 2; n++) {
		if (w->side[n].walk.stream)
			stream_free(w->side[n].walk.stream);
	}
}

static int status_of(const struct work *w)
{
	if (tool_status() || w->compare.broken)
		return TROUBLE;
	for (int n = 0; n < 2; n++) {
		if (w->side[n].status)
			return TROUBLE;
	}
	return w->compare.differ ? DIFFERENT : SAME;
}

/* Options are of both images, but for those that say which they are of. */
static void set_images(struct work *w, struct image *img, const struct args *a)
{
	struct image *second = &w->side[1].img;
	const char *file = second->file, *first = w->side[0].img.file;

	*second = *img;
	second->file = file;
	second->disks = NULL;
	second->count = 0;
	key_copy(&second->key, &img->key);
	if (a->given[OPT_PARTITION2]) {
		optarg = (char *)a->value[OPT_PARTITION2];
		image_option(second, 'P');
	}
	if (a->given[OPT_LV2])
		second->lv = a->value[OPT_LV2];
	w->side[0].img = *img;
	w->side[0].img.file = first;
}

static void set_options(struct compare *c, const struct args *a)
{
	c->attributes = a->given[OPT_ATTRIBUTES];
	c->times = a->given[OPT_TIMES];
	c->same = a->given['s'];
	c->exclude = tool_alloc(NULL, (a->list_count + 1) * sizeof(char *));
	for (size_t i = 0; i < a->list_count; i++) {
		if (a->list[i].id == 'x')
			c->exclude[c->exclude_count++] = a->list[i].value;
	}
}

int diff_main(const struct verb *v, int argc, char **argv)
{
	struct image img = { .readonly = true };
	struct work w = { 0 };
	struct args a;
	int err = args_read(v, argc, argv, &img, &a);
	bool colons;

	if (err)
		return err < 0 ? TROUBLE : SAME;
	if (a.count < 2)
		return args_bad(a.count ? "missing operand after '%s'"
					: "missing operand",
				a.count ? a.operand[0] : "");
	if (a.count > 2)
		return args_bad("extra operand '%s'", a.operand[2]);
	colons = image_length(a.operand[0]) || image_length(a.operand[1]);
	for (int n = 0; n < 2; n++) {
		if (!take_operand(&w.side[n], a.operand[n], colons))
			return TROUBLE;
	}
	if (!w.side[0].in_image && !w.side[1].in_image)
		return args_bad("neither '%s' nor '%s' is an image",
				a.operand[0], a.operand[1]);
	/* which may be a pipe, that is read once */
	if (img.key.file && key_get(&img.key, w.side[0].img.file, "-K"))
		return TROUBLE;
	img.key.file = NULL;
	set_images(&w, &img, &a);
	set_options(&w.compare, &a);
	tool_mortal();
	output_begin(isatty(STDOUT_FILENO));
	compare(&w);
	return output_end() ? status_of(&w) : TROUBLE;
}
