// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extended attributes of files in a host directory.
 *
 * The descriptor of a file that was only looked up is no use for them, but
 * leads to the file by way of /proc, past its name.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include <lkl/asm/errno.h>
#include "hostdir.h"

/* Where the file of the node is in /proc; 0 or a negative error number. */
static int take(struct request *r, char path[32], int *fd,
		struct handle **handle)
{
	*fd = handles_take(r->h, r->hdr.nodeid, handle);
	if (*fd < 0)
		return *fd;
	snprintf(path, 32, "/proc/self/fd/%d", *fd);
	return 0;
}

/* A host that has no /proc here has no attributes either. */
static long result(long ret)
{
	if (ret >= 0)
		return ret;
	return errno == ENOENT ? -LKL_EOPNOTSUPP : -errno;
}

HANDLER(setxattr)
{
	/* what the kernel sends unless it was told to send more */
	const size_t size = LKL_FUSE_COMPAT_SETXATTR_IN_SIZE;
	const struct lkl_fuse_setxattr_in *in = (void *)r->args;
	const char *name = r->args + size;
	size_t value = size + strnlen(name, r->len - size) + 1;
	struct handle *handle;
	char path[32];
	long ret;
	int fd;

	if (value > r->len || in->size > r->len - value)
		return -LKL_EINVAL;
	ret = take(r, path, &fd, &handle);
	if (ret)
		return ret;
	ret = result(
		setxattr(path, name, r->args + value, in->size, in->flags));
	handles_drop(r->h, fd, handle);
	return ret;
}

/* What was asked for is the size only, if there is no room for more. */
static long reply(struct request *r, uint32_t room, long ret)
{
	struct lkl_fuse_getxattr_out *out = (void *)r->reply;

	if (ret < 0 || room)
		return ret;
	*out = (struct lkl_fuse_getxattr_out){ .size = ret };
	return sizeof(*out);
}

static uint32_t room_of(const struct lkl_fuse_getxattr_in *in)
{
	return in->size < MAX_REPLY ? in->size : MAX_REPLY;
}

HANDLER(getxattr)
{
	const struct lkl_fuse_getxattr_in *in = (void *)r->args;
	uint32_t room = room_of(in);
	struct handle *handle;
	char path[32];
	long ret;
	int fd;

	ret = take(r, path, &fd, &handle);
	if (ret)
		return ret;
	ret = result(getxattr(path, r->args + sizeof(*in), r->reply, room));
	handles_drop(r->h, fd, handle);
	return reply(r, room, ret);
}

HANDLER(listxattr)
{
	uint32_t room = room_of((void *)r->args);
	struct handle *handle;
	char path[32];
	long ret;
	int fd;

	ret = take(r, path, &fd, &handle);
	if (ret)
		return ret;
	ret = result(listxattr(path, r->reply, room));
	handles_drop(r->h, fd, handle);
	return reply(r, room, ret);
}

HANDLER(removexattr)
{
	struct handle *handle;
	char path[32];
	long ret;
	int fd;

	ret = take(r, path, &fd, &handle);
	if (ret)
		return ret;
	ret = result(removexattr(path, r->args));
	handles_drop(r->h, fd, handle);
	return ret;
}
