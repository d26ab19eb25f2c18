// SPDX-License-Identifier: GPL-2.0-only
/*
 * A directory of the host in the library's kernel: nothing outside of it is
 * reached, whoever changes it meanwhile; with an image, and with the kernel's
 * life.
 */
#include <limits.h>

#include "hostdir.h"

/*
 * What is not allowed
 */

static void read_only(void)
{
	int fd;

	set_up(LKL_MS_RDONLY);
	host_write("a/f", "text");
	has("/h/f", "text");
	EQ(lkl_sys_open("/h/f", LKL_O_RDWR, 0), -LKL_EROFS);
	EQ(lkl_sys_mkdir("/h/d", 0755), -LKL_EROFS);
	/* nor when the kernel has been told otherwise */
	EQ(lkl_sys_mount("none", "/h", NULL, LKL_MS_REMOUNT, NULL), 0);
	EQ(lkl_sys_mkdir("/h/d", 0755), -LKL_EROFS);
	EQ(lkl_sys_open("/h/f", LKL_O_RDWR, 0), -LKL_EROFS);
	EQ(lkl_sys_open("/h/g", LKL_O_RDWR | LKL_O_CREAT, 0600), -LKL_EROFS);
	EQ(lkl_sys_unlink("/h/f"), -LKL_EROFS);
	EQ(lkl_sys_rename("/h/f", "/h/g"), -LKL_EROFS);
	EQ(lkl_sys_truncate("/h/f", 0), -LKL_EROFS);
	EQ(lkl_sys_chmod("/h/f", 0), -LKL_EROFS);
	EQ(lkl_sys_setxattr("/h/f", "user.x", "1", 1, 0), -LKL_EROFS);
	fd = OK(lkl_sys_open("/h/f", LKL_O_RDONLY, 0));
	EQ(lkl_sys_close(fd), 0);
	has("/h/f", "text");
	tear_down();
}

/* Links are followed in the kernel's tree only. */
static void links_outside(void)
{
	char outside[PATH_MAX + 20];

	set_up(0);
	host_write("b/secret", "secret");
	CHECK(getcwd(outside, PATH_MAX));
	strcat(outside, "/b/secret");
	EQ(symlink("../b/secret", "a/relative"), 0);
	EQ(symlink(outside, "a/absolute"), 0);
	EQ(symlink("../b", "a/directory"), 0);
	EQ(symlink("/proc/self/root", "a/magic"), 0);
	EQ(lkl_sys_open("/h/relative", LKL_O_RDONLY, 0), -LKL_ENOENT);
	EQ(lkl_sys_open("/h/absolute", LKL_O_RDONLY, 0), -LKL_ENOENT);
	EQ(lkl_sys_open("/h/directory/secret", LKL_O_RDONLY, 0), -LKL_ENOENT);
	EQ(lkl_sys_open("/h/magic", LKL_O_RDONLY, 0), -LKL_ENOENT);
	EQ(lkl_sys_open("/h/../b/secret", LKL_O_RDONLY, 0), -LKL_ENOENT);
	EQ(lkl_sys_open("/h/relative", LKL_O_RDWR | LKL_O_CREAT, 0600),
	   -LKL_ENOENT);
	EQ(lkl_sys_mkdir("/b", 0755), 0);
	EQ(lkl_sys_symlink("inside", "/b/secret"), 0);
	EQ(lkl_sys_truncate("/h/relative", 0), -LKL_ENOENT);
	EQ(lkl_sys_chmod("/h/absolute", 0), -LKL_ENOENT);
	tear_down();
	EQ(entries("b"), 3);
}

/* A peer exchanges a directory for a link that leads outside, all the time. */
static int swap_end;

static void *swap(void *arg)
{
	long n = 0;

	(void)arg;
	while (!__atomic_load_n(&swap_end, __ATOMIC_RELAXED)) {
		EQ(renameat2(AT_FDCWD, "a/d", AT_FDCWD, "a/l", RENAME_EXCHANGE),
		   0);
		EQ(rename("a/d", "a/t"), 0);
		EQ(rename("a/t", "a/d"), 0);
		n++;
	}
	return (void *)n;
}

static void swapped(void)
{
	int i, fd, read = 0;
	struct lkl_stat st;
	pthread_t thread;
	char buf[16];
	void *swaps;

	set_up(0);
	EQ(mkdir("a/d", 0755), 0);
	host_write("a/d/f", "inside");
	host_write("b/f", "outside");
	EQ(mkdir("b/sub", 0755), 0);
	EQ(symlink("../b", "a/l"), 0);
	thread = start(swap, NULL);
	for (i = 0; i < 5000; i++) {
		const char *dir = i & 1 ? "/h/d/" : "/h/l/";
		char path[32];

		snprintf(path, sizeof(path), "%sf", dir);
		fd = lkl_sys_open(path, LKL_O_RDWR, 0);
		if (fd >= 0) {
			EQ(lkl_sys_read(fd, buf, sizeof(buf)), 6);
			EQ(memcmp(buf, "inside", 6), 0);
			EQ(lkl_sys_close(fd), 0);
			read++;
		}
		snprintf(path, sizeof(path), "%snew", dir);
		fd = lkl_sys_open(path, LKL_O_RDWR | LKL_O_CREAT, 0600);
		if (fd >= 0)
			EQ(lkl_sys_close(fd), 0);
		lkl_sys_truncate(path, 3);
		lkl_sys_chmod(path, 0640);
		lkl_sys_unlink(path);
		snprintf(path, sizeof(path), "%ssub", dir);
		lkl_sys_rmdir(path);
		lkl_sys_newfstatat(LKL_AT_FDCWD, path, &st, 0);
	}
	__atomic_store_n(&swap_end, 1, __ATOMIC_RELAXED);
	pthread_join(thread, &swaps);
	CHECK(read && swaps);
	tear_down();
	EQ(entries("b"), 4);
	EQ(system("test \"$(cat b/f)\" = outside"), 0);
}

static void swapped_user(void)
{
	ordinary = true;
	swapped();
}

/* The host moves and removes what the kernel has in use. */
static void moved(void)
{
	char buf[16];
	int fd, dir;

	set_up(0);
	EQ(mkdir("a/d", 0755), 0);
	EQ(mkdir("a/d/e", 0755), 0);
	host_write("a/d/e/f", "text");
	fd = OK(lkl_sys_open("/h/d/e/f", LKL_O_RDWR, 0));
	dir = OK(lkl_sys_open("/h/d/e", LKL_O_RDONLY | LKL_O_DIRECTORY, 0));
	EQ(rename("a/d", "a/moved"), 0);
	EQ(lkl_sys_read(fd, buf, sizeof(buf)), 4);
	has("/h/moved/e/f", "text");
	/* it is known where that is by now */
	EQ(lkl_sys_openat(dir, "none", LKL_O_RDONLY, 0), -LKL_ENOENT);
	EQ(lkl_sys_open("/h/d/e/f", LKL_O_RDONLY, 0), -LKL_ENOENT);
	/* a directory becomes one beneath itself */
	EQ(mkdir("a/x", 0755), 0);
	EQ(rename("a/moved/e", "a/x/e"), 0);
	EQ(rename("a/moved", "a/x/e/moved"), 0);
	EQ(rename("a/x", "a/moved"), 0);
	has("/h/moved/e/f", "text");
	has("/h/moved/e/f", "text");
	EQ(lkl_sys_mkdir("/h/moved/e/moved/new", 0755), 0);
	EQ(access("a/moved/e/moved/new", F_OK), 0);
	/* and all goes away */
	remove_tree("a/moved");
	EQ(lkl_sys_pwrite64(fd, "still", 5, 0), 5);
	CHECK(lkl_sys_openat(dir, "f", LKL_O_RDONLY, 0) < 0);
	CHECK(lkl_sys_mkdir("/h/moved/e/n", 0755) < 0);
	EQ(rmdir("a"), 0);
	CHECK(lkl_sys_mkdir("/h/n", 0755) < 0);
	EQ(mkdir("a", 0755), 0);
	CHECK(lkl_sys_mkdir("/h/n", 0755) < 0);
	EQ(lkl_sys_close(dir), 0);
	EQ(lkl_sys_close(fd), 0);
	tear_down();
	EQ(entries("a"), 2);
}

/*
 * Beside an image
 */

static void overlaid(const char *options)
{
	struct lkl_disk disk;
	char mnt[64], line[200];
	int id, fd;

	EQ(chdir("b"), 0);
	disk = (struct lkl_disk){ .fd = ext4_image(32) };
	EQ(chdir(".."), 0);
	id = OK(lkl_disk_add(&disk));
	OK(lkl_mount_dev(id, 0, "ext4", 0, NULL, mnt, sizeof(mnt)));
	EQ(lkl_sys_chdir(mnt), 0);
	EQ(lkl_sys_mkdir("dir", 0755), 0);
	EQ(lkl_sys_mkdir("dir/up", 0755), 0);
	EQ(lkl_sys_mkdir("dir/work", 0755), 0);
	fd = OK(lkl_sys_open("dir/up/image", LKL_O_RDWR | LKL_O_CREAT, 0644));
	EQ(lkl_sys_write(fd, "image", 5), 5);
	EQ(lkl_sys_close(fd), 0);
	EQ(mkdir("a/up", 0755), 0);
	EQ(mkdir("a/work", 0755), 0);
	host_write("a/up/host", "host");
	EQ(lkl_sys_mkdir("/merged", 0755), 0);
	snprintf(line, sizeof(line), options, mnt, mnt);
	EQ(lkl_sys_mount("overlay", "/merged", "overlay", 0, line), 0);
	has("/merged/image", "image");
	has("/merged/host", "host");
	fd = OK(lkl_sys_open("/merged/image", LKL_O_RDWR | LKL_O_APPEND, 0));
	EQ(lkl_sys_write(fd, "+", 1), 1);
	EQ(lkl_sys_close(fd), 0);
	has("/merged/image", "image+");
	EQ(lkl_sys_unlink("/merged/host"), 0);
	EQ(lkl_sys_open("/merged/host", LKL_O_RDONLY, 0), -LKL_ENOENT);
	EQ(lkl_sys_mkdir("/merged/new", 0755), 0);
	EQ(lkl_sys_rename("/merged/image", "/merged/new/image"), 0);
	has("/merged/new/image", "image+");
	EQ(lkl_sys_umount2("/merged", 0), 0);
	EQ(lkl_sys_chdir("/"), 0);
	EQ(lkl_umount_dev(id, 0, 0, 1000), 0);
}

static void overlay_lower(void)
{
	set_up(LKL_MS_RDONLY);
	overlaid("lowerdir=/h/up,upperdir=%s/dir/up,workdir=%s/dir/work");
	has("/h/up/host", "host");
	tear_down();
}

static void overlay_upper(void)
{
	set_up(0);
	overlaid("lowerdir=%s/dir/up,upperdir=/h/up,workdir=/h/work,userxattr");
	EQ(access("a/up/new/image", F_OK), 0);
	tear_down();
}

static void overlay_upper_user(void)
{
	ordinary = true;
	overlay_upper();
}

/*
 * The life of the kernel
 */

static void nothing_remains(void)
{
	int before, round;

	set_up(0);
	tear_down();
	before = entries("/proc/self/fd");
	for (round = 0; round < 3; round++) {
		boot("mem=64M");
		EQ(lkl_mount_hostdir("a", "/h", 0), 0);
		EQ(lkl_mount_hostdir("b", "/other/b", LKL_MS_RDONLY), 0);
		OK(lkl_sys_open("/h/f", LKL_O_RDWR | LKL_O_CREAT, 0600));
		EQ(lkl_umount_hostdir("/h"), -LKL_EBUSY);
		EQ(lkl_umount_hostdir("/other/b"), 0);
		EQ(lkl_umount_hostdir("/other/b"), -LKL_EINVAL);
		EQ(lkl_freeze(), -LKL_EOPNOTSUPP);
		halt();
		EQ(entries("/proc/self/fd"), before);
		EQ(entries("/proc/self/task"), 3);
	}
}

/* A child keeps nothing of its parent's open. */
static void forked(void)
{
	char link[40], path[PATH_MAX];
	int i, status;
	pid_t pid;

	set_up(0);
	OK(lkl_sys_open("/h/f", LKL_O_RDWR | LKL_O_CREAT, 0600));
	pid = fork();
	if (!pid) {
		for (i = 0; i < 200; i++) {
			snprintf(link, sizeof(link), "/proc/self/fd/%d", i);
			memset(path, 0, sizeof(path));
			if (readlink(link, path, sizeof(path) - 1) < 0)
				continue;
			CHECK(!strstr(path, "/a/f"));
			CHECK(strlen(path) < 2 ||
			      strcmp(path + strlen(path) - 2, "/a"));
		}
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	halt();
}

static void errors(void)
{
	set_up(0);
	EQ(lkl_mount_hostdir("none", "/n", 0), -LKL_ENOENT);
	host_write("b/file", "");
	EQ(lkl_mount_hostdir("b/file", "/n", 0), -LKL_ENOTDIR);
	EQ(lkl_mount_hostdir("b", "/h/made/here", 0), 0);
	EQ(access("a/made/here", F_OK), 0);
	EQ(lkl_umount_hostdir("/h/made/here"), 0);
	EQ(lkl_umount_hostdir("/none"), -LKL_ENOENT);
	EQ(lkl_umount_hostdir("/h/made"), -LKL_EINVAL);
	tear_down();
	EQ(lkl_mount_hostdir("b", "/h", 0), -LKL_ENOSYS);
}

static const struct check tests[] = {
	{ "read-only", read_only },
	{ "links outside", links_outside },
	{ "swapped", swapped },
	{ "swapped, ordinary user", swapped_user },
	{ "moved", moved },
	{ "overlay, lower", overlay_lower },
	{ "overlay, upper", overlay_upper },
	{ "overlay, upper, ordinary user", overlay_upper_user },
	{ "nothing remains", nothing_remains },
	{ "forked", forked },
	{ "errors", errors },
};

HOSTDIR_MAIN(tests)
