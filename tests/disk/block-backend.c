// SPDX-License-Identifier: GPL-2.0-only
/*
 * The block device without a kernel: back ends of an application, limits,
 * resets, requests that are wrong, disks that come and go.
 */
#include "block.h"

/*
 * A back end of an application's that knows nothing of limits.
 */

static char custom_data[64 * KIB];
static int custom_users, custom_calls, custom_flushes, custom_result;
static bool custom_sleeps, custom_saw_cpu, custom_overlapped;

static int custom_capacity(struct lkl_disk d, unsigned long long *bytes)
{
	assert_ptr_equal(d.handle, custom_data);
	*bytes = sizeof(custom_data);
	return 0;
}

static int custom_request(struct lkl_disk d, struct lkl_blk_req *req)
{
	char *p = (char *)d.handle + req->sector * 512;
	int i;

	if (__atomic_load_n(&cpu_holder, __ATOMIC_RELAXED) == gettid())
		custom_saw_cpu = true;
	if (__atomic_add_fetch(&custom_users, 1, __ATOMIC_SEQ_CST) > 1)
		custom_overlapped = true;
	custom_calls++;
	if (custom_sleeps)
		usleep(2000);
	__atomic_fetch_sub(&custom_users, 1, __ATOMIC_SEQ_CST);
	if (custom_result)
		return custom_result;
	switch (req->type) {
	case LKL_DEV_BLK_TYPE_READ:
	case LKL_DEV_BLK_TYPE_WRITE:
		for (i = 0; i < req->count; i++) {
			if (req->type == LKL_DEV_BLK_TYPE_READ)
				memcpy(req->buf[i].iov_base, p,
				       req->buf[i].iov_len);
			else
				memcpy(p, req->buf[i].iov_base,
				       req->buf[i].iov_len);
			p += req->buf[i].iov_len;
		}
		return LKL_DEV_BLK_STATUS_OK;
	case LKL_DEV_BLK_TYPE_FLUSH:
		custom_flushes++;
	}
	return LKL_DEV_BLK_STATUS_UNSUP;
}

static struct lkl_dev_blk_ops custom_ops = {
	.get_capacity = custom_capacity,
	.request = custom_request,
};

static void test_disk_custom(void **state)
{
	struct blk_request r[8];
	char a[8][512], b[512];
	unsigned int i;

	(void)state;
	disk_setup_ops(-1, &custom_ops, custom_data);
	custom_sleeps = true;
	cpu_lock();
	for (i = 0; i < 8; i++) {
		struct iovec iov = { a[i], 512 };

		fill(a[i], 512, i);
		blk_add(&r[i], LKL_VIRTIO_BLK_T_OUT, i, &iov, 1, true);
	}
	driver_kick(&drv);
	cpu_unlock();
	for (i = 0; i < 8; i++) {
		blk_wait(&r[i]);
		assert_int_equal(r[i].status, 0);
	}
	custom_sleeps = false;
	for (i = 0; i < 8; i++) {
		assert_int_equal(blk_read(i, b, 512), 0);
		assert_memory_equal(a[i], b, 512);
	}
	assert_int_equal(custom_calls, 16);
	assert_int_equal(blk_do(LKL_VIRTIO_BLK_T_FLUSH, 0, NULL, 0), 0);
	assert_int_equal(custom_flushes, 1);
	assert_int_equal(blk_range(LKL_VIRTIO_BLK_T_DISCARD, 0, 8, 0),
			 LKL_VIRTIO_BLK_S_UNSUPP);
	custom_result = LKL_DEV_BLK_STATUS_IOERR;
	assert_int_equal(blk_read(0, b, 512), LKL_VIRTIO_BLK_S_IOERR);
	custom_result = -5;
	assert_int_equal(blk_read(0, b, 512), LKL_VIRTIO_BLK_S_IOERR);
	custom_result = LKL_DEV_BLK_STATUS_AGAIN;
	assert_int_equal(blk_read(0, b, 512), LKL_VIRTIO_BLK_S_IOERR);
	custom_result = 0;
	assert_false(custom_saw_cpu);
	assert_false(custom_overlapped);
	disk_teardown(-1);
}

static unsigned int wanted_flags, wanted_parallel;

static int custom_limits(struct lkl_disk d, struct lkl_blk_limits *limits)
{
	(void)d;
	limits->flags = wanted_flags;
	limits->parallel = wanted_parallel;
	limits->inline_max = 4096;
	return 0;
}

static struct lkl_dev_blk_ops limits_ops = {
	.get_capacity = custom_capacity,
	.request = custom_request,
	.get_limits = custom_limits,
};

/* Small requests of a disk in memory are done when the kick returns. */
static void test_disk_memory(void **state)
{
	char buf[8192];
	struct iovec iov = { buf, 4096 };
	struct blk_request w, r;

	(void)state;
	wanted_flags = LKL_BLK_MEMORY;
	wanted_parallel = 4;
	disk_setup_ops(-1, &limits_ops, custom_data);
	custom_saw_cpu = false;
	cpu_lock();
	blk_add(&w, LKL_VIRTIO_BLK_T_OUT, 1, &iov, 1, true);
	driver_kick(&drv);
	assert_int_equal(w.status, 0);
	blk_add(&r, LKL_VIRTIO_BLK_T_IN, 1, &iov, 1, false);
	driver_kick(&drv);
	assert_int_equal(r.status, 0);
	cpu_unlock();
	assert_true(custom_saw_cpu);
	custom_saw_cpu = false;
	assert_int_equal(blk_write(0, buf, 8192), 0);
	assert_false(custom_saw_cpu);
	disk_teardown(-1);
}

/* As many at a time as the back end allows, and no more. */
static int now_inside, most_inside, wanted_inside;

static int slow_request(struct lkl_disk d, struct lkl_blk_req *req)
{
	int n = __atomic_add_fetch(&now_inside, 1, __ATOMIC_SEQ_CST);
	int most = __atomic_load_n(&most_inside, __ATOMIC_SEQ_CST);

	(void)d;
	(void)req;
	while (n > most &&
	       !__atomic_compare_exchange_n(&most_inside, &most, n, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	/* Until all have come, and one more that should not. */
	for (int i = 0;
	     i < 2000 &&
	     __atomic_load_n(&most_inside, __ATOMIC_SEQ_CST) < wanted_inside;
	     i++)
		usleep(1000);
	usleep(5000);
	__atomic_fetch_sub(&now_inside, 1, __ATOMIC_SEQ_CST);
	return LKL_DEV_BLK_STATUS_OK;
}

static struct lkl_dev_blk_ops slow_ops = {
	.get_capacity = custom_capacity,
	.request = slow_request,
	.get_limits = custom_limits,
};

static void run_slow(unsigned int type, unsigned int expect)
{
	struct blk_request r[24];
	char buf[512];
	struct iovec iov = { buf, 512 };
	unsigned int i;

	most_inside = 0;
	wanted_inside = expect;
	disk_setup_ops(-1, &slow_ops, custom_data);
	cpu_lock();
	for (i = 0; i < 24; i++) {
		blk_add(&r[i], type, i * 2 + 1, &iov, 1,
			type == LKL_VIRTIO_BLK_T_OUT);
		driver_kick(&drv);
	}
	cpu_unlock();
	for (i = 0; i < 24; i++)
		blk_wait(&r[i]);
	assert_int_equal(most_inside, expect);
	disk_teardown(-1);
}

static void test_disk_parallel(void **state)
{
	(void)state;
	wanted_flags = 0;
	wanted_parallel = 6;
	run_slow(LKL_VIRTIO_BLK_T_IN, 6);
	run_slow(LKL_VIRTIO_BLK_T_OUT, 6);
	wanted_flags = LKL_BLK_SERIAL_WRITES;
	run_slow(LKL_VIRTIO_BLK_T_OUT, 1);
	run_slow(LKL_VIRTIO_BLK_T_IN, 6);
	wanted_parallel = 1;
	run_slow(LKL_VIRTIO_BLK_T_IN, 1);
	wanted_parallel = 1000;
	wanted_flags = 0;
	run_slow(LKL_VIRTIO_BLK_T_IN, 16);
}

/* A reset with requests on their way waits for them. */
static void test_disk_reset(void **state)
{
	struct blk_request r[20];
	char buf[20][512];
	unsigned int i, round;

	(void)state;
	wanted_flags = 0;
	wanted_parallel = 3;
	disk_setup_ops(-1, &slow_ops, custom_data);
	for (round = 0; round < 3; round++) {
		cpu_lock();
		for (i = 0; i < 20; i++) {
			struct iovec iov = { buf[i], 512 };

			blk_add(&r[i], LKL_VIRTIO_BLK_T_IN, 0, &iov, 1, false);
		}
		driver_kick(&drv);
		if (round == 1) {
			cpu_unlock();
			usleep(7000);
			cpu_lock();
		}
		disk_dev->dev.ops->set_status(&disk_dev->dev, 0);
		assert_int_equal(now_inside, 0);
		for (i = 0; i < 20; i++)
			assert_int_equal(r[i].status, 0);
		irq_driver = NULL;
		cpu_unlock();
		free(drv.desc);
		free(drv.avail);
		free(drv.used);
		driver_start(&drv, &disk_dev->dev, 64, EVENT_IDX | INDIRECT);
	}
	disk_teardown(-1);
}

static void test_disk_nonsense(void **state)
{
	struct blk_request r[2];
	struct request req;
	char buf[16];
	struct iovec iov[2] = { { buf, 16 }, { buf, 0 } };
	unsigned int head;

	(void)state;
	/* The same head twice. */
	wanted_flags = 0;
	wanted_parallel = 1;
	disk_setup_ops(-1, &slow_ops, custom_data);
	cpu_lock();
	head = drv.free_head;
	blk_add(&r[0], LKL_VIRTIO_BLK_T_FLUSH, 0, NULL, 0, true);
	make_available(&drv, head);
	driver_kick(&drv);
	cpu_unlock();
	assert_non_null(strstr(printed, "lkl-disk-0: device stopped: "));
	assert_non_null(strstr(printed, "twice"));
	blk_wait(&r[0]);
	disk_teardown(-1);

	/* No room for the status; no complete header. */
	disk_setup_ops(-1, &slow_ops, custom_data);
	cpu_lock();
	driver_add(&drv, &req, iov, 1, 1, false);
	driver_kick(&drv);
	cpu_unlock();
	assert_non_null(strstr(printed, "without header or status"));
	disk_teardown(-1);
	disk_setup_ops(-1, &slow_ops, custom_data);
	iov[0].iov_len = 15;
	iov[1].iov_len = 1;
	cpu_lock();
	driver_add(&drv, &req, iov, 1, 1, false);
	driver_kick(&drv);
	cpu_unlock();
	assert_non_null(strstr(printed, "without header or status"));
	disk_teardown(-1);
}

/* Cached reads of a file do not leave the kernel. */
static void test_disk_inline(void **state)
{
	int fd = disk_setup(MIB, O_RDWR);
	char a[4096], b[4096] = { 0 };
	struct iovec iov = { b, sizeof(b) };
	struct blk_request r;

	(void)state;
	fill(a, sizeof(a), 77);
	assert_int_equal(blk_write(8, a, sizeof(a)), 0);
	if (preadv2(fd, &iov, 1, 4096, RWF_NOWAIT) == sizeof(b)) {
		memset(b, 0, sizeof(b));
		cpu_lock();
		blk_add(&r, LKL_VIRTIO_BLK_T_IN, 8, &iov, 1, false);
		driver_kick(&drv);
		assert_int_equal(r.status, 0);
		assert_memory_equal(a, b, sizeof(a));
		cpu_unlock();
	}
	disk_teardown(fd);
}

static int count_entries(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void test_disk_restart(void **state)
{
	int fd = open_image(MIB, O_RDWR), fds, i;
	char a[512], b[512];

	(void)state;
	disk = (struct lkl_disk){ .fd = fd };
	assert_int_equal(lkl_disk_add(&disk), 0);
	disk_dev = disk.dev;
	fds = count_entries("/proc/self/fd");
	for (i = 0; i < 1000; i++) {
		assert_int_equal(lkl_vdevs_start(&host), 0);
		lkl_vdevs_started(i % 10 != 9);
		if (i % 10 == 9)
			continue;
		driver_start(&drv, &disk_dev->dev, 64, EVENT_IDX | INDIRECT);
		fill(a, 512, i);
		assert_int_equal(blk_write(i, a, 512), 0);
		assert_int_equal(blk_read(i, b, 512), 0);
		assert_memory_equal(a, b, 512);
		if (i % 2)
			driver_stop(&drv);
		lkl_vdevs_stop();
		assert_int_equal(threads_alive, 0);
		if (!(i % 2)) {
			free(drv.desc);
			free(drv.avail);
			free(drv.used);
		}
	}
	assert_int_equal(count_entries("/proc/self/fd"), fds);
	lkl_vdevs_free();
	assert_int_equal(lkl_disk_remove(disk), -LKL_EINVAL);
	close(fd);
	unlink(image);
}

static void test_disk_hotplug(void **state)
{
	int fd = open_image(MIB, O_RDWR), i;
	struct lkl_disk d[4];
	char buf[512];

	(void)state;
	for (i = 0; i < 4; i++)
		d[i] = (struct lkl_disk){ .fd = fd };
	assert_int_equal(lkl_disk_add(&d[0]), 0);
	assert_int_equal(lkl_vdevs_start(&host), 0);
	lkl_vdevs_started(true);
	for (i = 1; i < 4; i++)
		assert_int_equal(lkl_disk_add(&d[i]), i);
	assert_int_equal(lkl_vdev_index(LKL_VIRTIO_ID_BLOCK, 3), 42);
	assert_int_equal(lkl_disk_remove(d[1]), 0);
	assert_int_equal(lkl_disk_remove(d[0]), 0);
	assert_int_equal(lkl_disk_remove(d[0]), -LKL_EINVAL);
	assert_int_equal(lkl_vdev_index(LKL_VIRTIO_ID_BLOCK, 0), -LKL_ENODEV);
	assert_int_equal(lkl_disk_add(&d[0]), 0);
	assert_int_equal(lkl_disk_add(&d[1]), 1);
	disk_dev = d[1].dev;
	driver_start(&drv, &disk_dev->dev, 32, EVENT_IDX);
	assert_int_equal(blk_read(0, buf, 512), 0);
	driver_stop(&drv);
	for (i = 0; i < 4; i++)
		assert_int_equal(lkl_disk_remove(d[i]), 0);
	assert_int_equal(threads_alive, 0);
	lkl_vdevs_stop();
	close(fd);
	unlink(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disk_custom),
		cmocka_unit_test(test_disk_memory),
		cmocka_unit_test(test_disk_parallel),
		cmocka_unit_test(test_disk_reset),
		cmocka_unit_test(test_disk_nonsense),
		cmocka_unit_test(test_disk_inline),
		cmocka_unit_test(test_disk_restart),
		cmocka_unit_test(test_disk_hotplug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
