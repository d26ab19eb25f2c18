/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtio devices of the host library (vdev.c) and the device's side of their
 * rings (virtio.c).
 */
#ifndef LIB_VIRTIO_H
#define LIB_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <lkl/asm/host_ops.h>
#include <lkl/asm/virtio_host.h>
#include <lkl/linux/virtio_config.h>
#include <lkl/linux/virtio_ring.h>

struct lkl_vdev;
struct vhost_memory;

/**
 * struct lkl_virtq - a ring as the device sees it
 *
 * Whoever uses it sees to it that only one thread does at a time.  Calls of the
 * kernel for one queue never overlap.
 *
 * @vdev: device it belongs to, or NULL when its driver is in another process
 * @memory: in that case, of the driver
 * @map: and what is at an address there; NULL if not all of it is there
 * @broken: and what nonsense was found in the ring
 * @event_idx: the driver has that feature
 * @index: number of the queue
 * @num: number of entries
 * @desc: descriptor table; NULL while the queue is not set up
 * @avail: ring of the driver
 * @used: ring of the device
 * @next_avail: entry of @avail to look at next
 * @next_used: entry of @used to fill next
 * @told_used: @next_used when the driver was last told
 */
struct lkl_virtq {
	struct lkl_vdev *vdev;
	const struct vhost_memory *memory;
	void *(*map)(struct lkl_virtq *q, uint64_t addr, uint64_t len);
	const char *broken;
	bool event_idx;
	unsigned int index;
	uint16_t num;
	const struct lkl_vring_desc *desc;
	const struct lkl_vring_avail *avail;
	struct lkl_vring_used *used;
	uint16_t next_avail;
	uint16_t next_used;
	uint16_t told_used;
};

/**
 * struct lkl_chain - the buffers of one request
 *
 * @iov: room for @max elements, given by the caller
 * @max: see @iov
 * @out: number of elements that the device reads, first in @iov
 * @in: number of elements that the device writes, behind them
 */
struct lkl_chain {
	struct iovec *iov;
	unsigned int max;
	unsigned int out;
	unsigned int in;
};

/**
 * struct lkl_vdev_ops - what makes a device the device it is
 *
 * @start: a kernel is going to use it; make threads.  0 or negative
 * @ready: the kernel runs and has the device; may be NULL
 * @stop: the kernel has gone; end all requests, join all threads
 * @free: the device has been removed from the list, and is stopped
 * @drain: [kernel] wait until no request is on its way
 * @kick: [kernel] the driver has made buffers available in a queue
 * @irq: [kernel] last chance to fill the used ring; may be NULL
 */
struct lkl_vdev_ops {
	int (*start)(struct lkl_vdev *vdev);
	void (*ready)(struct lkl_vdev *vdev);
	void (*stop)(struct lkl_vdev *vdev);
	void (*free)(struct lkl_vdev *vdev);
	void (*drain)(struct lkl_vdev *vdev);
	void (*kick)(struct lkl_vdev *vdev, unsigned int queue);
	void (*irq)(struct lkl_vdev *vdev, unsigned int queue);
};

/**
 * struct lkl_vdev - a device
 *
 * @dev: what the kernel sees of it.  The device fills in id, queues,
 *	queue_size, config, config_len, offered
 * @ops: see there
 * @queues: @dev.queues rings
 * @back: what the application knows the back end by, or NULL
 * @started: @ops.start was called, and @ops.stop was not yet
 * @kind: what to call such devices
 * @unit: number among the devices of its kind
 * @name: @kind and @unit
 * @next: link in the list of devices
 */
struct lkl_vdev {
	struct lkl_virtio_dev dev;
	const struct lkl_vdev_ops *ops;
	struct lkl_virtq *queues;
	const void *back;
	bool started;
	const char *kind;
	int unit;
	char name[20];
	struct lkl_vdev *next;
};

/* The host operations of the running or coming boot. */
extern struct lkl_host_operations *lkl_vdev_host;

int lkl_virtq_pop(struct lkl_virtq *q);
int lkl_virtq_chain(struct lkl_virtq *q, unsigned int head,
		    struct lkl_chain *chain);
void lkl_virtq_push(struct lkl_virtq *q, unsigned int head, uint32_t len);
void lkl_virtq_publish(struct lkl_virtq *q);
bool lkl_virtq_mark(struct lkl_virtq *q);
void lkl_virtq_notify(struct lkl_virtq *q);
bool lkl_virtq_enable_kick(struct lkl_virtq *q);
bool lkl_virtq_ready(struct lkl_virtq *q);
void lkl_virtq_broken(struct lkl_virtq *q, const char *why);

bool lkl_vdev_mark(struct lkl_vdev *vdev, unsigned long long pending);

int lkl_vdev_add(struct lkl_vdev *vdev);
int lkl_vdev_remove(struct lkl_vdev *vdev);
int lkl_vdev_index(unsigned int id, int unit);
int lkl_vdev_remove_unit(unsigned int id, int unit);
int lkl_vdev_remove_front(const void *back);
int lkl_only_entry(const char *path, char *name, size_t size);

int lkl_vdevs_start(struct lkl_host_operations *ops);
void lkl_vdevs_started(bool booted);
void lkl_vdevs_stop(void);
void lkl_vdevs_free(void);

#endif /* LIB_VIRTIO_H */
