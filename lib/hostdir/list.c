// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listing directories of a host directory.
 *
 * What the host returns is kept with the handle, as the kernel asks for less at
 * a time.  With READDIRPLUS each name comes with its attributes, which saves
 * the kernel a request for each.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <unistd.h>

#include <lkl/asm/errno.h>
#include "hostdir.h"

#define ENTRIES 32768

HANDLER(opendir)
{
	struct lkl_fuse_open_out *out = (void *)r->reply;
	struct statx stx;
	int fd;

	fd = nodes_open(r->h, r->hdr.nodeid, O_RDONLY | O_DIRECTORY, &stx);
	if (fd < 0)
		return fd;
	*out = (struct lkl_fuse_open_out){
		.fh = handles_add(r->h, r->hdr.nodeid, fd),
	};
	return out->fh ? (long)sizeof(*out) : -LKL_ENOMEM;
}

/* Have the next entry in @entries; false at the end, or after an error. */
static bool fetch(struct handle *handle, int *err)
{
	ssize_t n;

	if (handle->pos < handle->len)
		return true;
	n = getdents64(handle->fd, handle->entries, ENTRIES);
	*err = n < 0 ? -errno : 0;
	handle->pos = 0;
	handle->len = n > 0 ? n : 0;
	return n > 0;
}

static bool seek(struct handle *handle, int64_t offset)
{
	if (!handle->entries)
		handle->entries = malloc(ENTRIES);
	if (!handle->entries)
		return false;
	if (handle->offset == offset)
		return true;
	handle->pos = handle->len = 0;
	handle->offset = offset;
	return lseek(handle->fd, offset, SEEK_SET) >= 0;
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static void put_entry(struct lkl_fuse_dirent *to, const struct dirent64 *de)
{
	to->ino = de->d_ino;
	to->off = de->d_off;
	to->namelen = strlen(de->d_name);
	to->type = de->d_type;
	memcpy(to->name, de->d_name, to->namelen);
	memset(to->name + to->namelen, 0,
	       LKL_FUSE_DIRENT_SIZE(to) - LKL_FUSE_NAME_OFFSET - to->namelen);
}

/* One without a node says only that there is the name. */
static void put_plus(struct request *r, struct handle *handle,
		     struct lkl_fuse_entry_out *to, const struct dirent64 *de)
{
	struct statx stx;

	memset(to, 0, sizeof(*to));
	if (is_dots(de->d_name) || nodes_stat(handle->fd, de->d_name, &stx))
		return;
	if (attr_entry(r->h, r->hdr.nodeid, de->d_name, &stx, to))
		to->nodeid = 0;
}

static long list(struct request *r, struct handle *handle, bool plus)
{
	const struct lkl_fuse_read_in *in = (void *)r->args;
	size_t header = plus ? sizeof(struct lkl_fuse_entry_out) : 0;
	size_t room = in->size < MAX_REPLY ? in->size : MAX_REPLY;
	size_t len = 0;
	int err = 0;

	if (room > r->room)
		room = r->room;
	if (!seek(handle, in->offset))
		return handle->entries ? -errno : -LKL_ENOMEM;
	while (fetch(handle, &err)) {
		const struct dirent64 *de =
			(void *)(handle->entries + handle->pos);
		struct lkl_fuse_dirent *to = (void *)(r->reply + len + header);
		size_t size = LKL_FUSE_DIRENT_ALIGN(
			header + LKL_FUSE_NAME_OFFSET + strlen(de->d_name));

		if (size > room - len)
			break;
		if (plus)
			put_plus(r, handle, (void *)(r->reply + len), de);
		put_entry(to, de);
		len += size;
		handle->pos += de->d_reclen;
		handle->offset = de->d_off;
	}
	return len ? (long)len : err;
}

static long list_handle(struct request *r, bool plus)
{
	const struct lkl_fuse_read_in *in = (void *)r->args;
	struct handle *handle = handles_get(r->h, in->fh);
	long ret;

	if (!handle)
		return -LKL_EBADF;
	lock(&handle->lock);
	ret = list(r, handle, plus);
	unlock(&handle->lock);
	handles_put(r->h, handle);
	return ret;
}

HANDLER(readdir)
{
	return list_handle(r, false);
}

HANDLER(readdirplus)
{
	return list_handle(r, true);
}
