// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that concern extended attributes.
 */
#include <string.h>

#include <lkl.h>

#include "ops.h"

#define MAX_XATTR 65536

static bool is_acl(const char *name)
{
	return !strncmp(name, "system.posix_acl_", 17);
}

/* Only root sees "trusted" attributes, as only root can read them. */
static size_t hide_trusted(char *list, size_t size)
{
	char *to = list;
	size_t len;

	for (char *from = list; from < list + size; from += len) {
		len = strlen(from) + 1;
		if (!strncmp(from, "trusted.", 8))
			continue;
		memmove(to, from, len);
		to += len;
	}
	return to - list;
}

/* The list of attributes, or the value of @attr; 0 as size asks for theirs. */
static void get_attrs(fuse_req_t req, fuse_ino_t ino, const char *attr,
		      size_t size)
{
	int fd = inode_open(ino, INODE_NAME);
	struct worker *w = worker();
	long n = fd < 0 ? fd : w ? 0 : -LKL_ENOMEM;
	char name[FD_NAME];

	if (size > MAX_XATTR)
		size = MAX_XATTR;
	if (!n) {
		fd_name(name, fd);
		n = attr ? lkl_sys_getxattr(name, attr, w->buf, size)
			 : lkl_sys_listxattr(name, w->buf, size);
	}
	if (fd >= 0)
		inode_close(ino);
	if (n < 0) {
		reply_err(req, n);
	} else if (!size) {
		fuse_reply_xattr(req, n);
	} else {
		if (attr && is_acl(attr))
			owner_acl(view_lf, w->buf, n, owner_out);
		/* also in a private mount: it is the host that refuses them */
		if (!attr && fuse_req_ctx(req)->uid)
			n = hide_trusted(w->buf, n);
		fuse_reply_buf(req, w->buf, n);
	}
}

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *attr, size_t size)
{
	get_attrs(req, ino, attr, size);
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	get_attrs(req, ino, NULL, size);
}

void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *attr,
		 const char *value, size_t size, int flags)
{
	int fd = inode_open(ino, INODE_NAME);
	struct worker *w = worker();
	int err = fd < 0	     ? fd
		  : !w		     ? -LKL_ENOMEM
		  : size > MAX_XATTR ? -LKL_E2BIG
				     : 0;
	struct stat st;
	char name[FD_NAME];

	if (!err) {
		memcpy(w->buf, value, size);
		if (is_acl(attr))
			owner_acl(view_lf, w->buf, size, owner_in);
		become_caller(w, req);
		/* an ACL sets permissions */
		if (is_acl(attr) && !is_root(req) && !inode_stat(fd, &st))
			become_member(w, req, st.st_gid);
		err = lkl_sys_setxattr(fd_name(name, fd), attr, w->buf, size,
				       flags);
	}
	if (fd >= 0)
		inode_close(ino);
	reply_err(req, err);
}

void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *attr)
{
	int fd = inode_open(ino, INODE_NAME);
	int err = fd;
	char name[FD_NAME];

	if (fd >= 0) {
		err = lkl_sys_removexattr(fd_name(name, fd), attr);
		inode_close(ino);
	}
	reply_err(req, err);
}
