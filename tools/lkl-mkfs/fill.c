// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts the files into the new file system, with the library's kernel, which a
 * confined process has: the files may be anybody's.
 *
 * Where the result shall be the same each time, the kernel's clock is set back
 * for each file: so the times that it sets itself are those of
 * SOURCE_DATE_EPOCH, and nothing is decided by how long it took.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/confined.h"
#include "../common/progress.h"
#include "../common/sink.h"
#include "mkfs.h"

#define CLOCK_REAL 0

struct amend {
	const struct options *o;
	struct owners owners;
};

/* What the command line says about a file. */
static void amend(void *arg, const char *path, struct stat *st)
{
	struct amend *a = arg;
	const struct options *o = a->o;
	struct __lkl__kernel_timespec now = { .tv_sec = o->epoch };

	st->st_uid = idmap_get(&o->uids, st->st_uid);
	st->st_gid = idmap_get(&o->gids, st->st_gid);
	owners_set(&a->owners, path, st);
	if (o->epoch < 0)
		return;
	lkl_sys_clock_settime(CLOCK_REAL, &now);
	if (st->st_mtim.tv_sec >= o->epoch)
		st->st_mtim = (struct timespec){ .tv_sec = o->epoch };
	/* that something was read is no part of it */
	st->st_atim = st->st_mtim;
}

static char *mount_options(const struct plan *plan)
{
	const struct format *f = plan->format;
	const char *same = plan->o->epoch >= 0 ? f->mount_same : NULL;
	char *text;

	if (asprintf(&text, "%s%s%s", f->mount ?: "",
		     same && f->mount ? "," : "", same ?: "") < 0)
		tool_no_memory();
	return text;
}

/* What both processes know. */
struct work {
	const struct plan *plan;
	struct origin *s;
	struct amend amend;
	struct stream *stream;
};

/* The process with the kernel. */
static int write_files(struct image *img, void *arg)
{
	struct work *w = arg;
	const struct plan *plan = w->plan;
	const struct origin *s = w->s;
	struct sink sink = {
		.fs = fs_image(plan->o->image, img->root),
		.target = "/",
		.replace = !s->is_dir,
		.layers = !s->is_dir && s->unpack.kind != UNPACK_TAR,
		/* file systems of hosts have holes in other places */
		.sparse = plan->o->epoch >= 0,
		.amend = amend,
		.arg = &w->amend,
	};

	sink.base = sink.fs->resolve("/");
	if (sink.base < 0) {
		tool_file_error("cannot open", plan->o->image, "/", sink.base);
		return TOOL_FAILED;
	}
	/* only the kernel of an ext4 file system wants it */
	if (plan->o->format->packed)
		sink.fs->rmdir(sink.base, "lost+found");
	progress_start(NULL);
	sink_run(&sink, NULL, NULL, w->stream);
	sink_close(&sink, true);
	if (!sink.full && !tool_signal)
		owners_check(&w->amend.owners);
	if (sink.full && !plan->o->size)
		tool_error("'%s' would be too small; --free makes it larger",
			   plan->o->image);
	return sink.full || tool_signal ? TOOL_FAILED : tool_status();
}

/* And the one with the source. */
static void send_files(int ended, void *arg)
{
	struct work *w = arg;
	struct origin *s = w->s;

	stream_to(w->stream, ended);
	if (s->is_dir) {
		progress_count(&s->walk);
		walk_run(&s->walk);
		progress_end_count();
	} else {
		unpack_run(&s->unpack);
	}
}

int fill(const struct plan *plan, struct origin *s)
{
	struct work w = { plan, s, { .o = plan->o }, stream_new_shared(true) };
	char *options = mount_options(plan);
	struct image img = {
		.file = plan->file,
		.type = plan->format->mount_as,
		.options = *options ? options : NULL,
		.part = plan->part,
		.whole = !plan->part,
		.mem = plan->o->mem,
		.verbose = plan->o->verbose,
		.no_sandbox = plan->o->no_sandbox,
	};
	struct confined c = {
		.img = &img,
		.run = write_files,
		.arg = &w,
		.apart = true,
		.meanwhile = send_files,
	};
	int status = TOOL_FAILED;

	if (!w.stream)
		tool_no_memory();
	s->walk.stream = s->unpack.stream = w.stream;
	progress_prepare();
	if (!owners_read(&w.amend.owners, plan->o->owners))
		status = confined_run(&c);
	/* what went wrong here */
	if (status == TOOL_OK)
		status = tool_status();
	stream_free(w.stream);
	owners_free(&w.amend.owners);
	free(options);
	return status;
}
