// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of an image mounted in the library's kernel.
 */
#include <errno.h>
#include <limits.h>
#include <lkl.h>
#include <stdio.h>

#include <lkl/linux/fs.h>
#include <lkl/linux/magic.h>

#include "fs.h"

const char *fs_proc_path(char *buf, int dir, const char *name)
{
	int len = snprintf(buf, PATH_MAX, "/proc/self/fd/%d/%s", dir, name);

	return len < PATH_MAX ? buf : NULL;
}

/* Where the image is mounted; paths of the user's never lead out of it. */
static int image_root;

static int image_resolve(const char *path)
{
	struct lkl_open_how how = {
		.flags = LKL_O_PATH | LKL_O_DIRECTORY,
		.resolve = LKL_RESOLVE_IN_ROOT,
	};

	return lkl_sys_openat2(image_root, path, &how, sizeof(how));
}

static int image_beneath(int dir, const char *path)
{
	struct lkl_open_how how = {
		.flags = LKL_O_PATH | LKL_O_DIRECTORY,
		.resolve = LKL_RESOLVE_BENEATH | LKL_RESOLVE_NO_SYMLINKS,
	};

	return lkl_sys_openat2(dir, path, &how, sizeof(how));
}

static int image_open_path(int dir, const char *name)
{
	return lkl_sys_openat(dir, name, LKL_O_PATH | LKL_O_NOFOLLOW, 0);
}

static int image_stat(int dir, const char *name, struct stat *st);

static int image_open_parent(int dir)
{
	struct stat here, root;
	int err = image_stat(dir, "", &here)
			  ?: image_stat(image_root, "", &root);

	if (err)
		return err;
	if (here.st_dev == root.st_dev && here.st_ino == root.st_ino)
		return image_open_path(image_root, ".");
	return image_open_path(dir, "..");
}

/* The kernel exports no names for these: exfat, ntfs3, hfs and hfsplus. */
static bool image_folds(int dir)
{
	struct lkl_statfs st;
	int fd, flags = 0;

	if (lkl_sys_fstatfs(dir, &st))
		return true;
	switch (st.f_type) {
	case LKL_MSDOS_SUPER_MAGIC:
	case 0x2011bab0:
	case 0x7366746e:
	case 0x4244:
	case 0x482b:
		return true;
	}
	fd = lkl_sys_openat(dir, ".", LKL_O_RDONLY | LKL_O_DIRECTORY, 0);
	if (fd < 0)
		return false;
	lkl_sys_ioctl(fd, LKL_FS_IOC_GETFLAGS, (lkl_ulong_t)&flags);
	lkl_sys_close(fd);
	return flags & LKL_FS_CASEFOLD_FL;
}

static bool image_no_inodes(int dir)
{
	struct lkl_statfs st;

	return !lkl_sys_fstatfs(dir, &st) && st.f_files && !st.f_ffree &&
	       st.f_bavail;
}

static int image_open_dir(int dir, const char *name)
{
	return lkl_sys_openat(
		dir, name, LKL_O_RDONLY | LKL_O_DIRECTORY | LKL_O_NOFOLLOW, 0);
}

static int image_open_file(int dir, const char *name)
{
	return lkl_sys_openat(
		dir, name, LKL_O_RDONLY | LKL_O_NOFOLLOW | LKL_O_NONBLOCK, 0);
}

static int image_create(int dir, const char *name, mode_t mode)
{
	return lkl_sys_openat(dir, name,
			      LKL_O_WRONLY | LKL_O_CREAT | LKL_O_EXCL, mode);
}

static int image_close(int fd)
{
	return lkl_sys_close(fd);
}

static int image_stat(int dir, const char *name, struct stat *st)
{
	struct lkl_stat ls;
	int ret;

	if (*name)
		ret = lkl_sys_newfstatat(dir, name, &ls,
					 LKL_AT_SYMLINK_NOFOLLOW);
	else
		ret = lkl_sys_fstat(dir, &ls);
	if (ret)
		return ret;
	*st = (struct stat){
		.st_dev = ls.st_dev,
		.st_ino = ls.st_ino,
		.st_mode = ls.st_mode,
		.st_nlink = ls.st_nlink,
		.st_uid = ls.st_uid,
		.st_gid = ls.st_gid,
		.st_rdev = ls.st_rdev,
		.st_size = ls.st_size,
		.st_blksize = ls.st_blksize,
		.st_blocks = ls.st_blocks,
		.st_atim = { ls.lkl_st_atime, ls.st_atime_nsec },
		.st_mtim = { ls.lkl_st_mtime, ls.st_mtime_nsec },
		.st_ctim = { ls.lkl_st_ctime, ls.st_ctime_nsec },
	};
	return 0;
}

static long image_getdents(int fd, void *buf, size_t size)
{
	return lkl_sys_getdents64(fd, buf, size);
}

static long image_pread(int fd, void *buf, size_t size, off_t off)
{
	return lkl_sys_pread64(fd, buf, size, off);
}

static long image_pwrite(int fd, const void *buf, size_t size, off_t off)
{
	return lkl_sys_pwrite64(fd, buf, size, off);
}

static off_t image_seek(int fd, off_t off, int whence)
{
	return lkl_sys_lseek(fd, off, whence);
}

static int image_truncate(int fd, off_t size)
{
	return lkl_sys_ftruncate(fd, size);
}

static long image_readlink(int dir, const char *name, char *buf, size_t size)
{
	return lkl_sys_readlinkat(dir, name, buf, size);
}

static int image_symlink(const char *target, int dir, const char *name)
{
	return lkl_sys_symlinkat(target, dir, name);
}

static int image_link(int from_dir, const char *from, int dir, const char *name)
{
	return lkl_sys_linkat(from_dir, from, dir, name, 0);
}

static int image_mkdir(int dir, const char *name, mode_t mode)
{
	return lkl_sys_mkdirat(dir, name, mode);
}

static int image_mknod(int dir, const char *name, mode_t mode, dev_t dev)
{
	return lkl_sys_mknodat(dir, name, mode, dev);
}

static int image_unlink(int dir, const char *name)
{
	return lkl_sys_unlinkat(dir, name, 0);
}

static int image_rmdir(int dir, const char *name)
{
	return lkl_sys_unlinkat(dir, name, LKL_AT_REMOVEDIR);
}

static int image_chown(int dir, const char *name, uid_t uid, gid_t gid)
{
	if (!*name)
		return lkl_sys_fchown(dir, uid, gid);
	return lkl_sys_fchownat(dir, name, uid, gid, LKL_AT_SYMLINK_NOFOLLOW);
}

static int image_chmod(int dir, const char *name, mode_t mode)
{
	return *name ? lkl_sys_fchmodat(dir, name, mode)
		     : lkl_sys_fchmod(dir, mode);
}

static int image_utime(int dir, const char *name, const struct timespec ts[2])
{
	struct __lkl__kernel_timespec lts[2] = {
		{ ts[0].tv_sec, ts[0].tv_nsec },
		{ ts[1].tv_sec, ts[1].tv_nsec },
	};

	if (!*name)
		return lkl_sys_utimensat(dir, NULL, lts, 0);
	return lkl_sys_utimensat(dir, name, lts, LKL_AT_SYMLINK_NOFOLLOW);
}

static long image_listxattr(int dir, const char *name, char *list, size_t size)
{
	char buf[PATH_MAX];

	if (!*name)
		return lkl_sys_flistxattr(dir, list, size);
	if (!fs_proc_path(buf, dir, name))
		return -ENAMETOOLONG;
	return lkl_sys_llistxattr(buf, list, size);
}

static long image_getxattr(int dir, const char *name, const char *attr,
			   void *val, size_t size)
{
	char buf[PATH_MAX];

	if (!*name)
		return lkl_sys_fgetxattr(dir, attr, val, size);
	if (!fs_proc_path(buf, dir, name))
		return -ENAMETOOLONG;
	return lkl_sys_lgetxattr(buf, attr, val, size);
}

static int image_setxattr(int dir, const char *name, const char *attr,
			  const void *val, size_t size)
{
	char buf[PATH_MAX];

	if (!*name)
		return lkl_sys_fsetxattr(dir, attr, val, size, 0);
	if (!fs_proc_path(buf, dir, name))
		return -ENAMETOOLONG;
	return lkl_sys_lsetxattr(buf, attr, val, size, 0);
}

static int image_removexattr(int dir, const char *name, const char *attr)
{
	char buf[PATH_MAX];

	if (!*name)
		return lkl_sys_fremovexattr(dir, attr);
	if (!fs_proc_path(buf, dir, name))
		return -ENAMETOOLONG;
	return lkl_sys_lremovexattr(buf, attr);
}

/* syncfs() does not take the O_PATH descriptors of resolve(). */
static int image_sync(int dir)
{
	int fd = image_open_dir(dir, ".");
	int ret;

	if (fd < 0)
		return fd;
	ret = lkl_sys_syncfs(fd);
	lkl_sys_close(fd);
	return ret;
}

const struct fs *fs_image(const char *label, int root)
{
	/* Inside the library we are root, alone, and the umask is ours. */
	static struct fs fs = {
		.exclusive = true,
		.resolve = image_resolve,
		.beneath = image_beneath,
		.open_path = image_open_path,
		.open_parent = image_open_parent,
		.folds = image_folds,
		.no_inodes = image_no_inodes,
		.open_dir = image_open_dir,
		.open_file = image_open_file,
		.create = image_create,
		.close = image_close,
		.stat = image_stat,
		.getdents = image_getdents,
		.pread = image_pread,
		.pwrite = image_pwrite,
		.seek = image_seek,
		.truncate = image_truncate,
		.readlink = image_readlink,
		.symlink = image_symlink,
		.link = image_link,
		.mkdir = image_mkdir,
		.mknod = image_mknod,
		.unlink = image_unlink,
		.rmdir = image_rmdir,
		.chown = image_chown,
		.chmod = image_chmod,
		.utime = image_utime,
		.listxattr = image_listxattr,
		.getxattr = image_getxattr,
		.setxattr = image_setxattr,
		.removexattr = image_removexattr,
		.sync = image_sync,
	};

	image_root = root;
	fs.label = label;
	return &fs;
}
