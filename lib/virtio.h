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
#include <lkl_host.h>
#include <lkl/asm/virtio_host.h>
#include <lkl/linux/virtio_config.h>
#include <lkl/linux/virtio_ring.h>

struct lkl_vdev;
struct lkl_process;
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
 * @forked: in a forked child, which has another kernel: close what the host
 *	would keep for it, without locks; may be NULL
 *
 * @moves: may the device go on in a forked process, instead of this one?
 * @moved: it does, and is paused: make threads.  0 or negative.  A device
 *	without both stays where it is, and so does the kernel (move.c)
 *
 * The next are for a frozen kernel, and some for one that moves.  They are
 * called by a thread that holds the virtual CPU, as if in kernel context; those
 * between @pause and @resume do not find the device at work.  A device without
 * them cannot be frozen.
 *
 * @pause: use none of the kernel's memory, nor change what is known of the
 *	rings
 * @freeze: remember the state, and what is in the device from now on; 0 or
 *	negative, which is -LKL_EAGAIN while a request is on its way
 * @reset: return to that state, but for what lkl_vdevs_reset() has done
 * @settle: what is in the device is final, as the state will be forgotten; 0 or
 *	negative, and then it is not
 * @thaw: forget the state, which may be one that could not be remembered
 * @resume: the end of @pause
 */
struct lkl_vdev_ops {
	int (*start)(struct lkl_vdev *vdev);
	void (*ready)(struct lkl_vdev *vdev);
	void (*stop)(struct lkl_vdev *vdev);
	void (*free)(struct lkl_vdev *vdev);
	void (*drain)(struct lkl_vdev *vdev);
	void (*kick)(struct lkl_vdev *vdev, unsigned int queue);
	void (*irq)(struct lkl_vdev *vdev, unsigned int queue);
	void (*forked)(struct lkl_vdev *vdev);
	bool (*moves)(struct lkl_vdev *vdev);
	int (*moved)(struct lkl_vdev *vdev);
	void (*pause)(struct lkl_vdev *vdev);
	int (*freeze)(struct lkl_vdev *vdev);
	void (*reset)(struct lkl_vdev *vdev);
	int (*settle)(struct lkl_vdev *vdev);
	void (*thaw)(struct lkl_vdev *vdev);
	void (*resume)(struct lkl_vdev *vdev);
};

/**
 * struct lkl_vdev - a device
 *
 * @dev: what the kernel sees of it.  The device fills in id, queues,
 *	queue_size, config, config_len, offered
 * @ops: see there
 * @queues: @dev.queues rings
 * @back: what the application knows the back end by, or NULL
 * @temporary: it goes with the kernel
 * @lends: another process has RAM mapped, as long as there is the device
 * @started: @ops.start was called, and @ops.stop was not yet
 * @paused: @ops.pause was called, and @ops.resume was not yet
 * @frozen: @dev and @queues as they are remembered, or NULL
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
	bool temporary;
	bool lends;
	bool started;
	bool paused;
	struct lkl_vdev_state *frozen;
	const char *kind;
	int unit;
	char name[20];
	struct lkl_vdev *next;
};

/* What of a device is remembered. */
struct lkl_vdev_state {
	struct lkl_virtio_dev dev;
	struct lkl_virtq queues[];
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
void lkl_virtq_disable_kick(struct lkl_virtq *q);
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
void lkl_vdevs_hide(bool hide);
void lkl_vdevs_show(void);
bool lkl_vdevs_lend(void);
void lkl_vdevs_stop(void);
void lkl_vdevs_free(void);

struct lkl_process *lkl_vdevs_lock(void);
void lkl_vdevs_unlock(struct lkl_process *process);
struct lkl_vdev *lkl_vdevs(void);
int lkl_vdevs_pause(void);
int lkl_vdevs_freeze(void);
void lkl_vdevs_reset(void);
int lkl_vdevs_settle(void);
void lkl_vdevs_thaw(void);
void lkl_vdevs_resume(void);

#endif /* LIB_VIRTIO_H */
