# SPDX-License-Identifier: GPL-2.0-only
"""Make lkl._lkl, the C half of the package.

The compiler reads the library's own headers, so numbers and layouts are those of the
library that the module is linked with.  A call gives up Python's lock while it runs.

    python3 lkl_build.py HEADERS... LIBDIR OUT

makes OUT/lkl/_lkl.*.so in a source tree.  setup.py makes it with an installed library,
which pkg-config knows.
"""

import os
import sys
import tomllib

import cffi

DECLARATIONS = """
int lkl_py_init(void);
int lkl_py_start(const char *cmdline);
int lkl_is_running(void);
long lkl_sys_halt(void);
void lkl_cleanup(void);
const char *lkl_strerror(int err);

/* disks */
long lkl_py_disk_add(void *handle, void **dev);
long lkl_py_disk_add_fd(int fd, void **dev);
int lkl_py_nbd_open(const char *uri, void **handle);
long lkl_py_disk_add_nbd(void *handle, int readonly, void **dev);
void lkl_py_nbd_close(void *handle);
long lkl_py_disk_remove(void *dev);
extern "Python" int lkl_py_capacity(void *handle, unsigned long long *bytes);
extern "Python" int lkl_py_limits_of(void *handle, int *readonly, unsigned int *block_size);
extern "Python" int lkl_py_transfer(void *handle, int write, unsigned long long offset,
				    char *buf, unsigned long long len);
extern "Python" int lkl_py_flush(void *handle);
int lkl_py_get_blkdev(int disk, unsigned int part, unsigned int *dev);
long lkl_mount_dev(unsigned int disk_id, unsigned int part, const char *fs_type, int flags,
		   const char *opts, char *mnt_str, unsigned int mnt_str_len);
long lkl_umount_dev(unsigned int disk_id, unsigned int part, int flags, long timeout_ms);
int lkl_mount_fs(const char *fstype);

/* files */
struct lkl_stat {
	unsigned long st_dev, st_ino, st_nlink;
	unsigned int st_mode, st_uid, st_gid;
	unsigned long st_rdev;
	long st_size, st_blksize, st_blocks;
	unsigned long lkl_st_atime, st_atime_nsec, lkl_st_mtime, st_mtime_nsec, lkl_st_ctime,
		st_ctime_nsec;
	...;
};
struct lkl_statfs {
	long f_type, f_bsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree, f_namelen,
		f_frsize, f_flags;
	...;
};
long lkl_py_openat(int dir, const char *path, int flags, unsigned int mode, int in_root);
long lkl_sys_close(unsigned int fd);
long lkl_sys_read(unsigned int fd, void *buf, unsigned long len);
long lkl_sys_write(unsigned int fd, const void *buf, unsigned long len);
long lkl_py_pread(int fd, void *buf, unsigned long len, long long pos);
long lkl_py_pwrite(int fd, const void *buf, unsigned long len, long long pos);
long lkl_py_lseek(int fd, long long pos, int whence);
long lkl_py_ftruncate(int fd, long long len);
long lkl_sys_fsync(unsigned int fd);
long lkl_sys_sync(void);
long lkl_py_stat(int fd, struct lkl_stat *buf);
long lkl_sys_fstatfs(unsigned int fd, struct lkl_statfs *buf);
long lkl_py_getdents(int fd, void *buf, unsigned int len);
long lkl_py_mkdirat(int dir, const char *name, unsigned int mode);
long lkl_py_mknodat(int dir, const char *name, unsigned int mode, unsigned int dev);
long lkl_py_unlinkat(int dir, const char *name, int flags);
long lkl_py_renameat(int dir, const char *name, int newdir, const char *newname, int flags);
long lkl_py_symlinkat(const char *target, int dir, const char *name);
long lkl_py_link(int fd, int newdir, const char *newname);
long lkl_py_readlink(int fd, char *buf, int len);
long lkl_py_fchmod(int fd, unsigned int mode);
long lkl_py_fchown(int fd, unsigned int uid, unsigned int gid);
long lkl_py_utimens(int fd, long long atime_s, long long atime_ns, long long mtime_s,
		    long long mtime_ns);
long lkl_py_access(int fd, int mode);
long lkl_py_setxattr(const char *path, const char *name, const void *value,
		     unsigned long len, int flags);
long lkl_py_getxattr(const char *path, const char *name, void *value, unsigned long len);
long lkl_py_listxattr(const char *path, char *list, unsigned long len);
long lkl_py_removexattr(const char *path, const char *name);
long lkl_py_syslog(int type, char *buf, int len);

/* sockets */
long lkl_py_socket(int family, int type, int protocol);
long lkl_py_bind(int fd, const void *addr, int len);
long lkl_py_connect(int fd, const void *addr, int len);
long lkl_py_listen(int fd, int backlog);
long lkl_py_accept(int fd, void *addr, int *len, int flags);
long lkl_py_shutdown(int fd, int how);
long lkl_py_sendto(int fd, const void *buf, unsigned long len, int flags, const void *addr,
		   int addrlen);
long lkl_py_recvfrom(int fd, void *buf, unsigned long len, int flags, void *addr,
		     int *addrlen);
long lkl_py_getname(int fd, void *addr, int *len, int peer);
long lkl_py_setsockopt(int fd, int level, int name, const void *value, int len);
long lkl_py_getsockopt(int fd, int level, int name, void *value, int *len);
long lkl_py_socketpair(int family, int type, int protocol, int *fds);
long lkl_py_fcntl(int fd, int cmd, long arg);
long lkl_py_dup(int fd);
struct lkl_pollfd { int fd; short events; short revents; ...; };
long lkl_sys_poll(struct lkl_pollfd *fds, unsigned int n, int timeout);
long lkl_py_if_up(const char *name);

/* configuration */
int lkl_py_config(const char *json);
int lkl_py_config_done(void);
void lkl_py_config_drop(void);
"""

SOURCE = r"""
#include <stdlib.h>
#include <lkl.h>
#include <lkl_config.h>
#include <lkl/linux/openat2.h>

static int lkl_py_capacity(void *handle, unsigned long long *bytes);
static int lkl_py_limits_of(void *handle, int *readonly, unsigned int *block_size);
static int lkl_py_transfer(void *handle, int write, unsigned long long offset, char *buf,
			   unsigned long long len);
static int lkl_py_flush(void *handle);

static struct lkl_config config;

static int lkl_py_init(void)
{
	lkl_host_ops.print = NULL;
	return lkl_init(&lkl_host_ops);
}

static int lkl_py_start(const char *cmdline)
{
	return lkl_start_kernel("%s", cmdline);
}

static int py_get_capacity(struct lkl_disk disk, unsigned long long *bytes)
{
	return lkl_py_capacity(disk.handle, bytes);
}

static int py_get_limits(struct lkl_disk disk, struct lkl_blk_limits *limits)
{
	int readonly = 0;
	int err = lkl_py_limits_of(disk.handle, &readonly, &limits->block_size);

	if (readonly)
		limits->flags |= LKL_BLK_READ_ONLY;
	limits->physical_size = limits->discard_size = limits->block_size;
	return err;
}

/* Runs on a thread of the disk's, which waits for Python's lock like any other. */
static int py_request(struct lkl_disk disk, struct lkl_blk_req *req)
{
	unsigned long long offset = req->sector * 512;
	int err = 0;

	switch (req->type) {
	case LKL_DEV_BLK_TYPE_READ:
	case LKL_DEV_BLK_TYPE_WRITE:
		for (int i = 0; i < req->count && !err; i++) {
			err = lkl_py_transfer(disk.handle,
					      req->type == LKL_DEV_BLK_TYPE_WRITE, offset,
					      req->buf[i].iov_base, req->buf[i].iov_len);
			offset += req->buf[i].iov_len;
		}
		break;
	case LKL_DEV_BLK_TYPE_FLUSH:
	case LKL_DEV_BLK_TYPE_FLUSH_OUT:
		err = lkl_py_flush(disk.handle);
		break;
	default:
		return LKL_DEV_BLK_STATUS_UNSUP;
	}
	return err ? LKL_DEV_BLK_STATUS_IOERR : LKL_DEV_BLK_STATUS_OK;
}

static struct lkl_dev_blk_ops py_blk_ops = {
	.get_capacity = py_get_capacity,
	.request = py_request,
	.get_limits = py_get_limits,
};

static long lkl_py_disk_add(void *handle, void **dev)
{
	struct lkl_disk disk = { .handle = handle, .ops = &py_blk_ops };
	long id = lkl_disk_add(&disk);

	*dev = disk.dev;
	return id;
}

static long lkl_py_disk_add_fd(int fd, void **dev)
{
	struct lkl_disk disk = { .fd = fd };
	long id = lkl_disk_add(&disk);

	*dev = disk.dev;
	return id;
}

/* All disks behind NBD have the same back end. */
static struct lkl_dev_blk_ops *nbd_ops, nbd_readonly_ops;

static int nbd_readonly_limits(struct lkl_disk disk, struct lkl_blk_limits *limits)
{
	int err = nbd_ops->get_limits(disk, limits);

	limits->flags |= LKL_BLK_READ_ONLY;
	return err;
}

static int lkl_py_nbd_open(const char *uri, void **handle)
{
	struct lkl_disk disk = { 0 };
	int err = lkl_disk_nbd_open(&disk, uri);

	if (err)
		return err;
	*handle = disk.handle;
	nbd_ops = disk.ops;
	nbd_readonly_ops = *nbd_ops;
	nbd_readonly_ops.get_limits = nbd_readonly_limits;
	return 0;
}

static long lkl_py_disk_add_nbd(void *handle, int readonly, void **dev)
{
	struct lkl_disk disk = { .handle = handle,
				 .ops = readonly ? &nbd_readonly_ops : nbd_ops };
	long id = lkl_disk_add(&disk);

	*dev = disk.dev;
	return id;
}

static void lkl_py_nbd_close(void *handle)
{
	struct lkl_disk disk = { .handle = handle, .ops = nbd_ops };

	lkl_disk_nbd_close(&disk);
}

static long lkl_py_disk_remove(void *dev)
{
	return lkl_disk_remove((struct lkl_disk){ .dev = dev });
}

static int lkl_py_get_blkdev(int disk, unsigned int part, unsigned int *dev)
{
	uint32_t id;
	int err = lkl_get_virtio_blkdev(disk, part, &id);

	*dev = err ? 0 : id;
	return err;
}

static long lkl_py_openat(int dir, const char *path, int flags, unsigned int mode,
			  int in_root)
{
	struct lkl_open_how how = {
		.flags = (unsigned int)flags,
		.mode = mode,
		.resolve = in_root ? LKL_RESOLVE_IN_ROOT | LKL_RESOLVE_NO_MAGICLINKS : 0,
	};

	return lkl_sys_openat2(dir, path, &how, sizeof(how));
}

static long lkl_py_pread(int fd, void *buf, unsigned long len, long long pos)
{
	return lkl_sys_pread64(fd, buf, len, pos);
}

static long lkl_py_pwrite(int fd, const void *buf, unsigned long len, long long pos)
{
	return lkl_sys_pwrite64(fd, buf, len, pos);
}

static long lkl_py_lseek(int fd, long long pos, int whence)
{
	return lkl_sys_lseek(fd, pos, whence);
}

static long lkl_py_ftruncate(int fd, long long len)
{
	return lkl_sys_ftruncate(fd, len);
}

static long lkl_py_stat(int fd, struct lkl_stat *buf)
{
	return lkl_sys_newfstatat(fd, "", buf, LKL_AT_EMPTY_PATH);
}

static long lkl_py_getdents(int fd, void *buf, unsigned int len)
{
	return lkl_sys_getdents64(fd, buf, len);
}

static long lkl_py_mkdirat(int dir, const char *name, unsigned int mode)
{
	return lkl_sys_mkdirat(dir, name, mode);
}

static long lkl_py_mknodat(int dir, const char *name, unsigned int mode, unsigned int dev)
{
	return lkl_sys_mknodat(dir, name, mode, dev);
}

static long lkl_py_unlinkat(int dir, const char *name, int flags)
{
	return lkl_sys_unlinkat(dir, name, flags);
}

static long lkl_py_renameat(int dir, const char *name, int newdir, const char *newname,
			    int flags)
{
	return lkl_sys_renameat2(dir, name, newdir, newname, flags);
}

static long lkl_py_symlinkat(const char *target, int dir, const char *name)
{
	return lkl_sys_symlinkat(target, dir, name);
}

static long lkl_py_link(int fd, int newdir, const char *newname)
{
	return lkl_sys_linkat(fd, "", newdir, newname, LKL_AT_EMPTY_PATH);
}

static long lkl_py_readlink(int fd, char *buf, int len)
{
	return lkl_sys_readlinkat(fd, "", buf, len);
}

static long lkl_py_fchmod(int fd, unsigned int mode)
{
	return lkl_sys_fchmodat2(fd, "", mode, LKL_AT_EMPTY_PATH);
}

static long lkl_py_fchown(int fd, unsigned int uid, unsigned int gid)
{
	return lkl_sys_fchownat(fd, "", uid, gid, LKL_AT_EMPTY_PATH);
}

static long lkl_py_utimens(int fd, long long atime_s, long long atime_ns,
			   long long mtime_s, long long mtime_ns)
{
	struct __lkl__kernel_timespec times[2] = { { atime_s, atime_ns },
						   { mtime_s, mtime_ns } };

	return lkl_sys_utimensat(fd, "", times, LKL_AT_EMPTY_PATH);
}

static long lkl_py_access(int fd, int mode)
{
	return lkl_sys_faccessat2(fd, "", mode, LKL_AT_EMPTY_PATH);
}

static long lkl_py_setxattr(const char *path, const char *name, const void *value,
			    unsigned long len, int flags)
{
	return lkl_sys_setxattr(path, name, value, len, flags);
}

static long lkl_py_getxattr(const char *path, const char *name, void *value,
			    unsigned long len)
{
	return lkl_sys_getxattr(path, name, value, len);
}

static long lkl_py_listxattr(const char *path, char *list, unsigned long len)
{
	return lkl_sys_listxattr(path, list, len);
}

static long lkl_py_removexattr(const char *path, const char *name)
{
	return lkl_sys_removexattr(path, name);
}

static long lkl_py_syslog(int type, char *buf, int len)
{
	return lkl_sys_syslog(type, buf, len);
}

static long lkl_py_socket(int family, int type, int protocol)
{
	return lkl_sys_socket(family, type, protocol);
}

static long lkl_py_bind(int fd, const void *addr, int len)
{
	return lkl_sys_bind(fd, (void *)addr, len);
}

static long lkl_py_connect(int fd, const void *addr, int len)
{
	return lkl_sys_connect(fd, (void *)addr, len);
}

static long lkl_py_listen(int fd, int backlog)
{
	return lkl_sys_listen(fd, backlog);
}

static long lkl_py_accept(int fd, void *addr, int *len, int flags)
{
	return lkl_sys_accept4(fd, addr, len, flags);
}

static long lkl_py_shutdown(int fd, int how)
{
	return lkl_sys_shutdown(fd, how);
}

static long lkl_py_sendto(int fd, const void *buf, unsigned long len, int flags,
			  const void *addr, int addrlen)
{
	return lkl_sys_sendto(fd, (void *)buf, len, flags | LKL_MSG_NOSIGNAL, (void *)addr,
			      addrlen);
}

static long lkl_py_recvfrom(int fd, void *buf, unsigned long len, int flags, void *addr,
			    int *addrlen)
{
	return lkl_sys_recvfrom(fd, buf, len, flags, addr, addrlen);
}

static long lkl_py_getname(int fd, void *addr, int *len, int peer)
{
	return peer ? lkl_sys_getpeername(fd, addr, len) :
		      lkl_sys_getsockname(fd, addr, len);
}

static long lkl_py_setsockopt(int fd, int level, int name, const void *value, int len)
{
	return lkl_sys_setsockopt(fd, level, name, (void *)value, len);
}

static long lkl_py_getsockopt(int fd, int level, int name, void *value, int *len)
{
	return lkl_sys_getsockopt(fd, level, name, value, len);
}

static long lkl_py_socketpair(int family, int type, int protocol, int *fds)
{
	return lkl_sys_socketpair(family, type, protocol, fds);
}

static long lkl_py_fcntl(int fd, int cmd, long arg)
{
	return lkl_sys_fcntl(fd, cmd, arg);
}

static long lkl_py_dup(int fd)
{
	return lkl_sys_dup(fd);
}

static long lkl_py_if_up(const char *name)
{
	int index = lkl_ifname_to_ifindex(name);

	return index < 0 ? index : lkl_if_up(index);
}

static int lkl_py_config(const char *json)
{
	int err = lkl_load_config_json(&config, json);

	return err ? err : lkl_load_config_pre(&config);
}

static int lkl_py_config_done(void)
{
	return lkl_load_config_post(&config);
}

static void lkl_py_config_drop(void)
{
	lkl_unload_config(&config);
}
"""


def builder(**how) -> cffi.FFI:
    """Return the description of the module; how goes to the compiler."""
    ffi = cffi.FFI()
    ffi.cdef(DECLARATIONS)
    ffi.set_source("lkl._lkl", SOURCE, **how)
    return ffi


def describe(out: str) -> None:
    """Write what pip would: the package's name, and what fsspec finds it by."""
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "pyproject.toml"), "rb") as text:
        project = tomllib.load(text)["project"]
    info = os.path.join(out, "lkl-%s.dist-info" % project["version"])
    os.makedirs(info, exist_ok=True)
    with open(os.path.join(info, "METADATA"), "w") as text:
        text.write(
            "Metadata-Version: 2.1\nName: lkl\nVersion: %(version)s\n"
            "Summary: %(description)s\n" % project
        )
    with open(os.path.join(info, "entry_points.txt"), "w") as text:
        for group, entries in project["entry-points"].items():
            text.write("[%s]\n" % group)
            text.writelines("%s = %s\n" % entry for entry in entries.items())


def main() -> None:
    """Build in a source tree: HEADERS... LIBDIR OUT."""
    *headers, libdir, out = (os.path.abspath(path) for path in sys.argv[1:])
    ffi = builder(
        include_dirs=headers,
        library_dirs=[libdir],
        libraries=["lkl"],
        # the same way leads from the installed package to the installed library
        extra_link_args=["-Wl,-rpath,$ORIGIN/../../.."],
    )
    ffi.compile(tmpdir=out)
    for left in ("_lkl.c", "_lkl.o"):
        os.remove(os.path.join(out, "lkl", left))
    describe(out)


if __name__ == "__main__":
    main()
