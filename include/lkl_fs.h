/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Disks and file systems, a part of <lkl.h>.  The disks themselves are in
 * lkl_host.h.
 */
#ifndef LKL_FS_H
#define LKL_FS_H

#include <stdint.h>

#include <lkl/asm/syscalls.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

struct lkl_dir;

/**
 * lkl_encode_dev_from_sysfs - read a device number from a file of sysfs
 * @path: a file "dev" that holds MAJOR:MINOR
 * @pdevid: where to store the number, as mknod() takes it
 *
 * Return: 0 or a negative error number
 */
int lkl_encode_dev_from_sysfs(const char *path, uint32_t *pdevid);

/**
 * lkl_get_virtio_blkdev - device number of a disk or of one of its partitions
 * @disk_id: what lkl_disk_add() returned
 * @part: number of the partition, 0 for the whole disk
 * @pdevid: where to store the device number, as mknod() takes it
 *
 * Mounts sysfs on /sysfs unless it is there.
 *
 * Return: 0, -LKL_ENODEV without such a disk, -LKL_ENXIO without such a
 * partition, or another negative error number
 */
int lkl_get_virtio_blkdev(int disk_id, unsigned int part, uint32_t *pdevid);

/**
 * lkl_mount_dev - mount a disk or a partition
 * @disk_id: what lkl_disk_add() returned
 * @part: number of the partition, 0 for the whole disk
 * @fs_type: type of the file system
 * @flags: LKL_MS_*
 * @opts: options of the file system, or NULL
 * @mnt_str: where to store the path that it is mounted on
 * @mnt_str_len: size of @mnt_str
 *
 * Makes the device node and the mount point that it needs.
 *
 * Return: 0 or a negative error number
 */
long lkl_mount_dev(unsigned int disk_id, unsigned int part, const char *fs_type,
		   int flags, const char *opts, char *mnt_str,
		   unsigned int mnt_str_len);

/**
 * lkl_umount_dev - undo lkl_mount_dev()
 * @disk_id: the disk
 * @part: the partition
 * @flags: as of umount2()
 * @timeout_ms: how long to try again while the file system is busy
 *
 * Return: 0 or a negative error number
 */
long lkl_umount_dev(unsigned int disk_id, unsigned int part, int flags,
		    long timeout_ms);

/**
 * lkl_umount_timeout - unmount a path, and try again while it is busy
 * @path: the path
 * @flags: as of umount2()
 * @timeout_ms: how long to try again while the file system is busy
 *
 * Return: 0, -LKL_EBUSY after the timeout, or another negative error number
 */
long lkl_umount_timeout(const char *path, int flags, long timeout_ms);

/**
 * lkl_mount_fs - mount a file system that needs no disk
 * @fstype: its type, like "proc"; it is mounted on /proc then
 *
 * "sysfs" is mounted on /sysfs.
 *
 * Return: 0, 1 when it was mounted already, or a negative error number
 */
int lkl_mount_fs(const char *fstype);

/**
 * lkl_mount_hostdir - show a directory of the host in the library's kernel
 * @hostdir: the directory on the host
 * @path: where in the kernel; made, with the directories above, if it is not
 *	there
 * @flags: LKL_MS_*; with LKL_MS_RDONLY nothing on the host can be changed, not
 *	even after a remount
 *
 * Nothing outside of @hostdir can be reached through it, whatever links it has
 * and whoever changes it meanwhile.  Everything is done with the rights that
 * the process has when it is done.  For an ordinary user the files of that
 * user, and of the user's group, belong to root in the kernel; the owners of
 * all others are as on the host.  A file without any right for its owner has
 * those to read and write it on the host.
 *
 * Names and attributes that others change on the host may appear as they were
 * for up to a second.  An open file has a descriptor of the host's.
 *
 * It goes with lkl_umount_hostdir() or lkl_sys_halt().  A kernel with a
 * directory of the host cannot be frozen.
 *
 * Return: 0, -LKL_ENOSYS when no kernel runs or the host has no openat2(),
 * -LKL_EBUSY while the kernel is frozen, or another negative error number
 */
int lkl_mount_hostdir(const char *hostdir, const char *path,
		      unsigned int flags);

/**
 * lkl_umount_hostdir - undo lkl_mount_hostdir()
 * @path: where the directory of the host is
 *
 * Return: 0, -LKL_EBUSY while it is used, -LKL_EINVAL if nothing is mounted
 * there, or another negative error number
 */
int lkl_umount_hostdir(const char *path);

/**
 * lkl_opendir - open a directory for reading
 * @path: the directory
 * @err: where to store 0 or a negative error number
 *
 * Return: the directory, or NULL
 */
struct lkl_dir *lkl_opendir(const char *path, int *err);

/**
 * lkl_fdopendir - read the directory that a descriptor is open on
 * @fd: the descriptor; belongs to the result on success
 * @err: where to store 0 or a negative error number
 *
 * Return: the directory, or NULL
 */
struct lkl_dir *lkl_fdopendir(int fd, int *err);

/**
 * lkl_readdir - get the next entry of a directory
 * @dir: the directory
 *
 * Return: the entry, valid until the next call, or NULL at the end or after an
 * error; lkl_errdir() tells which
 */
struct lkl_linux_dirent64 *lkl_readdir(struct lkl_dir *dir);

/**
 * lkl_rewinddir - begin again with the first entry
 * @dir: the directory
 */
void lkl_rewinddir(struct lkl_dir *dir);

/**
 * lkl_closedir - close a directory
 * @dir: the directory
 *
 * Return: 0 or a negative error number
 */
int lkl_closedir(struct lkl_dir *dir);

/**
 * lkl_errdir - what the last lkl_readdir() met
 * @dir: the directory
 *
 * Return: 0 or a negative error number
 */
int lkl_errdir(struct lkl_dir *dir);

/**
 * lkl_dirfd - the descriptor of a directory
 * @dir: the directory
 *
 * Return: the descriptor, which remains the directory's
 */
int lkl_dirfd(struct lkl_dir *dir);

/**
 * lkl_set_fd_limit - set how many descriptors may be open in the kernel
 * @limit: the number
 *
 * Return: 0 or a negative error number
 */
int lkl_set_fd_limit(unsigned int limit);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif /* LKL_FS_H */
