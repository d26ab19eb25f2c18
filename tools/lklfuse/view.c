// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the image looks to the host.
 */
#include <stdio.h>

#include "ops.h"

const struct lklfuse *view_lf;

static dev_t root_dev;

int view_start(const struct lklfuse *lf)
{
	struct stat st;
	int err = inode_stat(lf->img.root, &st);

	view_lf = lf;
	root_dev = st.st_dev;
	return err;
}

/* Inode numbers are unique within a subvolume only; st_dev tells which. */
ino_t view_mark(const struct stat *st)
{
	return (st->st_dev ^ root_dev) << 48;
}

void view_attr(struct stat *st)
{
	st->st_ino ^= view_mark(st);
	st->st_uid = owner_out(&view_lf->uids, st->st_uid);
	st->st_gid = owner_out(&view_lf->gids, st->st_gid);
}

const char *fd_name(char name[FD_NAME], int fd)
{
	snprintf(name, FD_NAME, "%d", fd);
	return name;
}

void reply_err(fuse_req_t req, long err)
{
	fuse_reply_err(req, -err);
}
