// SPDX-License-Identifier: GPL-2.0-only
/*
 * The helpers for disks, mounts and directories (lib/fs.c).
 *
 * Makes two images in the working directory: a disk with a partition, and a
 * whole disk, both ext4.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lkl.h>

#define IMAGE_MB "32"

static struct lkl_disk disks[2];
static int ids[2];

/*
 * The library's handler, which cmocka replaces for each test.  A kernel with
 * larger pages than the host's looks at memory that may not be there.
 */
static struct sigaction faults;

static void restore_faults(void)
{
	assert_int_equal(sigaction(SIGSEGV, &faults, NULL), 0);
}

static int setup(void **state)
{
	static const char make[] =
		"set -e; PATH=$PATH:/usr/sbin:/sbin;"
		"truncate -s " IMAGE_MB "M whole; mkfs.ext4 -q whole;"
		"truncate -s 40M parts;"
		"echo '2048," IMAGE_MB "M,L' | sfdisk -q --label dos parts;"
		"dd if=whole of=parts bs=1M seek=1 conv=notrunc status=none";
	static const char *const names[] = { "parts", "whole" };

	(void)state;
	if (system(make))
		return -1;
	lkl_host_ops.print = NULL;
	if (lkl_init(&lkl_host_ops))
		return -1;
	for (int i = 0; i < 2; i++) {
		disks[i].fd = open(names[i], O_RDWR | O_CLOEXEC);
		ids[i] = lkl_disk_add(&disks[i]);
		if (ids[i] < 0)
			return -1;
	}
	if (lkl_start_kernel(KERNEL_PAGE > 4096 ? "mem=112M" : "mem=64M"))
		return -1;
	return sigaction(SIGSEGV, NULL, &faults);
}

static int teardown(void **state)
{
	(void)state;
	lkl_sys_halt();
	lkl_cleanup();
	return unlink("parts") || unlink("whole");
}

static void test_mount_fs(void **state)
{
	struct lkl_stat st;

	(void)state;
	restore_faults();
	assert_int_equal(lkl_mount_fs("proc"), 0);
	assert_int_equal(lkl_mount_fs("proc"), 1);
	assert_int_equal(lkl_sys_stat("/proc/self/status", &st), 0);
	assert_int_equal(lkl_mount_fs("tmpfs"), 0);
	assert_int_equal(lkl_mount_fs("tmpfs"), 1);
	assert_int_equal(lkl_umount_timeout("/tmpfs", 0, 10000), 0);
	assert_int_equal(lkl_mount_fs("nosuchfs"), -LKL_ENODEV);
}

static void test_device_numbers(void **state)
{
	uint32_t whole, part, again;

	(void)state;
	restore_faults();
	assert_int_equal(lkl_get_virtio_blkdev(ids[0], 0, &whole), 0);
	assert_int_equal(lkl_get_virtio_blkdev(ids[0], 1, &part), 0);
	assert_int_equal(part, whole + 1);
	assert_int_equal(lkl_get_virtio_blkdev(ids[1], 0, &part), 0);
	assert_int_not_equal(part, whole);
	assert_int_equal(lkl_get_virtio_blkdev(ids[0], 2, &part), -LKL_ENXIO);
	assert_int_equal(lkl_get_virtio_blkdev(99, 0, &part), -LKL_ENODEV);
	assert_int_equal(
		lkl_encode_dev_from_sysfs("/sysfs/class/mem/null/dev", &again),
		0);
	assert_int_equal(again, 1 << 8 | 3);
	assert_int_equal(lkl_encode_dev_from_sysfs("/none", &again),
			 -LKL_ENOENT);
	assert_int_equal(lkl_encode_dev_from_sysfs("/proc/version", &again),
			 -LKL_EINVAL);
}

static void mount_and_use(int disk, unsigned int part)
{
	char mnt[32], path[64];
	struct lkl_stat st;
	long fd;

	assert_int_equal(lkl_mount_dev(ids[disk], part, "ext4", 0, NULL, mnt,
				       sizeof(mnt)),
			 0);
	snprintf(path, sizeof(path), "%s/file", mnt);
	fd = lkl_sys_openat(LKL_AT_FDCWD, path, LKL_O_RDWR | LKL_O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(lkl_sys_write(fd, "hello", 5), 5);

	/* busy while the file is open */
	assert_int_equal(lkl_umount_dev(ids[disk], part, 0, 5), -LKL_EBUSY);
	assert_int_equal(lkl_sys_close(fd), 0);
	assert_int_equal(lkl_umount_dev(ids[disk], part, 0, 1000), 0);
	assert_int_equal(lkl_sys_stat(mnt, &st), -LKL_ENOENT);

	assert_int_equal(lkl_mount_dev(ids[disk], part, "ext4", LKL_MS_RDONLY,
				       NULL, mnt, sizeof(mnt)),
			 0);
	assert_int_equal(lkl_sys_stat(path, &st), 0);
	assert_int_equal(st.st_size, 5);
	assert_int_equal(lkl_umount_dev(ids[disk], part, 0, 1000), 0);
}

static void test_mount(void **state)
{
	char mnt[32];

	(void)state;
	restore_faults();
	mount_and_use(0, 1);
	mount_and_use(1, 0);
	assert_int_equal(
		lkl_mount_dev(ids[1], 0, "xfs", 0, NULL, mnt, sizeof(mnt)),
		-LKL_EINVAL);
	assert_int_equal(
		lkl_mount_dev(ids[0], 2, "ext4", 0, NULL, mnt, sizeof(mnt)),
		-LKL_ENXIO);
	assert_int_equal(lkl_mount_dev(ids[1], 0, "ext4", 0, NULL, mnt, 4),
			 -LKL_ENAMETOOLONG);
	assert_int_equal(lkl_umount_dev(ids[1], 0, 0, 0), -LKL_ENOENT);
}

/* Both partitions at the same time, each with its own mount point. */
static void test_mount_two(void **state)
{
	char a[32], b[32];

	(void)state;
	restore_faults();
	assert_int_equal(
		lkl_mount_dev(ids[0], 1, "ext4", 0, NULL, a, sizeof(a)), 0);
	assert_int_equal(lkl_mount_dev(ids[1], 0, "ext4", 0, "data=journal", b,
				       sizeof(b)),
			 0);
	assert_string_not_equal(a, b);
	assert_int_equal(lkl_umount_dev(ids[0], 1, 0, 1000), 0);
	assert_int_equal(lkl_umount_dev(ids[1], 0, 0, 1000), 0);
}

static int count_entries(struct lkl_dir *d)
{
	struct lkl_linux_dirent64 *entry;
	int n = 0;

	while ((entry = lkl_readdir(d))) {
		assert_true(*entry->d_name);
		n++;
	}
	assert_int_equal(lkl_errdir(d), 0);
	return n;
}

static void test_directories(void **state)
{
	/* tmpfs takes one for every two pages of memory */
	enum { FILES = KERNEL_PAGE > 4096 ? 500 : 5000 };
	char path[64];
	struct lkl_dir *d;
	int err = 0, fd;

	(void)state;
	restore_faults();
	assert_int_equal(lkl_sys_mkdir("/many", 0700), 0);
	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "/many/a-file-number-%d", i);
		fd = lkl_sys_openat(LKL_AT_FDCWD, path,
				    LKL_O_WRONLY | LKL_O_CREAT, 0600);
		assert_true(fd >= 0);
		lkl_sys_close(fd);
	}
	err = 1;
	d = lkl_opendir("/many", &err);
	assert_int_equal(err, 0);
	assert_non_null(d);
	assert_int_equal(count_entries(d), FILES + 2);
	assert_null(lkl_readdir(d));
	lkl_rewinddir(d);
	assert_int_equal(count_entries(d), FILES + 2);
	assert_true(lkl_dirfd(d) >= 0);
	assert_int_equal(lkl_closedir(d), 0);

	assert_null(lkl_opendir("/none", &err));
	assert_int_equal(err, -LKL_ENOENT);
	assert_null(lkl_opendir("/many/a-file-number-0", &err));
	assert_int_equal(err, -LKL_ENOTDIR);

	fd = lkl_sys_openat(LKL_AT_FDCWD, "/many/a-file-number-0", LKL_O_RDONLY,
			    0);
	d = lkl_fdopendir(fd, &err);
	assert_non_null(d);
	assert_int_equal(lkl_dirfd(d), fd);
	assert_null(lkl_readdir(d));
	assert_int_equal(lkl_errdir(d), -LKL_ENOTDIR);
	assert_int_equal(lkl_closedir(d), 0);
}

static void test_fd_limit(void **state)
{
	int fd = 0;

	(void)state;
	restore_faults();
	assert_int_equal(lkl_set_fd_limit(100), 0);
	while (fd >= 0)
		fd = lkl_sys_openat(LKL_AT_FDCWD, "/", LKL_O_RDONLY, 0);
	assert_int_equal(fd, -LKL_EMFILE);
	for (fd = 0; fd < 100; fd++)
		lkl_sys_close(fd);
	assert_int_equal(lkl_set_fd_limit(100000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mount_fs),
		cmocka_unit_test(test_device_numbers),
		cmocka_unit_test(test_mount),
		cmocka_unit_test(test_mount_two),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_fd_limit),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
