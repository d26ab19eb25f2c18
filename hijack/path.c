// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that tell about the network: /proc/net, /proc/sys/net, /sys/class/net
 * and /etc/resolv.conf are those of the library's kernel, under any of their
 * names.
 *
 * Only absolute names are looked at, and names below a directory that the
 * program has opened here.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "internal.h"

/* The program has a name server of its own. */
static bool has_resolv_conf;

/* "/proc/1234/net", with the number of the host's process. */
static char proc_pid[32];

static const char *skip(const char *path, const char *prefix)
{
	while (*prefix)
		if (*path++ != *prefix++)
			return NULL;
	return *path && *path != '/' ? NULL : path;
}

/* No name of the library's is longer than this. */
#define NAME_SIZE 256

/*
 * If the file is the library's, its name there: @user itself, or @buf.
 */
static const char *lkl_path(long user, char *buf, size_t size)
{
	static const char own[] = "/proc/self/net";
	char path[NAME_SIZE], first[2];
	const char *rest;

	if (!user || !user_get(first, user, 2) || likely(first[0] != '/') ||
	    (first[1] != 'p' && first[1] != 's' && first[1] != 'e') ||
	    user_string(path, user, sizeof(path)) < 0)
		return NULL;
	switch (first[1]) {
	case 'p':
		if (skip(path, "/proc/net") || skip(path, "/proc/self/net") ||
		    skip(path, "/proc/thread-self/net") ||
		    skip(path, "/proc/sys/net"))
			return (char *)user;
		rest = skip(path, proc_pid);
		if (!rest || strlen(rest) + sizeof(own) > size)
			return NULL;
		memcpy(buf, own, sizeof(own));
		memcpy(buf + sizeof(own) - 1, rest, strlen(rest) + 1);
		return buf;
	case 's':
		return skip(path, "/sys/class/net") ? (char *)user : NULL;
	case 'e':
		return has_resolv_conf && skip(path, "/etc/resolv.conf")
			       ? (char *)user
			       : NULL;
	}
	return NULL;
}

/*
 * Make a call with a directory and a name at @a, if the file is the library's.
 * Returns whether it is.
 */
static bool at_lkl(long nr, long dir, const long *a, long *ret)
{
	uint32_t word = fd_word(dir);
	const char *path = (void *)a[0];
	char buf[NAME_SIZE], first;

	if (path && user_get(&first, a[0], 1) && first == '/') {
		path = lkl_path(a[0], buf, sizeof(buf));
		if (likely(!path))
			return false;
		dir = LKL_AT_FDCWD;
	} else if (likely(!(word & FD_LKL))) {
		return false;
	} else {
		dir = fd_number(word);
	}
	*ret = lkl_any(nr, dir, (long)path, a[1], a[2], a[3]);
	return true;
}

long path_open(long nr, const long *a)
{
	const long at[6] = { AT_FDCWD, a[0], a[1], a[2] };
	char buf[NAME_SIZE];

	if (likely(!lkl_path(a[0], buf, sizeof(buf))))
		return host_call(nr, a);
	return path_openat(SYS_openat, at);
}

long path_openat(long nr, const long *a)
{
	long ret;

	if (likely(!at_lkl(nr, a[0], a + 1, &ret)))
		return host_call(nr, a);
	return fd_install(ret, a[2] & O_CLOEXEC);
}

long path_openat2(long nr, const long *a)
{
	uint64_t flags = 0;
	long ret;

	if (likely(!at_lkl(nr, a[0], a + 1, &ret)))
		return host_call(nr, a);
	/* They are the first of the structure. */
	user_get(&flags, a[2], sizeof(flags));
	return fd_install(ret, flags & O_CLOEXEC);
}

/* stat(), lstat(), access() and readlink() are forms of others. */
long path_plain(long nr, const long *a)
{
	char buf[NAME_SIZE];
	const char *path = lkl_path(a[0], buf, sizeof(buf));

	return likely(!path) ? host_call(nr, a)
			     : lkl_any(nr, (long)path, a[1], a[2], 0, 0);
}

/* newfstatat(), statx(), faccessat(), readlinkat() */
long path_at(long nr, const long *a)
{
	long ret;

	return likely(!at_lkl(nr, a[0], a + 1, &ret)) ? host_call(nr, a) : ret;
}

/**
 * path_init - the library's files are the program's
 * @resolv_conf: and so is its /etc/resolv.conf
 */
void path_init(bool resolv_conf)
{
	has_resolv_conf = resolv_conf;
	snprintf(proc_pid, sizeof(proc_pid), "/proc/%d/net", getpid());
}

/**
 * path_mount - make the library's files ready
 *
 * Return: 0 or a negative error number
 */
int path_mount(void)
{
	long err = lkl_mount_fs("proc");

	if (err < 0)
		return err;
	err = lkl3(SYS_mkdirat, LKL_AT_FDCWD, "/sys", 0755);
	if (err && err != -EEXIST)
		return err;
	return lkl6(SYS_mount, (long)"none", (long)"/sys", (long)"sysfs", 0, 0,
		    0);
}
