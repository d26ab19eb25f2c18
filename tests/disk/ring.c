// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's side of virtio rings, without a kernel: see driver.h.
 */
#include "driver.h"

/*
 * A device that does what the test says, for the ring alone.
 */

static int fake_start(struct lkl_vdev *vdev)
{
	(void)vdev;
	return 0;
}

static void fake_nop(struct lkl_vdev *vdev)
{
	(void)vdev;
}

static int fake_kicks;

static void fake_kick(struct lkl_vdev *vdev, unsigned int queue)
{
	(void)vdev;
	assert_int_equal(queue, 0);
	__atomic_fetch_add(&fake_kicks, 1, __ATOMIC_SEQ_CST);
	host_wake(&fake_kicks, 1);
}

static const struct lkl_vdev_ops fake_ops = {
	.start = fake_start,
	.stop = fake_nop,
	.free = fake_nop,
	.drain = fake_nop,
	.kick = fake_kick,
};

static struct lkl_virtq fake_queue;
static struct lkl_vdev fake;
static struct driver drv;

static void fake_setup(unsigned int num, unsigned long long features)
{
	memset(&fake_queue, 0, sizeof(fake_queue));
	fake = (struct lkl_vdev){
		.ops = &fake_ops,
		.queues = &fake_queue,
		.kind = "fake",
		.dev.id = 99,
		.dev.queues = 1,
		.dev.queue_size = num,
	};
	fake_kicks = 0;
	irqs = 0;
	assert_int_equal(lkl_vdevs_start(&host), 0);
	lkl_vdevs_started(true);
	assert_int_equal(lkl_vdev_add(&fake), 0);
	driver_start(&drv, &fake.dev, num, features);
}

static void fake_teardown(void)
{
	driver_stop(&drv);
	assert_int_equal(lkl_vdev_remove(&fake), 0);
	lkl_vdevs_stop();
}

static void test_wraparound(void **state)
{
	char out[3] = "ab", in[16];
	struct iovec iov[2] = { { out, 2 }, { in, 16 } }, got[4];
	struct lkl_chain chain = { .iov = got, .max = ARRAY_SIZE(got) };
	struct request reqs[4];
	unsigned int i, k;

	(void)state;
	fake_setup(8, EVENT_IDX | INDIRECT);
	drv.polls = true;
	for (i = 0; i < 40000; i++) {
		unsigned int n = 1 + i % 4;

		for (k = 0; k < n; k++)
			driver_add(&drv, &reqs[k], iov, 1, 1, (i + k) % 2);
		for (k = 0; k < n; k++) {
			int head = lkl_virtq_pop(&fake_queue);

			assert_true(head >= 0);
			assert_int_equal(
				lkl_virtq_chain(&fake_queue, head, &chain), 0);
			assert_int_equal(chain.out, 1);
			assert_int_equal(chain.in, 1);
			assert_ptr_equal(got[0].iov_base, out);
			assert_int_equal(got[0].iov_len, 2);
			assert_ptr_equal(got[1].iov_base, in);
			assert_int_equal(got[1].iov_len, 16);
			lkl_virtq_push(&fake_queue, head, i);
		}
		assert_int_equal(lkl_virtq_pop(&fake_queue), -1);
		/* Nothing is visible before it is published. */
		driver_collect(&drv);
		assert_false(reqs[0].done);
		lkl_virtq_publish(&fake_queue);
		driver_collect(&drv);
		for (k = 0; k < n; k++) {
			assert_true(reqs[k].done);
			assert_int_equal(reqs[k].len, i);
		}
		assert_int_equal(drv.num_free, 8);
	}
	assert_int_equal(drv.completions, 100000);
	fake_teardown();
}

static void complete_one(void)
{
	int head = lkl_virtq_pop(&fake_queue);

	assert_true(head >= 0);
	lkl_virtq_push(&fake_queue, head, 0);
	lkl_virtq_notify(&fake_queue);
}

static void test_interrupts_event_idx(void **state)
{
	char c;
	struct iovec iov = { &c, 1 };
	struct request reqs[8];
	int i;

	(void)state;
	fake_setup(8, EVENT_IDX);
	drv.polls = true;
	for (i = 0; i < 8; i++)
		driver_add(&drv, &reqs[i], &iov, 1, 0, false);
	/* The driver wants to know when index 3 has been passed. */
	*drv.used_event = 3;
	for (i = 0; i < 8; i++) {
		complete_one();
		assert_int_equal(irqs, i >= 3);
	}
	driver_collect(&drv);

	/* A batch over the event is one interrupt. */
	*drv.used_event = 10;
	for (i = 0; i < 5; i++) {
		driver_add(&drv, &reqs[i], &iov, 1, 0, false);
		lkl_virtq_push(&fake_queue, lkl_virtq_pop(&fake_queue), 0);
	}
	lkl_virtq_notify(&fake_queue);
	assert_int_equal(irqs, 2);
	lkl_virtq_notify(&fake_queue);
	assert_int_equal(irqs, 2);
	fake_teardown();
}

static void test_interrupts_flags(void **state)
{
	char c;
	struct iovec iov = { &c, 1 };
	struct request reqs[3];
	int i;

	(void)state;
	fake_setup(4, 0);
	drv.polls = true;
	for (i = 0; i < 3; i++) {
		driver_add(&drv, &reqs[i], &iov, 1, 0, false);
		drv.avail->flags = i == 1 ? LKL_VRING_AVAIL_F_NO_INTERRUPT : 0;
		complete_one();
		assert_int_equal(irqs, i == 0 ? 1 : i);
	}
	fake_teardown();
}

static void test_kicks(void **state)
{
	unsigned long long features[] = { EVENT_IDX, 0 };
	char c;
	struct iovec iov = { &c, 1 };
	struct request reqs[4];
	unsigned int i, spared;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		fake_setup(4, features[i]);
		assert_false(lkl_virtq_enable_kick(&fake_queue));
		driver_add(&drv, &reqs[0], &iov, 1, 0, false);
		driver_kick(&drv);
		assert_int_equal(fake_kicks, 1);
		/* With the event index none is due until it is asked for. */
		spared = features[i] ? 1 : 0;
		assert_true(lkl_virtq_pop(&fake_queue) >= 0);
		driver_add(&drv, &reqs[1], &iov, 1, 0, false);
		driver_kick(&drv);
		assert_int_equal(fake_kicks, 2 - spared);
		/* It came in between: no kick, but it is seen. */
		assert_true(lkl_virtq_enable_kick(&fake_queue));
		assert_true(lkl_virtq_pop(&fake_queue) >= 0);
		assert_false(lkl_virtq_enable_kick(&fake_queue));
		driver_add(&drv, &reqs[2], &iov, 1, 0, false);
		driver_kick(&drv);
		assert_int_equal(fake_kicks, 3 - spared);
		fake_teardown();
	}
}

/*
 * Both sides sleep whenever they have nothing to do, and rely on being woken:
 * a missing barrier ends in a hang.
 */
#define STRESS 300000

static void stress_device(void *arg)
{
	int head, kicks, left = STRESS;

	(void)arg;
	while (left) {
		kicks = __atomic_load_n(&fake_kicks, __ATOMIC_SEQ_CST);
		while ((head = lkl_virtq_pop(&fake_queue)) >= 0) {
			lkl_virtq_push(&fake_queue, head, 0);
			if (--left % 3 == 0)
				lkl_virtq_notify(&fake_queue);
		}
		lkl_virtq_notify(&fake_queue);
		if (left && !lkl_virtq_enable_kick(&fake_queue))
			host_wait(&fake_kicks, kicks, 0);
	}
}

static void stress(unsigned long long features)
{
	char c;
	struct iovec iov = { &c, 1 };
	struct request reqs[16];
	unsigned int i, added = 0;
	lkl_thread_t thread;

	fake_setup(16, features);
	memset(reqs, 0, sizeof(reqs));
	for (i = 0; i < 16; i++)
		reqs[i].done = true;
	thread = thread_create(stress_device, NULL);
	alarm(60);
	while (__atomic_load_n(&drv.completions, __ATOMIC_RELAXED) < STRESS) {
		cpu_lock();
		for (i = 0; i < 16 && added < STRESS; i++) {
			if (!reqs[i].done)
				continue;
			driver_add(&drv, &reqs[i], &iov, 1, 0, added % 2);
			added++;
			if (added % 5 == 0)
				break;
		}
		driver_kick(&drv);
		cpu_unlock();
	}
	alarm(0);
	thread_join(thread);
	assert_in_range(drv.kicks, 1, STRESS);
	fake_teardown();
}

static void test_stress_event_idx(void **state)
{
	(void)state;
	stress(EVENT_IDX | INDIRECT);
}

static void test_stress_flags(void **state)
{
	(void)state;
	stress(INDIRECT);
}

/* What a driver must not do; each is noticed, reported, and stops the device.
 */

static char spare[64];

static void bad_head(void)
{
	make_available(&drv, 8);
}

static void bad_avail_idx(void)
{
	drv.avail->idx = drv.avail_idx + 9;
}

static void bad_next(void)
{
	drv.desc[0] = (struct lkl_vring_desc){ address(spare), 1,
					       LKL_VRING_DESC_F_NEXT, 77 };
	make_available(&drv, 0);
}

static void bad_loop(void)
{
	int i;

	for (i = 0; i < 3; i++)
		drv.desc[i] = (struct lkl_vring_desc){ address(spare), 1,
						       LKL_VRING_DESC_F_NEXT,
						       (i + 1) % 3 };
	make_available(&drv, 1);
}

static struct lkl_vring_desc bad_table[300];

static void make_indirect(unsigned int len, unsigned int flags)
{
	drv.desc[2] =
		(struct lkl_vring_desc){ address(bad_table), len,
					 LKL_VRING_DESC_F_INDIRECT | flags, 0 };
	make_available(&drv, 2);
}

static void bad_table_size(void)
{
	make_indirect(24, 0);
}

static void bad_table_empty(void)
{
	make_indirect(0, 0);
}

static void bad_table_next(void)
{
	make_indirect(16, LKL_VRING_DESC_F_NEXT);
}

static void bad_table_nested(void)
{
	bad_table[0] = (struct lkl_vring_desc){ address(bad_table), 16,
						LKL_VRING_DESC_F_INDIRECT, 0 };
	make_indirect(16, 0);
}

static void bad_table_loop(void)
{
	bad_table[0] = (struct lkl_vring_desc){ address(spare), 1,
						LKL_VRING_DESC_F_NEXT, 0 };
	make_indirect(16 * 2, 0);
}

static void bad_table_escape(void)
{
	bad_table[0] = (struct lkl_vring_desc){ address(spare), 1,
						LKL_VRING_DESC_F_NEXT, 2 };
	make_indirect(16 * 2, 0);
}

static void bad_too_long(void)
{
	int i;

	for (i = 0; i < 300; i++)
		bad_table[i] = (struct lkl_vring_desc){ address(spare), 1,
							LKL_VRING_DESC_F_NEXT,
							i + 1 };
	bad_table[299].flags = 0;
	make_indirect(sizeof(bad_table), 0);
}

static void bad_order(void)
{
	bad_table[0] = (struct lkl_vring_desc){ address(spare), 1,
						LKL_VRING_DESC_F_NEXT |
							LKL_VRING_DESC_F_WRITE,
						1 };
	bad_table[1] = (struct lkl_vring_desc){ address(spare), 1, 0, 0 };
	make_indirect(32, 0);
}

static const struct {
	void (*make)(void);
	const char *message;
} bad[] = {
	{ bad_head, "outside of the descriptor table" },
	{ bad_avail_idx, "more requests than" },
	{ bad_next, "outside of its table" },
	{ bad_loop, "loop" },
	{ bad_table_size, "odd size" },
	{ bad_table_empty, "odd size" },
	{ bad_table_next, "misplaced" },
	{ bad_table_nested, "misplaced" },
	{ bad_table_loop, "loop" },
	{ bad_table_escape, "outside of its table" },
	{ bad_too_long, "too many" },
	{ bad_order, "behind" },
};

static void test_nonsense(void **state)
{
	struct iovec got[256];
	struct lkl_chain chain = { .iov = got, .max = ARRAY_SIZE(got) };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		int head;

		fake_setup(8, EVENT_IDX | INDIRECT);
		bad[i].make();
		head = lkl_virtq_pop(&fake_queue);
		if (head >= 0)
			assert_int_equal(
				lkl_virtq_chain(&fake_queue, head, &chain), -1);
		assert_true(fake.dev.status & NEEDS_RESET);
		assert_int_equal(irqs, 1);
		assert_non_null(strstr(printed, "fake-0: device stopped: "));
		assert_non_null(strstr(printed, bad[i].message));
		assert_int_equal(lkl_virtq_pop(&fake_queue), -1);
		assert_false(lkl_virtq_enable_kick(&fake_queue));
		fake_teardown();

		/* A reset makes it as good as new. */
		fake_setup(8, 0);
		assert_false(fake.dev.status & NEEDS_RESET);
		fake_teardown();
	}
}

static void test_features(void **state)
{
	(void)state;
	fake_setup(8, 0);
	fake.dev.ops->set_status(&fake.dev, 0);
	fake.dev.accepted = VERSION_1 | 1;
	fake.dev.ops->set_status(&fake.dev, LKL_VIRTIO_CONFIG_S_FEATURES_OK);
	assert_false(fake.dev.status & LKL_VIRTIO_CONFIG_S_FEATURES_OK);
	fake.dev.accepted = 0;
	fake.dev.ops->set_status(&fake.dev, LKL_VIRTIO_CONFIG_S_FEATURES_OK);
	assert_false(fake.dev.status & LKL_VIRTIO_CONFIG_S_FEATURES_OK);
	fake_teardown();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wraparound),
		cmocka_unit_test(test_interrupts_event_idx),
		cmocka_unit_test(test_interrupts_flags),
		cmocka_unit_test(test_kicks),
		cmocka_unit_test(test_stress_event_idx),
		cmocka_unit_test(test_stress_flags),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_features),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
