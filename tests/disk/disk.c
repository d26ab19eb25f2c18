// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks as the kernel sees them: where writes land, what a flush does, and what
 * the kernel makes of a disk that cannot be written or has errors.
 */
#include <sys/stat.h>

#include <lkl/linux/fs.h>

#include "check.h"

#define KIB 1024L
#define MIB (KIB * KIB)
#define TIB (MIB * MIB)

/* A descriptor in the kernel of the whole disk. */
static int open_disk(int id, int flags)
{
	uint32_t dev;

	OK(lkl_get_virtio_blkdev(id, 0, &dev));
	lkl_sys_unlink("/disk");
	OK(lkl_sys_mknod("/disk", LKL_S_IFBLK | 0600, dev));
	return OK(lkl_sys_open("/disk", flags, 0));
}

/* Every block lands where it belongs, also behind 2^32 sectors. */
static void big(void)
{
	static const long places[] = {
		0,	 TIB - 4096,	 2 * TIB - 4096,
		2 * TIB, 2 * TIB + 4096, 5 * TIB / 2 - 4096,
	};
	char path[] = "big-XXXXXX", buf[4096], seen[4096];
	struct lkl_disk disk = { .fd = mkstemp(path) };
	struct stat st;
	int fd;

	CHECK(disk.fd >= 0);
	unlink(path);
	if (ftruncate(disk.fd, 5 * TIB / 2)) {
		printf("skip: no file of 2.5 TiB here\n");
		return;
	}
	boot("mem=64M");
	fd = open_disk(OK(lkl_disk_add(&disk)), LKL_O_RDWR);
	EQ(lkl_sys_lseek(fd, 0, LKL_SEEK_END), 5 * TIB / 2);
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		memset(buf, 'a' + i, sizeof(buf));
		EQ(lkl_sys_pwrite64(fd, buf, sizeof(buf), places[i]),
		   sizeof(buf));
	}
	EQ(lkl_sys_fsync(fd), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		memset(buf, 'a' + i, sizeof(buf));
		EQ(pread(disk.fd, seen, sizeof(seen), places[i]), sizeof(seen));
		if (memcmp(buf, seen, sizeof(buf)))
			FAIL("another block at %#lx", places[i]);
	}
	/* And nowhere else. */
	EQ(fstat(disk.fd, &st), 0);
	CHECK(st.st_blocks * 512L <= MIB);
	EQ(st.st_size, 5 * TIB / 2);
	CHECK(lkl_sys_pwrite64(fd, buf, sizeof(buf), 5 * TIB / 2) < 0);
	halt();
}

/* For disk-flush.sh, which counts what reaches the host. */
static void writes(int sync)
{
	struct lkl_disk disk = { .fd = ext4_image(16) };
	char path[64];
	int id, fd;

	boot("mem=64M");
	id = OK(lkl_disk_add(&disk));
	OK(lkl_mount_dev(id, 0, "ext4", 0, NULL, path, sizeof(path)));
	EQ(lkl_sys_chdir(path), 0);
	fd = OK(lkl_sys_open("f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	for (int i = 0; i < 10; i++) {
		EQ(lkl_sys_write(fd, path, sizeof(path)), sizeof(path));
		if (sync)
			EQ(lkl_sys_fsync(fd), 0);
	}
	/* Not by halt(), which has to flush. */
	_exit(0);
}

static void with_fsync(void)
{
	writes(1);
}

static void without_fsync(void)
{
	writes(0);
}

/* What has been opened read-only cannot be mounted otherwise. */
static void read_only(void)
{
	char path[64], name[64], *before = malloc(MIB), *after = malloc(MIB);
	int writable = ext4_image(16), ro = 0, id;
	struct lkl_disk disk;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", writable);
	disk = (struct lkl_disk){ .fd = open(name, O_RDONLY) };
	CHECK(disk.fd >= 0);
	EQ(pread(writable, before, MIB, 0), MIB);
	boot("mem=64M");
	id = OK(lkl_disk_add(&disk));
	EQ(lkl_sys_ioctl(open_disk(id, LKL_O_RDONLY), LKL_BLKROGET, (long)&ro),
	   0);
	EQ(ro, 1);
	EQ(lkl_mount_dev(id, 0, "ext4", 0, NULL, path, sizeof(path)),
	   -LKL_EACCES);
	OK(lkl_mount_dev(id, 0, "ext4", LKL_MS_RDONLY, NULL, path,
			 sizeof(path)));
	EQ(lkl_sys_mount(NULL, path, NULL, LKL_MS_REMOUNT, NULL), -LKL_EACCES);
	EQ(lkl_sys_chdir(path), 0);
	EQ(lkl_sys_mkdir("d", 0700), -LKL_EROFS);
	EQ(lkl_sys_chdir("/"), 0);
	EQ(lkl_umount_dev(id, 0, 0, 1000), 0);
	halt();
	EQ(pread(writable, after, MIB, 0), MIB);
	EQ(memcmp(before, after, MIB), 0);
}

/* A disk of the application's, in memory, that can be told to fail. */
static struct {
	char data[16 << 20] __attribute__((aligned(4096)));
	int fail, reads, written, flushes;
} ram;

static int ram_capacity(struct lkl_disk disk, unsigned long long *bytes)
{
	EQ(disk.handle, &ram);
	*bytes = sizeof(ram.data);
	return 0;
}

static int ram_request(struct lkl_disk disk, struct lkl_blk_req *req)
{
	char *at = ram.data + req->sector * 512;

	EQ(disk.handle, &ram);
	if (ram.fail)
		return LKL_DEV_BLK_STATUS_IOERR;
	for (int i = 0; i < req->count; at += req->buf[i++].iov_len) {
		CHECK(at + req->buf[i].iov_len <= ram.data + sizeof(ram.data));
		if (req->type == LKL_DEV_BLK_TYPE_READ)
			memcpy(req->buf[i].iov_base, at, req->buf[i].iov_len);
		else if (req->type == LKL_DEV_BLK_TYPE_WRITE)
			memcpy(at, req->buf[i].iov_base, req->buf[i].iov_len);
	}
	ram.reads += req->type == LKL_DEV_BLK_TYPE_READ;
	ram.written += req->type == LKL_DEV_BLK_TYPE_WRITE;
	ram.flushes += req->type == LKL_DEV_BLK_TYPE_FLUSH ||
		       req->type == LKL_DEV_BLK_TYPE_FLUSH_OUT;
	return LKL_DEV_BLK_STATUS_OK;
}

/* Only what the table had when programs were written for it. */
static struct lkl_dev_blk_ops ram_ops = { .get_capacity = ram_capacity,
					  .request = ram_request };

static void custom(void)
{
	struct lkl_disk disk = { .handle = &ram, .ops = &ram_ops };
	char path[64], buf[4096] = "hello", seen[4096];
	int image = ext4_image(16), id, fd;

	EQ(pread(image, ram.data, sizeof(ram.data), 0), sizeof(ram.data));
	boot("mem=64M");
	id = OK(lkl_disk_add(&disk));
	OK(lkl_mount_dev(id, 0, "ext4", 0, NULL, path, sizeof(path)));
	CHECK(ram.reads);
	EQ(lkl_sys_chdir(path), 0);
	fd = OK(lkl_sys_open("f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	EQ(lkl_sys_write(fd, buf, sizeof(buf)), sizeof(buf));
	ram.flushes = ram.written = 0;
	EQ(lkl_sys_fsync(fd), 0);
	CHECK(ram.written && ram.flushes);

	/* Its errors are the file system's, and stay where they are. */
	EQ(lkl_sys_pwrite64(fd, buf, sizeof(buf), 8192), sizeof(buf));
	ram.fail = 1;
	EQ(lkl_sys_fsync(fd), -LKL_EIO);
	EQ(lkl_sys_pread64(open_disk(id, LKL_O_RDONLY | LKL_O_DIRECT), ram.data,
			   4096, 8 << 20),
	   -LKL_EIO);
	ram.fail = 0;
	EQ(lkl_sys_pread64(fd, seen, sizeof(seen), 0), sizeof(seen));
	EQ(memcmp(seen, buf, sizeof(buf)), 0);
	EQ(lkl_sys_getpid(), 1);
	halt();
}

/* What a file system gives back, the image does, too. */
static void trim(void)
{
	struct lkl_disk disk = { .fd = ext4_image(64) };
	struct lkl_fstrim_range range = { .len = -1ULL };
	char path[64], *buf = malloc(MIB);
	struct stat empty, full, trimmed;
	int id, fd;

	boot("mem=64M");
	id = OK(lkl_disk_add(&disk));
	OK(lkl_mount_dev(id, 0, "ext4", 0, NULL, path, sizeof(path)));
	EQ(lkl_sys_chdir(path), 0);
	EQ(fstat(disk.fd, &empty), 0);
	memset(buf, 'x', MIB);
	fd = OK(lkl_sys_open("f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	for (int i = 0; i < 32; i++)
		EQ(lkl_sys_write(fd, buf, MIB), MIB);
	EQ(lkl_sys_fsync(fd), 0);
	EQ(fstat(disk.fd, &full), 0);
	CHECK(full.st_blocks - empty.st_blocks >= 32 * MIB / 512);
	EQ(lkl_sys_close(fd), 0);
	EQ(lkl_sys_unlink("f"), 0);
	lkl_sys_sync();
	fd = OK(lkl_sys_open(".", LKL_O_RDONLY, 0));
	EQ(lkl_sys_ioctl(fd, LKL_FITRIM, (long)&range), 0);
	EQ(fstat(disk.fd, &trimmed), 0);
	if (full.st_blocks - trimmed.st_blocks < 30 * MIB / 512)
		FAIL("%ld blocks, %ld before", (long)trimmed.st_blocks,
		     (long)full.st_blocks);
	halt();
}

static const struct check tests[] = {
	{ "big", big },
	{ "with-fsync", with_fsync },
	{ "without-fsync", without_fsync },
	{ "read-only", read_only },
	{ "custom", custom },
	{ "trim", trim },
};

CHECK_MAIN(tests)
