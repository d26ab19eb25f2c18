// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts the files into the new file system, with the library's kernel.
 *
 * Where the result shall be the same each time, the kernel's clock is set back
 * for each file: so the times that it sets itself are those of
 * SOURCE_DATE_EPOCH, and nothing is decided by how long it took.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/image.h"
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

static int run(const struct plan *plan, struct origin *s, struct image *img,
	       struct amend *a)
{
	struct sink sink = {
		.fs = fs_image(plan->o->image, img->root),
		.target = "/",
		.replace = !s->is_dir,
		.layers = !s->is_dir && s->unpack.kind != UNPACK_TAR,
		/* file systems of hosts have holes in other places */
		.sparse = plan->o->epoch >= 0,
		.amend = amend,
		.arg = a,
	};
	struct stream *stream = stream_new();

	if (!stream)
		tool_no_memory();
	sink.base = sink.fs->resolve("/");
	if (sink.base < 0) {
		tool_file_error("cannot open", plan->o->image, "/", sink.base);
		return TOOL_FAILED;
	}
	/* only the kernel of an ext4 file system wants it */
	if (plan->o->format->packed)
		sink.fs->rmdir(sink.base, "lost+found");
	s->walk.stream = s->unpack.stream = stream;
	progress_start(s->is_dir ? &s->walk : NULL);
	if (s->is_dir)
		sink_run(&sink, walk_run, &s->walk, stream);
	else
		sink_run(&sink, unpack_run, &s->unpack, stream);
	sink_close(&sink, true);
	stream_free(stream);
	if (!sink.full && !tool_signal)
		owners_check(&a->owners);
	if (sink.full && !plan->o->size)
		tool_error("'%s' would be too small; --free makes it larger",
			   plan->o->image);
	return sink.full || tool_signal ? TOOL_FAILED : tool_status();
}

int fill(const struct plan *plan, struct origin *s)
{
	struct amend a = { .o = plan->o };
	char *options = mount_options(plan);
	struct image img = {
		.file = plan->file,
		.type = plan->format->mount_as,
		.options = *options ? options : NULL,
		.part = plan->part,
		.whole = !plan->part,
		.mem = plan->o->mem,
		.verbose = plan->o->verbose,
	};
	int status = TOOL_FAILED;

	if (!owners_read(&a.owners, plan->o->owners) && !image_mount(&img))
		status = run(plan, s, &img, &a);
	if (img.count && image_unmount(&img))
		status = TOOL_FAILED;
	owners_free(&a.owners);
	free(options);
	return status;
}
