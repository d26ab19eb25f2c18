// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of a mounted image: each is a call or two of the library's
 * kernel, which has the last word on everything but permissions.
 *
 * The host's kernel checks permissions (in an ordinary user's private mount,
 * nobody does: see lklfuse(1)).  So a request runs with all capabilities here,
 * and takes on the caller's identity only for what depends on it: the owner of
 * a new file, its permissions under a umask or an ACL, and whether writing to a
 * program clears its set-user-ID bit.
 *
 * As no other program changes the image, the host's kernel may keep what it
 * knows: attributes, names (also that there is none), contents of files, links
 * and directories.  It is told not to report opens and closes of files where
 * they make no difference (op_open()): that halves the requests of reading a
 * small file.  Locks stay in the host's kernel for the same reason.
 *
 * FUSE's "writeback cache" is not used: it makes errors late, hides data from
 * SEEK_DATA, and makes the times of files the host's, for a gain only in writes
 * of a few bytes.
 */
#include <stdlib.h>
#include <string.h>

#include <lkl.h>

#include "host.h"
#include "ops.h"
#include "../common/kernel.h"
#include "../common/tool.h"

#define MAX_BACKGROUND 1024

static bool has_acls;

static void op_init(void *data, struct fuse_conn_info *conn)
{
	unsigned int want = FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_DONT_MASK |
			    FUSE_CAP_EXPLICIT_INVAL_DATA |
			    FUSE_CAP_EXPORT_SUPPORT;

	(void)data;
	if (view_lf->permissions && has_acls)
		want |= FUSE_CAP_POSIX_ACL;
	conn->want |= conn->capable & want;
	/* nothing else changes files; truncation comes as such */
	conn->want &= ~(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_ATOMIC_O_TRUNC);
	conn->time_gran = 1;
	/* queue nothing in the host's kernel: see drain() in supervisor.c */
	conn->max_background = MAX_BACKGROUND;
}

const struct fuse_lowlevel_ops lklfuse_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.readlink = op_readlink,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.symlink = op_symlink,
	.rename = op_rename,
	.link = op_link,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.fsync = op_fsync,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.releasedir = op_releasedir,
	.fsyncdir = op_fsyncdir,
	.statfs = op_statfs,
	.setxattr = op_setxattr,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.removexattr = op_removexattr,
	.create = op_create,
	.ioctl = op_ioctl,
	.fallocate = op_fallocate,
	.copy_file_range = op_copy_file_range,
	.lseek = op_lseek,
};

static bool is_one_of(const char *type, const char *const *types)
{
	while (*types && strcmp(type, *types))
		types++;
	return *types;
}

/*
 * Types whose handles are valid only while the file is in memory.  Nor does a
 * handle tell which of several file systems it is of.
 */
static bool has_lasting_handles(const struct image *img)
{
	static const char *const types[] = { "vfat", "msdos", NULL };

	return !img->inspect && !is_one_of(img->type, types);
}

/* Does a file system fold all names by what it is? */
static bool folds_all(const struct image *img)
{
	static const char *const types[] = { "vfat",  "msdos", "exfat",
					     "ntfs3", "hfs",   "hfsplus",
					     NULL };

	if (!img->inspect)
		return is_one_of(img->type, types);
	for (size_t n = 0; n < img->system.mount_count; n++) {
		if (is_one_of(img->system.mounts[n].source->found.type, types))
			return true;
	}
	return false;
}

/* What finds names that are spelled otherwise; the kernel says when mounting.
 */
static enum inode_folding folding(const struct image *img)
{
	enum inode_folding ret = FOLDS_NONE;
	char *log;

	if (img->readonly) /* names stay as they are */
		return FOLDS_NONE;
	if (folds_all(img))
		return FOLDS_ALL;
	log = kernel_log();
	if (strstr(log, "ASCII case-insensitiv"))
		ret = FOLDS_ALL;
	else if (strstr(log, "Using encoding"))
		ret = FOLDS_SOME;
	free(log);
	return ret;
}

int ops_start(const struct lklfuse *lf)
{
	int err = worker_start();
	char name[FD_NAME];

	if (!err)
		err = lkl_sys_chdir("/proc/self/fd");
	if (!err)
		err = view_start(lf);
	fd_name(name, lf->img.root);
	has_acls = lkl_sys_getxattr(name, "system.posix_acl_access", NULL, 0) !=
		   -LKL_EOPNOTSUPP;
	if (!err)
		err = inode_start(lf->img.root, has_lasting_handles(&lf->img),
				  folding(&lf->img));
	if (!err)
		err = host_start();
	if (err)
		tool_file_error("cannot open", lf->img.file, "/", err);
	return err ? -1 : 0;
}

void ops_end(void)
{
	host_end();
	inode_end();
}
