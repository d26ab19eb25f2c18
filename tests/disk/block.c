// SPDX-License-Identifier: GPL-2.0-only
/*
 * The block device on images, without a kernel: what is read and written, in
 * which pieces, holes, bounds, errors.
 */
#include "block.h"

static void test_disk_basic(void **state)
{
	int fd = disk_setup(8 * MIB, O_RDWR);
	char *a = malloc(MIB), *b = malloc(MIB), id[20] = "x";

	(void)state;
	assert_int_equal(config()->capacity, 8 * MIB / 512);
	assert_int_equal(config()->blk_size, 512);
	assert_false(disk_dev->dev.offered & 1ULL << LKL_VIRTIO_BLK_F_RO);
	assert_int_equal(lkl_vdev_index(LKL_VIRTIO_ID_BLOCK, 1), -LKL_ENODEV);

	fill(a, MIB, 1);
	assert_int_equal(blk_write(3, a, MIB), 0);
	assert_int_equal(blk_read(3, b, MIB), 0);
	assert_memory_equal(a, b, MIB);
	assert_int_equal(pread(fd, b, MIB, 3 * 512), MIB);
	assert_memory_equal(a, b, MIB);
	assert_int_equal(blk_read(3, b, 4096), 0);
	assert_memory_equal(a, b, 4096);
	assert_int_equal(blk_do(LKL_VIRTIO_BLK_T_GET_ID, 0, id, 20), 0);
	assert_string_equal(id, "lkl-disk-0");
	assert_int_equal(blk_do(99, 0, NULL, 0), LKL_VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(blk_do(LKL_VIRTIO_BLK_T_FLUSH, 0, NULL, 0), 0);
	disk_teardown(fd);
	free(a);
	free(b);
}

/* Header and status cut into pieces, data of many small ones. */
static void test_disk_framing(void **state)
{
	int fd = disk_setup(MIB, O_RDWR);
	struct lkl_virtio_blk_outhdr hdr = { .type = LKL_VIRTIO_BLK_T_OUT,
					     .sector = 5 };
	char data[1024], back[1025];
	struct request req;
	struct iovec iov[132];
	unsigned int n = 0, i;

	(void)state;
	fill(data, sizeof(data), 2);
	iov[n++] = (struct iovec){ &hdr, 3 };
	iov[n++] = (struct iovec){ (char *)&hdr + 3, 0 };
	iov[n++] = (struct iovec){ (char *)&hdr + 3, 13 };
	for (i = 0; i < sizeof(data); i += 8)
		iov[n++] = (struct iovec){ data + i, 8 };
	iov[n++] = (struct iovec){ back, 1 };
	cpu_lock();
	driver_add(&drv, &req, iov, n - 1, 1, true);
	driver_kick(&drv);
	cpu_unlock();
	while (!__atomic_load_n(&req.done, __ATOMIC_ACQUIRE))
		usleep(20);
	assert_int_equal(back[0], 0);
	assert_int_equal(req.len, 1);

	/* Header and data to write, data read and status, each in one. */
	memset(back, 0xff, sizeof(back));
	hdr.type = LKL_VIRTIO_BLK_T_IN;
	iov[0] = (struct iovec){ &hdr, sizeof(hdr) };
	iov[1] = (struct iovec){ back, sizeof(back) };
	cpu_lock();
	driver_add(&drv, &req, iov, 1, 1, false);
	driver_kick(&drv);
	cpu_unlock();
	while (!__atomic_load_n(&req.done, __ATOMIC_ACQUIRE))
		usleep(20);
	assert_int_equal(back[1024], 0);
	assert_memory_equal(back, data, sizeof(data));
	disk_teardown(fd);
}

/* Many requests of random size in flight, against a copy in memory. */
static void test_disk_random(int flags)
{
	enum { SLOTS = 32, AREA = 256 * KIB };
	int fd = disk_setup(SLOTS * AREA, flags);
	size_t block = config()->blk_size;
	char *model = aligned_alloc(4096, SLOTS * AREA);
	char *bufs = aligned_alloc(4096, SLOTS * AREA);
	struct {
		struct blk_request r;
		bool active;
		bool write;
		size_t pos;
		size_t len;
	} slots[SLOTS] = { 0 };
	unsigned int seed = 12345, i, k, started = 0, active = 0;

	memset(model, 0, SLOTS * AREA);
	while (started < 20000 || active) {
		cpu_lock();
		for (i = 0; i < SLOTS && started < 20000; i++) {
			struct iovec iov[8];
			unsigned int n = 1 + rand_r(&seed) % 8;
			size_t pos, len;

			if (slots[i].active || drv.num_free < 16)
				continue;
			/* Slots keep to their own area of the disk. */
			pos = rand_r(&seed) % (AREA / 2) / block * block;
			len = block * (1 + rand_r(&seed) % 8);
			if (rand_r(&seed) % 16 == 0)
				len = AREA / 2 / 8 / block * block;
			for (k = 0; k < n; k++)
				iov[k] = (struct iovec){
					bufs + i * AREA + k * len, len
				};
			if (pos + n * len > AREA)
				continue;
			slots[i].active = true;
			slots[i].write = rand_r(&seed) % 2;
			slots[i].pos = i * AREA + pos;
			slots[i].len = n * len;
			if (slots[i].write) {
				fill(bufs + i * AREA, n * len, started);
				memcpy(model + slots[i].pos, bufs + i * AREA,
				       n * len);
			}
			blk_add(&slots[i].r,
				slots[i].write ? LKL_VIRTIO_BLK_T_OUT
					       : LKL_VIRTIO_BLK_T_IN,
				slots[i].pos / 512, iov, n, slots[i].write);
			started++;
			active++;
			if (rand_r(&seed) % 4 == 0)
				break;
		}
		driver_kick(&drv);
		cpu_unlock();
		for (i = 0; i < SLOTS; i++) {
			if (!slots[i].active ||
			    !__atomic_load_n(&slots[i].r.req.done,
					     __ATOMIC_ACQUIRE))
				continue;
			assert_int_equal(slots[i].r.status, 0);
			if (!slots[i].write)
				assert_memory_equal(bufs + i * AREA,
						    model + slots[i].pos,
						    slots[i].len);
			slots[i].active = false;
			active--;
		}
	}
	assert_int_equal(pread(fd, bufs, SLOTS * AREA, 0), SLOTS * AREA);
	assert_memory_equal(bufs, model, SLOTS * AREA);
	disk_teardown(fd);
	free(model);
	free(bufs);
}

static void test_disk_random_cached(void **state)
{
	(void)state;
	test_disk_random(O_RDWR);
}

static bool no_direct(void)
{
	int fd = open(image, O_RDWR | O_CREAT | O_DIRECT, 0600);

	unlink(image);
	return fd < 0 || close(fd);
}

static void test_disk_random_direct(void **state)
{
	(void)state;
	if (no_direct())
		skip();
	test_disk_random(O_RDWR | O_DIRECT);
}

static void test_disk_direct_tail(void **state)
{
	alignas(4096) char a[4096], b[4096];
	int fd;

	(void)state;
	if (no_direct())
		skip();
	fd = open_image(0, O_RDWR);
	fill(a, sizeof(a), 3);
	assert_int_equal(pwrite(fd, a, 4096, 8192), 4096);
	assert_int_equal(ftruncate(fd, 8192 + 700), 0);
	close(fd);
	fd = disk_setup(0, O_RDWR | O_DIRECT);
	assert_int_equal(config()->capacity, 18);
	if (config()->blk_size == 512) {
		assert_int_equal(blk_read(16, b, 1024), 0);
		assert_memory_equal(a, b, 700);
		assert_true(all_zero(b + 700, 1024 - 700));
	}
	disk_teardown(fd);
}

static void test_disk_huge(void **state)
{
	/* 2.5 TiB: beyond 2^32 sectors, and not a power of two. */
	const unsigned long long size = 5ULL << 39;
	int fd = disk_setup(size, O_RDWR);
	char a[8192], b[8192];
	unsigned long long at[] = { 0,
				    (1ULL << 32) / 512 - 8,
				    1ULL << 31,
				    (1ULL << 32) - 8,
				    (1ULL << 32) + 8,
				    size / 512 - 16 };
	struct stat st;
	unsigned int i;

	(void)state;
	assert_int_equal(config()->capacity, size / 512);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		fill(a, sizeof(a), i);
		assert_int_equal(blk_write(at[i], a, sizeof(a)), 0);
	}
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		fill(a, sizeof(a), i);
		assert_int_equal(blk_read(at[i], b, sizeof(b)), 0);
		assert_memory_equal(a, b, sizeof(a));
		memset(b, 0, sizeof(b));
		assert_int_equal(pread(fd, b, sizeof(b), at[i] * 512),
				 sizeof(b));
		assert_memory_equal(a, b, sizeof(a));
	}
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, size);
	assert_in_range(st.st_blocks, 1, 512);
	assert_int_equal(blk_write(size / 512, a, 512), LKL_VIRTIO_BLK_S_IOERR);
	disk_teardown(fd);
}

static void test_disk_bounds(void **state)
{
	int fd = disk_setup(MIB, O_RDWR);
	char buf[4096] = { 0 };

	(void)state;
	assert_int_equal(blk_read(2048, buf, 512), LKL_VIRTIO_BLK_S_IOERR);
	assert_int_equal(blk_read(2047, buf, 1024), LKL_VIRTIO_BLK_S_IOERR);
	assert_int_equal(blk_read(~0ULL, buf, 512), LKL_VIRTIO_BLK_S_IOERR);
	assert_int_equal(blk_read(~0ULL / 512 + 1, buf, 512),
			 LKL_VIRTIO_BLK_S_IOERR);
	assert_int_equal(blk_write(2047, buf, 1024), LKL_VIRTIO_BLK_S_IOERR);
	assert_int_equal(blk_read(0, buf, 100), LKL_VIRTIO_BLK_S_IOERR);
	assert_int_equal(blk_read(0, buf, 0), 0);
	assert_int_equal(blk_read(2047, buf, 512), 0);
	assert_int_equal(blk_range(LKL_VIRTIO_BLK_T_DISCARD, 2047, 2, 0),
			 LKL_VIRTIO_BLK_S_IOERR);
	assert_int_equal(blk_range(LKL_VIRTIO_BLK_T_DISCARD, 0, 1, 1),
			 LKL_VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(blk_range(LKL_VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 2),
			 LKL_VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(blk_do(LKL_VIRTIO_BLK_T_DISCARD, 0, buf, 15),
			 LKL_VIRTIO_BLK_S_IOERR);
	assert_int_equal(blk_do(LKL_VIRTIO_BLK_T_DISCARD, 0, buf, 16 * 33),
			 LKL_VIRTIO_BLK_S_IOERR);
	assert_int_equal(lseek(fd, 0, SEEK_END), MIB);

	/* The file has become shorter than the disk. */
	assert_int_equal(ftruncate(fd, MIB / 2), 0);
	assert_int_equal(blk_read(1024, buf, 512), LKL_VIRTIO_BLK_S_IOERR);
	assert_int_equal(blk_read(1020, buf, 4096), LKL_VIRTIO_BLK_S_IOERR);
	assert_int_equal(blk_read(1016, buf, 4096), 0);
	disk_teardown(fd);
}

static void test_disk_odd_size(void **state)
{
	char a[4096], b[4096];
	int fd = open_image(0, O_RDWR);

	(void)state;
	fill(a, sizeof(a), 9);
	assert_int_equal(pwrite(fd, a, 4000, 0), 4000);
	close(fd);
	fd = disk_setup(0, O_RDWR);
	assert_int_equal(config()->capacity, 8);
	memset(b, 0xff, sizeof(b));
	assert_int_equal(blk_read(0, b, 4096), 0);
	assert_memory_equal(a, b, 4000);
	assert_true(all_zero(b + 4000, 96));
	memset(b, 0xff, sizeof(b));
	assert_int_equal(blk_read(7, b, 512), 0);
	assert_memory_equal(a + 7 * 512, b, 4000 - 7 * 512);
	assert_true(all_zero(b + 4000 - 7 * 512, 96));
	/* The image does not grow. */
	assert_int_equal(blk_write(6, a, 512), 0);
	assert_int_equal(blk_write(7, a, 512), LKL_VIRTIO_BLK_S_IOERR);
	assert_int_equal(lseek(fd, 0, SEEK_END), 4000);
	disk_teardown(fd);
}

static blkcnt_t blocks(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_blocks;
}

/* A file system may need a block or two to note where the holes are. */
static void assert_blocks(int fd, blkcnt_t expect)
{
	assert_in_range(blocks(fd), expect, expect + 32);
}

static void test_disk_holes(void **state)
{
	struct lkl_virtio_blk_discard_write_zeroes two[2] = {
		{ .sector = 0, .num_sectors = 256 },
		{ .sector = 1024, .num_sectors = 256 },
	};
	int fd = disk_setup(MIB, O_RDWR);
	char *buf = malloc(MIB), *back = malloc(MIB);
	blkcnt_t full;

	(void)state;
	fill(buf, MIB, 4);
	assert_int_equal(blk_write(0, buf, MIB), 0);
	assert_int_equal(blk_do(LKL_VIRTIO_BLK_T_FLUSH, 0, NULL, 0), 0);
	full = blocks(fd);

	assert_int_equal(blk_range(LKL_VIRTIO_BLK_T_DISCARD, 512, 512, 0), 0);
	memset(buf + 512 * 512, 0, 512 * 512);
	assert_blocks(fd, full - 512);
	assert_int_equal(lseek(fd, 0, SEEK_END), MIB);

	/* Without permission to unmap the space stays. */
	assert_int_equal(blk_range(LKL_VIRTIO_BLK_T_WRITE_ZEROES, 1536, 100, 0),
			 0);
	memset(buf + 1536 * 512, 0, 100 * 512);
	assert_blocks(fd, full - 512);
	assert_int_equal(blk_range(LKL_VIRTIO_BLK_T_WRITE_ZEROES, 1536, 128, 1),
			 0);
	memset(buf + 1536 * 512, 0, 128 * 512);
	assert_blocks(fd, full - 512 - 128);

	assert_int_equal(blk_do(LKL_VIRTIO_BLK_T_DISCARD, 0, two, sizeof(two)),
			 0);
	memset(buf, 0, 256 * 512);
	memset(buf + 1024 * 512, 0, 256 * 512);
	assert_int_equal(blk_read(0, back, MIB), 0);
	assert_memory_equal(buf, back, MIB);
	assert_blocks(fd, full - 512 - 128 - 512);
	disk_teardown(fd);
	free(buf);
	free(back);
}

static void test_disk_read_only(void **state)
{
	char buf[512] = { 0 };
	int fd = open_image(MIB, O_RDWR);

	(void)state;
	close(fd);
	fd = disk_setup(0, O_RDONLY);
	assert_true(disk_dev->dev.offered & 1ULL << LKL_VIRTIO_BLK_F_RO);
	assert_int_equal(blk_write(0, buf, 512), LKL_VIRTIO_BLK_S_IOERR);
	assert_int_equal(blk_range(LKL_VIRTIO_BLK_T_DISCARD, 0, 8, 0),
			 LKL_VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(blk_read(0, buf, 512), 0);
	assert_int_equal(blk_do(LKL_VIRTIO_BLK_T_FLUSH, 0, NULL, 0), 0);
	disk_teardown(fd);
}

static void test_disk_refused(void **state)
{
	struct lkl_disk d = { .fd = -1 };
	int fd[2];

	(void)state;
	assert_int_equal(lkl_disk_add(&d), -LKL_EBADF);
	assert_null(d.dev);
	d.fd = open(".", O_RDONLY);
	assert_int_equal(lkl_disk_add(&d), -LKL_EISDIR);
	close(d.fd);
	assert_int_equal(pipe(fd), 0);
	d.fd = fd[0];
	assert_int_equal(lkl_disk_add(&d), -LKL_ENOTBLK);
	close(fd[0]);
	close(fd[1]);
	d.fd = open_image(MIB, O_WRONLY);
	assert_int_equal(lkl_disk_add(&d), -LKL_EBADF);
	close(d.fd);
	d.fd = open_image(MIB, O_RDWR | O_APPEND);
	assert_int_equal(lkl_disk_add(&d), -LKL_EINVAL);
	close(d.fd);
	unlink(image);
	assert_int_equal(lkl_disk_remove(d), -LKL_EINVAL);
}

/* The host cannot write: a file size limit stands for a disk that is full. */
static void test_disk_error(void **state)
{
	int fd = disk_setup(MIB, O_RDWR);
	struct rlimit old, small = { MIB / 2, RLIM_INFINITY };
	char buf[4096] = { 0 };

	(void)state;
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(blk_write(1024, buf, 4096), LKL_VIRTIO_BLK_S_IOERR);
	assert_int_equal(blk_write(1020, buf, 4096), LKL_VIRTIO_BLK_S_IOERR);
	assert_int_equal(blk_write(1016, buf, 4096), 0);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(blk_write(1024, buf, 4096), 0);

	/* Memory that is not there. */
	assert_int_equal(blk_read(0, (void *)4096, 4096),
			 LKL_VIRTIO_BLK_S_IOERR);
	disk_teardown(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disk_basic),
		cmocka_unit_test(test_disk_framing),
		cmocka_unit_test(test_disk_random_cached),
		cmocka_unit_test(test_disk_random_direct),
		cmocka_unit_test(test_disk_direct_tail),
		cmocka_unit_test(test_disk_huge),
		cmocka_unit_test(test_disk_bounds),
		cmocka_unit_test(test_disk_odd_size),
		cmocka_unit_test(test_disk_holes),
		cmocka_unit_test(test_disk_read_only),
		cmocka_unit_test(test_disk_refused),
		cmocka_unit_test(test_disk_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
