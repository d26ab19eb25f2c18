// SPDX-License-Identifier: GPL-2.0-only
/*
 * File systems: mounting them, and reading their directories.
 *
 * A disk is found through sysfs, whose device virtioN is the disk's, and gets a
 * node /dev/DDDDDDDD and a mount point /mnt/DDDDDDDD in the kernel's initial
 * root file system, where D is the device number in hex.  So the number alone
 * is enough to find the mount again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lkl.h>
#include <lkl/linux/virtio_ids.h>
#include "virtio.h"

#define DIR_BUF_SIZE 32768
/* Between two tries to unmount, in milliseconds. */
#define FIRST_PAUSE 1
#define LONGEST_PAUSE 100

/* Device number as mknod() takes it. */
static uint32_t encode_dev(uint32_t major, uint32_t minor)
{
	return (minor & 0xff) | major << 8 | (minor & ~0xffU) << 12;
}

int lkl_encode_dev_from_sysfs(const char *path, uint32_t *pdevid)
{
	unsigned int major, minor;
	char buf[32];
	long fd, len;

	fd = lkl_sys_openat(LKL_AT_FDCWD, path, LKL_O_RDONLY, 0);
	if (fd < 0)
		return fd;
	len = lkl_sys_read(fd, buf, sizeof(buf) - 1);
	lkl_sys_close(fd);
	if (len < 0)
		return len;
	buf[len] = 0;
	if (sscanf(buf, "%u:%u", &major, &minor) != 2)
		return -LKL_EINVAL;
	*pdevid = encode_dev(major, minor);
	return 0;
}

/**
 * lkl_only_entry - the name of the only entry in a directory of sysfs
 * @path: the directory
 * @name: where to store it
 * @size: size of @name
 *
 * Return: 0, or a negative error number
 */
int lkl_only_entry(const char *path, char *name, size_t size)
{
	struct lkl_linux_dirent64 *entry;
	int err, ret = -LKL_ENODEV;
	struct lkl_dir *dir;

	dir = lkl_opendir(path, &err);
	if (!dir)
		return err == -LKL_ENOENT ? -LKL_ENODEV : err;
	while ((entry = lkl_readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		ret = snprintf(name, size, "%s", entry->d_name) < (int)size
			      ? 0
			      : -LKL_ENAMETOOLONG;
		break;
	}
	lkl_closedir(dir);
	return ret;
}

int lkl_get_virtio_blkdev(int disk_id, unsigned int part, uint32_t *pdevid)
{
	char path[160], name[32];
	int index, len, err;

	err = lkl_mount_fs("sysfs");
	if (err < 0)
		return err;
	index = lkl_vdev_index(LKL_VIRTIO_ID_BLOCK, disk_id);
	if (index < 0)
		return index;
	len = snprintf(path, sizeof(path),
		       "/sysfs/devices/virtio-lkl/virtio%d/block", index);
	err = lkl_only_entry(path, name, sizeof(name));
	if (err)
		return err;
	if (part)
		snprintf(path + len, sizeof(path) - len, "/%s/%s%u/dev", name,
			 name, part);
	else
		snprintf(path + len, sizeof(path) - len, "/%s/dev", name);
	err = lkl_encode_dev_from_sysfs(path, pdevid);
	return err == -LKL_ENOENT && part ? -LKL_ENXIO : err;
}

/* mkdir -p, for one level */
static int make_dir(const char *path)
{
	int err = lkl_sys_mkdirat(LKL_AT_FDCWD, path, 0700);

	return err == -LKL_EEXIST ? 0 : err;
}

static void node_path(char path[32], uint32_t dev)
{
	snprintf(path, 32, "/dev/%08x", dev);
}

static void mount_path(char path[32], uint32_t dev)
{
	snprintf(path, 32, "/mnt/%08x", dev);
}

static void remove_paths(const char *node, const char *mnt)
{
	lkl_sys_unlinkat(LKL_AT_FDCWD, mnt, LKL_AT_REMOVEDIR);
	lkl_sys_unlinkat(LKL_AT_FDCWD, node, 0);
}

/* Where a disk, or a partition, is mounted by these functions. */
static long paths_of(unsigned int disk_id, unsigned int part, uint32_t *dev,
		     char *node, char *mnt)
{
	long err = lkl_get_virtio_blkdev(disk_id, part, dev);

	if (err)
		return err;
	node_path(node, *dev);
	mount_path(mnt, *dev);
	return 0;
}

long lkl_mount_dev(unsigned int disk_id, unsigned int part, const char *fs_type,
		   int flags, const char *opts, char *mnt_str,
		   unsigned int mnt_str_len)
{
	char node[32], mnt[32];
	uint32_t dev;
	long err;

	err = paths_of(disk_id, part, &dev, node, mnt);
	if (err)
		return err;
	if (strlen(mnt) >= mnt_str_len)
		return -LKL_ENAMETOOLONG;

	err = make_dir("/dev");
	if (!err)
		err = make_dir("/mnt");
	if (!err)
		err = make_dir(mnt);
	if (err)
		return err;
	err = lkl_sys_mknodat(LKL_AT_FDCWD, node, LKL_S_IFBLK | 0600, dev);
	if (!err || err == -LKL_EEXIST)
		err = lkl_sys_mount(node, mnt, (char *)fs_type, flags,
				    (void *)opts);
	if (!err)
		strcpy(mnt_str, mnt);
	else if (err != -LKL_EBUSY) /* then it is mounted there already */
		remove_paths(node, mnt);
	return err;
}

long lkl_umount_timeout(const char *path, int flags, long timeout_ms)
{
	long pause = FIRST_PAUSE;
	long err;

	while ((err = lkl_sys_umount2(path, flags)) == -LKL_EBUSY) {
		struct __lkl__kernel_timespec ts;

		if (timeout_ms <= 0)
			break;
		if (pause > timeout_ms)
			pause = timeout_ms;
		timeout_ms -= pause;
		ts.tv_sec = 0;
		ts.tv_nsec = pause * 1000000;
		lkl_sys_nanosleep(&ts, NULL);
		pause = 2 * pause < LONGEST_PAUSE ? 2 * pause : LONGEST_PAUSE;
	}
	return err;
}

long lkl_umount_dev(unsigned int disk_id, unsigned int part, int flags,
		    long timeout_ms)
{
	char node[32], mnt[32];
	uint32_t dev;
	long err;

	err = paths_of(disk_id, part, &dev, node, mnt);
	if (err)
		return err;
	err = lkl_umount_timeout(mnt, flags, timeout_ms);
	if (!err)
		remove_paths(node, mnt);
	return err;
}

int lkl_mount_fs(const char *fstype)
{
	struct lkl_stat root, dir;
	char path[64];
	int err;

	if (snprintf(path, sizeof(path), "/%s", fstype) >= (int)sizeof(path))
		return -LKL_ENAMETOOLONG;
	err = make_dir(path);
	if (err)
		return err;
	err = lkl_sys_stat("/", &root);
	if (!err)
		err = lkl_sys_stat(path, &dir);
	if (err)
		return err;
	if (dir.st_dev != root.st_dev)
		return 1;
	/* busy: another thread has been faster */
	err = lkl_sys_mount(fstype, path, fstype, 0, NULL);
	return err == -LKL_EBUSY ? 1 : err;
}

/**
 * struct lkl_dir - a directory being read
 * @fd: its descriptor
 * @err: what ended the reading, 0 at the end of the directory
 * @pos: start of the next entry in @buf
 * @len: bytes in @buf
 * @buf: entries
 */
struct lkl_dir {
	int fd;
	int err;
	int pos;
	int len;
	_Alignas(struct lkl_linux_dirent64) char buf[DIR_BUF_SIZE];
};

struct lkl_dir *lkl_fdopendir(int fd, int *err)
{
	struct lkl_dir *dir = malloc(sizeof(*dir));

	*err = dir ? 0 : -LKL_ENOMEM;
	if (!dir)
		return NULL;
	dir->fd = fd;
	dir->err = 0;
	dir->pos = 0;
	dir->len = 0;
	return dir;
}

struct lkl_dir *lkl_opendir(const char *path, int *err)
{
	struct lkl_dir *dir;
	int fd;

	fd = lkl_sys_openat(LKL_AT_FDCWD, path,
			    LKL_O_RDONLY | LKL_O_DIRECTORY | LKL_O_CLOEXEC, 0);
	if (fd < 0) {
		*err = fd;
		return NULL;
	}
	dir = lkl_fdopendir(fd, err);
	if (!dir)
		lkl_sys_close(fd);
	return dir;
}

struct lkl_linux_dirent64 *lkl_readdir(struct lkl_dir *dir)
{
	struct lkl_linux_dirent64 *entry;

	if (dir->pos == dir->len) {
		int len = lkl_sys_getdents64(dir->fd, (void *)dir->buf,
					     sizeof(dir->buf));

		dir->pos = 0;
		dir->len = len > 0 ? len : 0;
		dir->err = len < 0 ? len : 0;
		if (len <= 0)
			return NULL;
	}
	entry = (struct lkl_linux_dirent64 *)(dir->buf + dir->pos);
	dir->pos += entry->d_reclen;
	return entry;
}

void lkl_rewinddir(struct lkl_dir *dir)
{
	int err = lkl_sys_lseek(dir->fd, 0, LKL_SEEK_SET);

	dir->err = err < 0 ? err : 0;
	dir->pos = 0;
	dir->len = 0;
}

int lkl_closedir(struct lkl_dir *dir)
{
	int err = lkl_sys_close(dir->fd);

	free(dir);
	return err;
}

int lkl_errdir(struct lkl_dir *dir)
{
	return dir->err;
}

int lkl_dirfd(struct lkl_dir *dir)
{
	return dir->fd;
}

int lkl_set_fd_limit(unsigned int limit)
{
	struct lkl_rlimit64 rlim = { .rlim_cur = limit, .rlim_max = limit };

	return lkl_sys_prlimit64(0, LKL_RLIMIT_NOFILE, &rlim, NULL);
}
