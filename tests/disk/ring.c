// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's side of virtio rings and the block device, without a kernel.
 *
 * The test plays the driver, strictly by the virtio specification, and the
 * kernel: a lock is the virtual CPU, and an interrupt that finds it taken is
 * handled by the thread that has it.  Linked with lib/virtio.c, lib/blk.c and
 * the disk back ends only.  Images are made in the working directory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <lkl_host.h>
#include <lkl/asm/errno.h>
#include <lkl/linux/virtio_blk.h>
#include <lkl/linux/virtio_ids.h>
#include "../../lib/virtio.h"

/* There is no kernel, which would have chosen it. */
unsigned long lkl_ram_base = 0x110000000000;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define KIB 1024UL
#define MIB (KIB * KIB)
#define EVENT_IDX (1ULL << LKL_VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT (1ULL << LKL_VIRTIO_RING_F_INDIRECT_DESC)
#define VERSION_1 (1ULL << LKL_VIRTIO_F_VERSION_1)
#define DRIVER_OK LKL_VIRTIO_CONFIG_S_DRIVER_OK
#define NEEDS_RESET LKL_VIRTIO_CONFIG_S_NEEDS_RESET

/*
 * The host.
 */

static char printed[256];

static void print(const char *str, int len)
{
	if (len >= (int)sizeof(printed))
		len = sizeof(printed) - 1;
	memcpy(printed, str, len);
	printed[len] = 0;
}

static int host_wait(int *word, int val, unsigned long long deadline)
{
	assert_int_equal(deadline, 0);
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, val, NULL, NULL, 0);
	return 0;
}

static void host_wake(int *word, int count)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

static void relax(void)
{
	sched_yield();
}

struct thread {
	pthread_t id;
	void (*fn)(void *arg);
	void *arg;
};

static void *thread_main(void *arg)
{
	struct thread *t = arg;

	t->fn(t->arg);
	return NULL;
}

static int threads_alive;

static lkl_thread_t thread_create(void (*fn)(void *arg), void *arg)
{
	struct thread *t = malloc(sizeof(*t));
	sigset_t all, old;
	int err;

	t->fn = fn;
	t->arg = arg;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&t->id, NULL, thread_main, t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err) {
		free(t);
		return 0;
	}
	__atomic_fetch_add(&threads_alive, 1, __ATOMIC_SEQ_CST);
	return (lkl_thread_t)t;
}

static int thread_join(lkl_thread_t thread)
{
	struct thread *t = (struct thread *)thread;

	pthread_join(t->id, NULL);
	free(t);
	__atomic_fetch_sub(&threads_alive, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static int cpus(void)
{
	return 2;
}

static struct lkl_host_operations host = {
	.print = print,
	.wait = host_wait,
	.wake = host_wake,
	.relax = relax,
	.cpus = cpus,
	.thread_create = thread_create,
	.thread_join = thread_join,
};

/*
 * The kernel.
 */

struct driver;
static void driver_interrupt(struct driver *drv);

#define IRQ 7

static pthread_mutex_t cpu = PTHREAD_MUTEX_INITIALIZER;
static int cpu_holder;
static struct driver *irq_driver;
static int raised;
static int irqs;

static void cpu_locked(void)
{
	__atomic_store_n(&cpu_holder, gettid(), __ATOMIC_RELAXED);
}

static void cpu_lock(void)
{
	pthread_mutex_lock(&cpu);
	cpu_locked();
}

/* With the CPU taken; gives it back. */
static void cpu_unlock(void)
{
	for (;;) {
		while (__atomic_exchange_n(&raised, 0, __ATOMIC_SEQ_CST)) {
			irqs++;
			if (irq_driver)
				driver_interrupt(irq_driver);
		}
		__atomic_store_n(&cpu_holder, 0, __ATOMIC_RELAXED);
		pthread_mutex_unlock(&cpu);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (!__atomic_load_n(&raised, __ATOMIC_SEQ_CST) ||
		    pthread_mutex_trylock(&cpu))
			return;
		cpu_locked();
	}
}

int lkl_trigger_irq(int irq)
{
	assert_int_equal(irq, IRQ);
	__atomic_store_n(&raised, 1, __ATOMIC_SEQ_CST);
	if (!pthread_mutex_trylock(&cpu)) {
		cpu_locked();
		cpu_unlock();
	}
	return 0;
}

int lkl_kernel_pass_irq(int irq)
{
	assert_int_equal(irq, IRQ);
	__atomic_store_n(&raised, 1, __ATOMIC_SEQ_CST);
	if (pthread_mutex_trylock(&cpu))
		return 1;
	pthread_mutex_unlock(&cpu);
	return 0;
}

long lkl_kernel_call(long (*fn)(void *arg), void *arg)
{
	long ret;

	cpu_lock();
	ret = fn(arg);
	cpu_unlock();
	return ret;
}

long lkl_virtio_add(void *arg)
{
	struct lkl_virtio_dev *dev = arg;

	dev->driver = dev;
	dev->index = 42;
	return 0;
}

long lkl_virtio_remove(void *arg)
{
	struct lkl_virtio_dev *dev = arg;

	dev->ops->set_status(dev, 0);
	dev->driver = NULL;
	return 0;
}

/*
 * The driver of one queue.
 */

struct request {
	bool done;
	uint32_t len;
	void *table;
	unsigned int descs;
};

struct driver {
	struct lkl_virtio_dev *dev;
	unsigned int num;
	struct lkl_vring_desc *desc;
	struct lkl_vring_avail *avail;
	struct lkl_vring_used *used;
	uint16_t *used_event;
	uint16_t *avail_event;
	uint16_t avail_idx;
	uint16_t kicked_idx;
	uint16_t used_idx;
	unsigned int free_head;
	unsigned int num_free;
	unsigned long kicks;
	unsigned long completions;
	bool polls;
	struct request *requests[256];
};

/* A pointer as descriptors hold it. */
static uint64_t address(const void *p)
{
	return (uintptr_t)p ^ LKL_VIRTIO_XOR;
}

static bool event_idx(struct driver *drv)
{
	return drv->dev->accepted & EVENT_IDX;
}

static void driver_start(struct driver *drv, struct lkl_virtio_dev *dev,
			 unsigned int num, unsigned long long features)
{
	struct lkl_virtio_ring ring;
	unsigned int i;

	memset(drv, 0, sizeof(*drv));
	drv->dev = dev;
	drv->num = num;
	drv->desc = calloc(num, sizeof(*drv->desc));
	drv->avail = calloc(1, sizeof(*drv->avail) + 2 * num + 2);
	drv->used = calloc(1, sizeof(*drv->used) + 8 * num + 2);
	drv->used_event = (uint16_t *)&drv->avail->ring[num];
	drv->avail_event = (uint16_t *)&drv->used->ring[num];
	for (i = 0; i < num; i++)
		drv->desc[i].next = i + 1;
	drv->num_free = num;

	dev->irq = IRQ;
	dev->ops->set_status(dev, 0);
	assert_int_equal(dev->status, 0);
	dev->ops->set_status(dev, LKL_VIRTIO_CONFIG_S_ACKNOWLEDGE |
					  LKL_VIRTIO_CONFIG_S_DRIVER);
	dev->accepted = dev->offered & (features | VERSION_1 | ~0xff000000ULL);
	dev->ops->set_status(dev,
			     dev->status | LKL_VIRTIO_CONFIG_S_FEATURES_OK);
	assert_true(dev->status & LKL_VIRTIO_CONFIG_S_FEATURES_OK);
	ring = (struct lkl_virtio_ring){
		.num = num,
		.desc = drv->desc,
		.avail = drv->avail,
		.used = drv->used,
	};
	dev->ops->set_queue(dev, 0, &ring);
	dev->ops->set_status(dev, dev->status | DRIVER_OK);
	irq_driver = drv;
	printed[0] = 0;
}

static void driver_stop(struct driver *drv)
{
	cpu_lock();
	drv->dev->ops->set_status(drv->dev, 0);
	irq_driver = NULL;
	cpu_unlock();
	free(drv->desc);
	free(drv->avail);
	free(drv->used);
}

static unsigned int take_desc(struct driver *drv)
{
	unsigned int i = drv->free_head;

	assert_true(drv->num_free > 0);
	drv->free_head = drv->desc[i].next;
	drv->num_free--;
	return i;
}

/* Append a head without any check. */
static void make_available(struct driver *drv, unsigned int head)
{
	drv->avail->ring[drv->avail_idx & (drv->num - 1)] = head;
	drv->avail_idx++;
	__atomic_store_n(&drv->avail->idx, drv->avail_idx, __ATOMIC_RELEASE);
}

/* A request of @out buffers to read and @in buffers to write. */
static unsigned int driver_add(struct driver *drv, struct request *req,
			       const struct iovec *iov, unsigned int out,
			       unsigned int in, bool indirect)
{
	unsigned int n = out + in, head = drv->free_head, i;
	struct lkl_vring_desc *d = NULL, *table = NULL;

	memset(req, 0, sizeof(*req));
	if (indirect) {
		table = calloc(n, sizeof(*table));
		req->table = table;
		req->descs = 1;
		i = take_desc(drv);
		drv->desc[i].addr = address(table);
		drv->desc[i].len = n * sizeof(*table);
		drv->desc[i].flags = LKL_VRING_DESC_F_INDIRECT;
	} else {
		req->descs = n;
	}
	for (i = 0; i < n; i++) {
		if (indirect) {
			d = &table[i];
			d->next = i + 1;
		} else {
			d = &drv->desc[take_desc(drv)];
		}
		d->addr = address(iov[i].iov_base);
		d->len = iov[i].iov_len;
		d->flags = LKL_VRING_DESC_F_NEXT |
			   (i < out ? 0 : LKL_VRING_DESC_F_WRITE);
	}
	d->flags &= ~LKL_VRING_DESC_F_NEXT;
	drv->requests[head] = req;
	make_available(drv, head);
	return head;
}

static void driver_kick(struct driver *drv)
{
	uint16_t old = drv->kicked_idx, now = drv->avail_idx;
	bool wanted;

	if (old == now)
		return;
	drv->kicked_idx = now;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (event_idx(drv)) {
		uint16_t event =
			__atomic_load_n(drv->avail_event, __ATOMIC_RELAXED);

		wanted = (uint16_t)(now - event - 1) < (uint16_t)(now - old);
	} else {
		wanted =
			!(__atomic_load_n(&drv->used->flags, __ATOMIC_RELAXED) &
			  LKL_VRING_USED_F_NO_NOTIFY);
	}
	if (wanted) {
		drv->kicks++;
		drv->dev->ops->kick(drv->dev, 0);
	}
}

/* Take what is done off the used ring. */
static void driver_collect(struct driver *drv)
{
	uint16_t idx = __atomic_load_n(&drv->used->idx, __ATOMIC_ACQUIRE);

	assert_true((uint16_t)(idx - drv->used_idx) <= drv->num);
	for (; drv->used_idx != idx; drv->used_idx++) {
		struct lkl_vring_used_elem *e =
			&drv->used->ring[drv->used_idx & (drv->num - 1)];
		struct request *req;
		unsigned int last;

		assert_true(e->id < drv->num);
		req = drv->requests[e->id];
		assert_non_null(req);
		drv->requests[e->id] = NULL;
		for (last = e->id;
		     !req->table &&
		     drv->desc[last].flags & LKL_VRING_DESC_F_NEXT;)
			last = drv->desc[last].next;
		drv->desc[last].next = drv->free_head;
		drv->free_head = e->id;
		drv->num_free += req->descs;
		free(req->table);
		req->len = e->len;
		__atomic_fetch_add(&drv->completions, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&req->done, true, __ATOMIC_RELEASE);
	}
}

/* As the kernel's vring_interrupt(): again until nothing can be missed. */
static void driver_interrupt(struct driver *drv)
{
	unsigned long long pending =
		__atomic_exchange_n(&drv->dev->pending, 0, __ATOMIC_SEQ_CST);

	if (drv->polls)
		return;
	if (pending & 1)
		drv->dev->ops->irq(drv->dev, 0);
	do {
		driver_collect(drv);
		if (event_idx(drv))
			__atomic_store_n(drv->used_event, drv->used_idx,
					 __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	} while (__atomic_load_n(&drv->used->idx, __ATOMIC_RELAXED) !=
		 drv->used_idx);
}

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

/*
 * Disks.
 */

static const char image[] = "ring-test.img";
static struct lkl_disk disk;
static struct lkl_vdev *disk_dev;

static const struct lkl_virtio_blk_config *config(void)
{
	return disk_dev->dev.config;
}

static void disk_setup_ops(int fd, struct lkl_dev_blk_ops *ops, void *handle)
{
	disk = (struct lkl_disk){ .ops = ops };
	if (ops)
		disk.handle = handle;
	else
		disk.fd = fd;
	assert_int_equal(lkl_disk_add(&disk), 0);
	disk_dev = disk.dev;
	assert_int_equal(lkl_vdevs_start(&host), 0);
	assert_ptr_equal(host.virtio_next(NULL), &disk_dev->dev);
	assert_null(host.virtio_next(&disk_dev->dev));
	lkl_vdevs_started(true);
	assert_int_equal(disk_dev->dev.id, LKL_VIRTIO_ID_BLOCK);
	driver_start(&drv, &disk_dev->dev, 64, EVENT_IDX | INDIRECT);
}

static int open_image(unsigned long long size, int flags)
{
	int fd = open(image, flags | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	if (size)
		assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

static int disk_setup(unsigned long long size, int flags)
{
	int fd = open_image(size, flags);

	disk_setup_ops(fd, NULL, NULL);
	return fd;
}

static void disk_teardown(int fd)
{
	driver_stop(&drv);
	lkl_vdevs_stop();
	assert_int_equal(lkl_disk_remove(disk), 0);
	assert_int_equal(lkl_disk_remove(disk), -LKL_EINVAL);
	assert_int_equal(threads_alive, 0);
	if (fd >= 0) {
		close(fd);
		unlink(image);
	}
}

struct blk_request {
	struct request req;
	struct lkl_virtio_blk_outhdr hdr;
	uint8_t status;
};

/* With the CPU held. */
static void blk_add(struct blk_request *r, unsigned int type,
		    unsigned long long sector, const struct iovec *data,
		    unsigned int count, bool out)
{
	struct iovec iov[260];

	assert_true(count < 258);
	r->hdr = (struct lkl_virtio_blk_outhdr){ .type = type,
						 .sector = sector };
	r->status = 0xee;
	iov[0] = (struct iovec){ &r->hdr, sizeof(r->hdr) };
	if (count)
		memcpy(&iov[1], data, count * sizeof(*iov));
	iov[count + 1] = (struct iovec){ &r->status, 1 };
	driver_add(&drv, &r->req, iov, 1 + (out ? count : 0),
		   1 + (out ? 0 : count), count > 2 || sector % 2);
}

static void blk_wait(struct blk_request *r)
{
	while (!__atomic_load_n(&r->req.done, __ATOMIC_ACQUIRE)) {
		cpu_lock();
		cpu_unlock();
		usleep(20);
	}
}

static int blk_do(unsigned int type, unsigned long long sector, void *buf,
		  size_t len)
{
	bool out = type != LKL_VIRTIO_BLK_T_IN &&
		   type != LKL_VIRTIO_BLK_T_GET_ID;
	struct iovec iov = { buf, len };
	struct blk_request r;

	cpu_lock();
	blk_add(&r, type, sector, &iov, !!len, out);
	driver_kick(&drv);
	cpu_unlock();
	blk_wait(&r);
	assert_int_equal(r.req.len, !out && !r.status ? len + 1 : 1);
	return r.status;
}

static int blk_read(unsigned long long sector, void *buf, size_t len)
{
	return blk_do(LKL_VIRTIO_BLK_T_IN, sector, buf, len);
}

static int blk_write(unsigned long long sector, void *buf, size_t len)
{
	return blk_do(LKL_VIRTIO_BLK_T_OUT, sector, buf, len);
}

static int blk_range(unsigned int type, unsigned long long sector,
		     unsigned int sectors, unsigned int flags)
{
	struct lkl_virtio_blk_discard_write_zeroes range = {
		.sector = sector,
		.num_sectors = sectors,
		.flags = flags,
	};

	return blk_do(type, 0, &range, sizeof(range));
}

static void fill(void *buf, size_t len, unsigned int seed)
{
	uint32_t *p = buf;

	for (; len; len -= 4)
		*p++ = seed = seed * 1664525 + 1013904223;
}

static bool all_zero(const char *buf, size_t len)
{
	while (len && !*buf) {
		buf++;
		len--;
	}
	return !len;
}

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
		cmocka_unit_test(test_wraparound),
		cmocka_unit_test(test_interrupts_event_idx),
		cmocka_unit_test(test_interrupts_flags),
		cmocka_unit_test(test_kicks),
		cmocka_unit_test(test_stress_event_idx),
		cmocka_unit_test(test_stress_flags),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_features),
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
