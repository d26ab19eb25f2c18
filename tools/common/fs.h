/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two worlds with the same files in them: the host's and the image's.
 *
 * Every tool moves files from one world to the other.  Code that walks or
 * writes a tree is written once against this table.  Below the path a user
 * named, everything is done relative to an open directory and never through a
 * symbolic link, so that a hostile image cannot point a tool elsewhere.
 *
 * Functions return a value >= 0 or a negative error number.  Both worlds are
 * Linux with one ABI, so error numbers, modes and directory entries mean the
 * same in both.  Where a @name is "", the descriptor itself is meant.
 */
#ifndef FS_H
#define FS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* A directory entry as getdents() gives it. */
struct fs_dirent {
	uint64_t d_ino;
	int64_t d_off;
	uint16_t d_reclen;
	uint8_t d_type;
	char d_name[];
};

/**
 * struct fs - one world
 *
 * @label: name of the image for messages; NULL for the host
 * @exclusive: nobody else looks, so files need not be kept private meanwhile
 * @uid: owner that new files get by themselves
 * @gid: group that new files get by themselves
 * @resolve: open the directory at a path of the user's, following links; the
 *	descriptor serves only as a starting point
 * @beneath: open the directory at a path below another without following links;
 *	-ELOOP where there is one
 * @open_path: open anything, a link itself, for the calls that take a name:
 *	those can be given "" for it
 * @open_parent: open the directory above, but not above the root
 * @folds: may different names be the same to a directory?
 * @no_inodes: can no more objects be made, though there is room for data?
 * @open_dir: open a directory for reading
 * @open_file: open a regular file for reading
 * @create: make and open a file for writing; -EEXIST if there is one
 * @has_streams: has an open file contents beside its own, which no call here
 *	reads?  NULL where there is no such thing
 */
struct fs {
	const char *label;
	bool exclusive;
	uid_t uid;
	gid_t gid;

	int (*resolve)(const char *path);
	int (*beneath)(int dir, const char *path);
	int (*open_path)(int dir, const char *name);
	int (*open_parent)(int dir);
	bool (*folds)(int dir);
	bool (*no_inodes)(int dir);
	int (*open_dir)(int dir, const char *name);
	int (*open_file)(int dir, const char *name);
	int (*create)(int dir, const char *name, mode_t mode);
	bool (*has_streams)(int fd);
	int (*close)(int fd);
	int (*stat)(int dir, const char *name, struct stat *st);
	long (*getdents)(int fd, void *buf, size_t size);
	long (*pread)(int fd, void *buf, size_t size, off_t off);
	long (*pwrite)(int fd, const void *buf, size_t size, off_t off);
	off_t (*seek)(int fd, off_t off, int whence);
	int (*truncate)(int fd, off_t size);
	long (*readlink)(int dir, const char *name, char *buf, size_t size);
	int (*symlink)(const char *target, int dir, const char *name);
	int (*link)(int from_dir, const char *from, int dir, const char *name);
	int (*mkdir)(int dir, const char *name, mode_t mode);
	int (*mknod)(int dir, const char *name, mode_t mode, dev_t dev);
	int (*unlink)(int dir, const char *name);
	int (*rmdir)(int dir, const char *name);
	int (*chown)(int dir, const char *name, uid_t uid, gid_t gid);
	int (*chmod)(int dir, const char *name, mode_t mode);
	int (*utime)(int dir, const char *name, const struct timespec ts[2]);
	long (*listxattr)(int dir, const char *name, char *list, size_t size);
	long (*getxattr)(int dir, const char *name, const char *attr, void *val,
			 size_t size);
	int (*setxattr)(int dir, const char *name, const char *attr,
			const void *val, size_t size);
	int (*removexattr)(int dir, const char *name, const char *attr);
	int (*sync)(int dir);
};

/**
 * fs_host() - the host's files
 *
 * Return: the table
 */
const struct fs *fs_host(void);

/**
 * fs_host_path() - a path of the host's as its table takes it, with slashes
 * @path: the path as the user gives it, changed
 *
 * Return: the path, or another one that stays
 */
char *fs_host_path(char *path);

/**
 * fs_image() - the files of a mounted image
 * @label: name of the image for messages
 * @root: descriptor of its root directory
 *
 * Return: the table
 */
const struct fs *fs_image(const char *label, int root);

/**
 * fs_proc_path() - name something in a directory by one path
 * @buf: PATH_MAX bytes for the path
 * @dir: the open directory
 * @name: name in it
 *
 * Extended attributes have no *at() calls, so go through /proc.
 *
 * Return: @buf, or NULL when the name is too long
 */
const char *fs_proc_path(char *buf, int dir, const char *name);

#endif /* FS_H */
