// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's files.  Everything goes through the C library, not raw system
 * calls: under fakeroot an unprivileged build keeps its owners and devices.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <limits.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs.h"

#define RET(call)                                                              \
	({                                                                     \
		__typeof__(call) ret_ = (call);                                \
		ret_ < 0 ? -errno : ret_;                                      \
	})

/* What has no descriptor but one of O_PATH, by a link that leads only there. */
static const char *self(char buf[32], int fd)
{
	snprintf(buf, 32, "/proc/self/fd/%d", fd);
	return buf;
}

/*
 * A call by descriptor, or if that does not do, by the path of it.  Both are
 * the C library's, see above.
 */
#define BY_FD(call, by_path)                                                   \
	({                                                                     \
		char buf_[32];                                                 \
		__typeof__(call) got_ = (call);                                \
		const char *path __attribute__((unused)) = self(buf_, dir);    \
		if (got_ < 0 && errno == EBADF)                                \
			got_ = (by_path);                                      \
		got_;                                                          \
	})

static int host_resolve(const char *path)
{
	return RET(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static int host_beneath(int dir, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};

	return RET((int)syscall(SYS_openat2, dir, path, &how, sizeof(how)));
}

static int host_open_path(int dir, const char *name)
{
	return RET(openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

static int host_open_parent(int dir)
{
	return host_open_path(dir, "..");
}

/* A file system of the host's may do so, whatever it is. */
static bool host_folds(int dir)
{
	(void)dir;
	return true;
}

static bool host_no_inodes(int dir)
{
	struct statvfs st;

	return !fstatvfs(dir, &st) && st.f_files && !st.f_ffree && st.f_bavail;
}

static int host_open_dir(int dir, const char *name)
{
	return RET(openat(dir, name,
			  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/* O_NONBLOCK: the file may have been replaced by a FIFO. */
static int host_open_file(int dir, const char *name)
{
	return RET(openat(dir, name,
			  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}

static int host_create(int dir, const char *name, mode_t mode)
{
	return RET(openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			  mode));
}

static int host_close(int fd)
{
	return RET(close(fd));
}

static int host_stat(int dir, const char *name, struct stat *st)
{
	return RET(*name ? fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW)
			 : fstat(dir, st));
}

static long host_getdents(int fd, void *buf, size_t size)
{
	return RET(getdents64(fd, buf, size));
}

static long host_pread(int fd, void *buf, size_t size, off_t off)
{
	return RET(pread(fd, buf, size, off));
}

static long host_pwrite(int fd, const void *buf, size_t size, off_t off)
{
	return RET(pwrite(fd, buf, size, off));
}

static off_t host_seek(int fd, off_t off, int whence)
{
	return RET(lseek(fd, off, whence));
}

static int host_truncate(int fd, off_t size)
{
	return RET(ftruncate(fd, size));
}

static long host_readlink(int dir, const char *name, char *buf, size_t size)
{
	return RET(readlinkat(dir, name, buf, size));
}

static int host_symlink(const char *target, int dir, const char *name)
{
	return RET(symlinkat(target, dir, name));
}

static int host_link(int from_dir, const char *from, int dir, const char *name)
{
	return RET(linkat(from_dir, from, dir, name, 0));
}

static int host_mkdir(int dir, const char *name, mode_t mode)
{
	return RET(mkdirat(dir, name, mode));
}

static int host_mknod(int dir, const char *name, mode_t mode, dev_t dev)
{
	return RET(mknodat(dir, name, mode, dev));
}

static int host_unlink(int dir, const char *name)
{
	return RET(unlinkat(dir, name, 0));
}

static int host_rmdir(int dir, const char *name)
{
	return RET(unlinkat(dir, name, AT_REMOVEDIR));
}

static int host_chown(int dir, const char *name, uid_t uid, gid_t gid)
{
	return RET(*name ? fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW)
			 : BY_FD(fchown(dir, uid, gid), chown(path, uid, gid)));
}

static int host_chmod(int dir, const char *name, mode_t mode)
{
	return RET(*name ? fchmodat(dir, name, mode, AT_SYMLINK_NOFOLLOW)
			 : BY_FD(fchmod(dir, mode), chmod(path, mode)));
}

static int host_utime(int dir, const char *name, const struct timespec ts[2])
{
	return RET(*name ? utimensat(dir, name, ts, AT_SYMLINK_NOFOLLOW)
			 : BY_FD(futimens(dir, ts),
				 utimensat(AT_FDCWD, path, ts, 0)));
}

static long host_listxattr(int dir, const char *name, char *list, size_t size)
{
	char buf[PATH_MAX];

	if (!*name)
		return RET(BY_FD(flistxattr(dir, list, size),
				 listxattr(path, list, size)));
	if (!fs_proc_path(buf, dir, name))
		return -ENAMETOOLONG;
	return RET(llistxattr(buf, list, size));
}

static long host_getxattr(int dir, const char *name, const char *attr,
			  void *val, size_t size)
{
	char buf[PATH_MAX];

	if (!*name)
		return RET(BY_FD(fgetxattr(dir, attr, val, size),
				 getxattr(path, attr, val, size)));
	if (!fs_proc_path(buf, dir, name))
		return -ENAMETOOLONG;
	return RET(lgetxattr(buf, attr, val, size));
}

static int host_setxattr(int dir, const char *name, const char *attr,
			 const void *val, size_t size)
{
	char buf[PATH_MAX];

	if (!*name)
		return RET(BY_FD(fsetxattr(dir, attr, val, size, 0),
				 setxattr(path, attr, val, size, 0)));
	if (!fs_proc_path(buf, dir, name))
		return -ENAMETOOLONG;
	return RET(lsetxattr(buf, attr, val, size, 0));
}

static int host_removexattr(int dir, const char *name, const char *attr)
{
	char buf[PATH_MAX];

	if (!*name)
		return RET(BY_FD(fremovexattr(dir, attr),
				 removexattr(path, attr)));
	if (!fs_proc_path(buf, dir, name))
		return -ENAMETOOLONG;
	return RET(lremovexattr(buf, attr));
}

/* syncfs() does not take the O_PATH descriptors of resolve(). */
static int host_sync(int dir)
{
	int fd = host_open_dir(dir, ".");
	int ret;

	if (fd < 0)
		return fd;
	ret = RET(syncfs(fd));
	close(fd);
	return ret;
}

char *fs_host_path(char *path)
{
	return path;
}

const struct fs *fs_host(void)
{
	static struct fs fs = {
		.resolve = host_resolve,
		.beneath = host_beneath,
		.open_path = host_open_path,
		.open_parent = host_open_parent,
		.folds = host_folds,
		.no_inodes = host_no_inodes,
		.open_dir = host_open_dir,
		.open_file = host_open_file,
		.create = host_create,
		.close = host_close,
		.stat = host_stat,
		.getdents = host_getdents,
		.pread = host_pread,
		.pwrite = host_pwrite,
		.seek = host_seek,
		.truncate = host_truncate,
		.readlink = host_readlink,
		.symlink = host_symlink,
		.link = host_link,
		.mkdir = host_mkdir,
		.mknod = host_mknod,
		.unlink = host_unlink,
		.rmdir = host_rmdir,
		.chown = host_chown,
		.chmod = host_chmod,
		.utime = host_utime,
		.listxattr = host_listxattr,
		.getxattr = host_getxattr,
		.setxattr = host_setxattr,
		.removexattr = host_removexattr,
		.sync = host_sync,
	};

	fs.uid = geteuid();
	fs.gid = getegid();
	return &fs;
}
