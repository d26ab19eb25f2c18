/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of a directory of the host in the library's kernel.  As root some
 * are made as an ordinary user as well.
 */
#ifndef TESTS_HOSTDIR_H
#define TESTS_HOSTDIR_H

#include <ftw.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "check.h"

#define NOBODY 65534
static bool ordinary;

static void in_user(void)
{
	if (geteuid() || !ordinary)
		return;
	EQ(setgid(NOBODY), 0);
	EQ(setuid(NOBODY), 0);
}

/* An empty directory of the host, which belongs to whom the test is. */
__attribute__((unused)) static void make_dir(const char *name)
{
	EQ(mkdir(name, 0755), 0);
	if (!geteuid() && ordinary)
		EQ(chown(name, NOBODY, NOBODY), 0);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void remove_tree(const char *name)
{
	nftw(name, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* "a" is mounted on /h, "b" is for the host. */
__attribute__((unused)) static void set_up(unsigned int flags)
{
	umask(022);
	remove_tree("a");
	remove_tree("b");
	make_dir("a");
	make_dir("b");
	in_user();
	boot("mem=64M");
	EQ(lkl_mount_hostdir("a", "/h", flags), 0);
}

__attribute__((unused)) static void tear_down(void)
{
	EQ(lkl_umount_hostdir("/h"), 0);
	halt();
}

__attribute__((unused)) static void host_write(const char *path,
					       const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	CHECK(fd >= 0);
	EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Does a file of the library's kernel have these contents? */
__attribute__((unused)) static void has(const char *path, const char *text)
{
	char buf[256] = "";
	int fd = OK(lkl_sys_open(path, LKL_O_RDONLY, 0));

	EQ(lkl_sys_read(fd, buf, sizeof(buf) - 1), strlen(text));
	EQ(strcmp(buf, text), 0);
	EQ(lkl_sys_close(fd), 0);
}

#define HOSTDIR_MAIN(tests)                                                    \
	int main(int argc, char **argv)                                        \
	{                                                                      \
		int status = check_main(tests, ARRAY_SIZE(tests), argc, argv); \
                                                                               \
		remove_tree("a");                                              \
		remove_tree("b");                                              \
		return status;                                                 \
	}

#endif /* TESTS_HOSTDIR_H */
