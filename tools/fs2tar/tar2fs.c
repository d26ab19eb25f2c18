// SPDX-License-Identifier: GPL-2.0-only
/*
 * tar2fs: an archive, or the layers of an OCI image, into an image.
 */
#include "../archive/unpack.h"
#include "../common/copy.h"
#include "fs2tar.h"

int tar2fs(struct options *opt)
{
	struct labels labels = { 0 };
	struct unpack u = {
		.name = opt->archive,
		.kind = opt->kind,
		.ref = opt->ref,
		.fixed_time = opt->fixed_time,
		.time = opt->time,
		.labels = &labels,
	};
	struct sink sink = {
		.replace = true,
		.layers = opt->kind != UNPACK_TAR,
		.follow = opt->follow,
		.uids = opt->uids,
		.gids = opt->gids,
	};
	int status = TOOL_FAILED;

	if (opt->labels && labels_read(&labels, opt->labels))
		goto out;
	if (u.kind == UNPACK_TAR && unpack_is_oci(opt->archive)) {
		u.kind = UNPACK_OCI;
		sink.layers = true;
	}
	if (unpack_open(&u))
		goto out;
	if (u.kind == UNPACK_TAR && !u.reader.entry) {
		status = TOOL_OK;
		goto out;
	}
	status = copy_stream(&opt->img, &sink, unpack_run, &u, &u.stream,
			     opt->count ? opt->paths[0] : "/");
out:
	unpack_close(&u);
	labels_free(&labels);
	return status;
}
