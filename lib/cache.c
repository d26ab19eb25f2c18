// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library's folder among what a user's programs keep to be faster next
 * time.
 *
 * What lies there is mapped into programs and run, so nobody else may have a
 * way to change it: each folder from the root on is the user's or root's, and
 * others can write to none, but to one in which they cannot touch what is not
 * theirs (/tmp). No link is followed behind what realpath() has found, so that
 * it does not matter what changes meanwhile.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cache.h"

/* Where programs keep such things; it is made if only it is missing. */
static int base(char *path)
{
	const char *dir = secure_getenv("XDG_CACHE_HOME"), *home;
	char text[PATH_MAX];
	int n;

	if (dir && *dir == '/') {
		n = snprintf(text, sizeof(text), "%s", dir);
	} else {
		home = secure_getenv("HOME");
		if (!home || *home != '/')
			return -ENOENT;
		n = snprintf(text, sizeof(text), "%s/.cache", home);
	}
	if (n >= (int)sizeof(text))
		return -ENAMETOOLONG;
	if (realpath(text, path))
		return 0;
	if (errno != ENOENT || mkdir(text, 0700) || !realpath(text, path))
		return -errno;
	return 0;
}

/* Can others change what is in a folder? */
static bool is_safe(const struct stat *st)
{
	return (!st->st_uid || st->st_uid == geteuid()) &&
	       (!(st->st_mode & 022) || st->st_mode & S_ISVTX);
}

static bool is_private(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & 077);
}

/* Open a folder in another one. */
static int enter(int dir, const char *name, int flags,
		 bool (*ok)(const struct stat *st))
{
	int fd =
		openat(dir, name, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int err;

	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : ok(&st) ? 0 : -EPERM;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* The same for a path, each folder of which is looked at. */
static int walk(const char *path)
{
	char text[PATH_MAX], *name, *rest;
	int fd = enter(AT_FDCWD, "/", O_PATH, is_safe), next;

	snprintf(text, sizeof(text), "%s", path);
	for (name = strtok_r(text, "/", &rest); name && fd >= 0;
	     name = strtok_r(NULL, "/", &rest)) {
		next = enter(fd, name, O_PATH, is_safe);
		close(fd);
		fd = next;
	}
	return fd;
}

int lkl_cache_open(char *path, unsigned long size)
{
	char where[PATH_MAX];
	int err = base(where), dir, fd;

	snprintf(path, size, "the user's folder for caches");
	if (err)
		return err;
	snprintf(path, size, "%s/lkl", where);
	dir = walk(where);
	if (dir < 0)
		return dir;
	fd = enter(dir, "lkl", O_RDONLY, is_private);
	if (fd == -ENOENT) {
		err = mkdirat(dir, "lkl", 0700) && errno != EEXIST ? -errno : 0;
		fd = err ?: enter(dir, "lkl", O_RDONLY, is_private);
	}
	close(dir);
	return fd;
}

int lkl_cache_find(int dir, const char *name)
{
	int fd = openat(dir, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int err;

	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	err = fstat(fd, &st)			       ? -errno
	      : S_ISREG(st.st_mode) && is_private(&st) ? 0
						       : -EPERM;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* Remove what was made before the host was booted. */
static void sweep(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *files = fd < 0 ? NULL : fdopendir(fd);
	struct timespec now, up;
	struct dirent *de;
	struct stat st;

	if (!files) {
		if (fd >= 0)
			close(fd);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	while ((de = readdir(files)))
		if (!fstatat(fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode) &&
		    st.st_mtim.tv_sec < now.tv_sec - up.tv_sec)
			unlinkat(dir, de->d_name, 0);
	closedir(files);
}

int lkl_cache_make(int dir)
{
	int fd;

	if (flock(dir, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	sweep(dir);
	fd = openat(dir, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

int lkl_cache_keep(int dir, const char *name, int fd)
{
	char from[40], temporary[NAME_MAX];

	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	snprintf(temporary, sizeof(temporary), "%s.new", name);
	/* Of a process that has ended in between; this one has the lock. */
	if (unlinkat(dir, temporary, 0) && errno != ENOENT)
		return -errno;
	if (linkat(AT_FDCWD, from, dir, temporary, AT_SYMLINK_FOLLOW))
		return -errno;
	if (!renameat(dir, temporary, dir, name))
		return 0;
	fd = -errno;
	unlinkat(dir, temporary, 0);
	return fd;
}

void lkl_cache_drop(int dir, const char *name)
{
	unlinkat(dir, name, 0);
}
