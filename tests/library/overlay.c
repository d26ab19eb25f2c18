// SPDX-License-Identifier: GPL-2.0-only
/*
 * overlayfs: a squashfs or erofs image below, an ext4 image above.
 */
#include "check.h"

static struct lkl_disk disks[2];
static char lower[64], upper[64];

/* Mount both images; the overlay is on /merged. */
static void mount_overlay(const char *type)
{
	char options[256];
	int id;

	boot("mem=64M");
	id = OK(lkl_disk_add(&disks[0]));
	OK(lkl_mount_dev(id, 0, type, LKL_MS_RDONLY, NULL, lower,
			 sizeof(lower)));
	id = OK(lkl_disk_add(&disks[1]));
	OK(lkl_mount_dev(id, 0, "ext4", 0, NULL, upper, sizeof(upper)));
	snprintf(options, sizeof(options), "%s/upper", upper);
	lkl_sys_mkdir(options, 0755);
	snprintf(options, sizeof(options), "%s/work", upper);
	lkl_sys_mkdir(options, 0755);
	OK(lkl_sys_mkdir("/merged", 0755));
	snprintf(options, sizeof(options),
		 "lowerdir=%s,upperdir=%s/upper,workdir=%s/work", lower, upper,
		 upper);
	OK(lkl_sys_mount("overlay", "/merged", "overlay", 0, options));
}

static void unmount_overlay(void)
{
	OK(lkl_umount_timeout("/merged", 0, 10000));
	OK(lkl_umount_timeout(upper, 0, 10000));
	OK(lkl_umount_timeout(lower, 0, 10000));
	halt();
}

/* The file's contents are those of the text. */
static void holds(const char *path, const char *text)
{
	char buf[100];
	int fd = OK(lkl_sys_open(path, LKL_O_RDONLY, 0));
	long n = OK(lkl_sys_read(fd, buf, sizeof(buf)));

	EQ(n, strlen(text));
	EQ(memcmp(buf, text, n), 0);
	OK(lkl_sys_close(fd));
}

static void overlay(const char *type, const char *mkfs)
{
	int fd;

	if (system("mkdir -p low/dir && echo -n below >low/change &&"
		   "echo -n below >low/dir/keep && echo x >low/remove"))
		FAIL("cannot make files");
	if (system(mkfs))
		FAIL("%s", mkfs);
	disks[0].fd = open("low.img", O_RDONLY | O_CLOEXEC);
	disks[1].fd = ext4_image(32);

	mount_overlay(type);
	holds("/merged/dir/keep", "below");
	fd = OK(lkl_sys_open("/merged/change", LKL_O_WRONLY | LKL_O_APPEND, 0));
	EQ(lkl_sys_write(fd, " and above", 10), 10);
	OK(lkl_sys_close(fd));
	OK(lkl_sys_unlink("/merged/remove"));
	OK(lkl_sys_rename("/merged/dir/keep", "/merged/moved"));
	unmount_overlay();

	/* what is above is still there after a boot */
	mount_overlay(type);
	holds("/merged/change", "below and above");
	holds("/merged/moved", "below");
	EQ(lkl_sys_access("/merged/remove", 0), -LKL_ENOENT);
	EQ(lkl_sys_access("/merged/dir/keep", 0), -LKL_ENOENT);
	strcat(lower, "/change");
	holds(lower, "below");
	*strrchr(lower, '/') = 0;
	unmount_overlay();
}

static void test_squashfs(void)
{
	overlay("squashfs",
		"mksquashfs low low.img -noappend -quiet -no-progress");
}

static void test_erofs(void)
{
	overlay("erofs", "mkfs.erofs -zlz4 low.img low >mkfs.log");
}

static const struct check tests[] = {
	{ "squashfs", test_squashfs },
	{ "erofs", test_erofs },
};

CHECK_MAIN(tests)
