/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of the device's side of virtio, without a kernel.
 *
 * The test plays the driver, strictly by the virtio specification, and the
 * kernel: a lock is the virtual CPU, and an interrupt that finds it taken is
 * handled by the thread that has it.  A program includes this once.
 */
#ifndef TESTS_DRIVER_H
#define TESTS_DRIVER_H

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

static inline void print(const char *str, int len)
{
	if (len >= (int)sizeof(printed))
		len = sizeof(printed) - 1;
	memcpy(printed, str, len);
	printed[len] = 0;
}

static inline int host_wait(int *word, int val, unsigned long long deadline)
{
	assert_int_equal(deadline, 0);
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, val, NULL, NULL, 0);
	return 0;
}

static inline void host_wake(int *word, int count)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

static inline void relax(void)
{
	sched_yield();
}

struct thread {
	pthread_t id;
	void (*fn)(void *arg);
	void *arg;
};

static inline void *thread_main(void *arg)
{
	struct thread *t = arg;

	t->fn(t->arg);
	return NULL;
}

static int threads_alive;

static inline lkl_thread_t thread_create(void (*fn)(void *arg), void *arg)
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

static inline int thread_join(lkl_thread_t thread)
{
	struct thread *t = (struct thread *)thread;

	pthread_join(t->id, NULL);
	free(t);
	__atomic_fetch_sub(&threads_alive, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static inline int cpus(void)
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
static inline void driver_interrupt(struct driver *drv);

#define IRQ 7

static pthread_mutex_t cpu = PTHREAD_MUTEX_INITIALIZER;
static int cpu_holder;
static struct driver *irq_driver;
static int raised;
static int irqs;

static inline void cpu_locked(void)
{
	__atomic_store_n(&cpu_holder, gettid(), __ATOMIC_RELAXED);
}

static inline void cpu_lock(void)
{
	pthread_mutex_lock(&cpu);
	cpu_locked();
}

/* With the CPU taken; gives it back. */
static inline void cpu_unlock(void)
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
static inline uint64_t address(const void *p)
{
	return (uintptr_t)p ^ LKL_VIRTIO_XOR;
}

static inline bool event_idx(struct driver *drv)
{
	return drv->dev->accepted & EVENT_IDX;
}

static inline void driver_start(struct driver *drv, struct lkl_virtio_dev *dev,
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

static inline void driver_stop(struct driver *drv)
{
	cpu_lock();
	drv->dev->ops->set_status(drv->dev, 0);
	irq_driver = NULL;
	cpu_unlock();
	free(drv->desc);
	free(drv->avail);
	free(drv->used);
}

static inline unsigned int take_desc(struct driver *drv)
{
	unsigned int i = drv->free_head;

	assert_true(drv->num_free > 0);
	drv->free_head = drv->desc[i].next;
	drv->num_free--;
	return i;
}

/* Append a head without any check. */
static inline void make_available(struct driver *drv, unsigned int head)
{
	drv->avail->ring[drv->avail_idx & (drv->num - 1)] = head;
	drv->avail_idx++;
	__atomic_store_n(&drv->avail->idx, drv->avail_idx, __ATOMIC_RELEASE);
}

/* A request of @out buffers to read and @in buffers to write. */
static inline unsigned int driver_add(struct driver *drv, struct request *req,
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

static inline void driver_kick(struct driver *drv)
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
static inline void driver_collect(struct driver *drv)
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
static inline void driver_interrupt(struct driver *drv)
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

#endif /* TESTS_DRIVER_H */
