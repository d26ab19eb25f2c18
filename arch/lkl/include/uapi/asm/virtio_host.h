/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * A virtio device between the two worlds.
 *
 * There is no bus and no register: the kernel's driver and the host's device
 * share this structure, the kernel calls the device's operations and the device
 * raises one interrupt.
 */
#ifndef _UAPI_ASM_LKL_VIRTIO_HOST_H
#define _UAPI_ASM_LKL_VIRTIO_HOST_H

#include <asm/areas.h>

struct lkl_virtio_dev;

/*
 * Addresses in descriptors are physical; as a host pointer this is the same
 * with some bits flipped (asm/layout.h).
 */
#define LKL_VIRTIO_XOR	LKL_AREA_START

/* Bits of lkl_virtio_dev.pending: one for each queue, and the last one. */
#define LKL_VIRTIO_MAX_QUEUES	63
#define LKL_VIRTIO_CONFIG	0x8000000000000000ULL

/**
 * struct lkl_virtio_ring - where the kernel has put a ring
 *
 * @num: number of entries
 * @desc: descriptor table
 * @avail: what the driver makes available
 * @used: what the device has used
 */
struct lkl_virtio_ring {
	unsigned int num;
	void *desc;
	void *avail;
	void *used;
};

/**
 * struct lkl_virtio_ops - what the kernel asks of a device
 *
 * All are called in kernel context with the virtual CPU held.  Calls for one
 * queue never overlap.
 *
 * @set_status: the driver writes the status; 0 resets the device, which then
 *	touches no guest memory any more when this returns
 * @set_queue: start using a ring, or stop using it when @ring is NULL
 * @kick: the driver has made buffers available
 * @irq: the interrupt of this queue is about to look at the used ring; last
 *	chance to fill it
 */
struct lkl_virtio_ops {
	void (LKL_DOOR *set_status)(struct lkl_virtio_dev *dev,
				    unsigned int status);
	void (LKL_DOOR *set_queue)(struct lkl_virtio_dev *dev,
				   unsigned int queue,
				   const struct lkl_virtio_ring *ring);
	void (LKL_DOOR *kick)(struct lkl_virtio_dev *dev, unsigned int queue);
	void (LKL_DOOR *irq)(struct lkl_virtio_dev *dev, unsigned int queue);
};

/**
 * struct lkl_virtio_dev - a device
 *
 * @ops: its operations
 * @id: virtio device type
 * @queues: number of queues
 * @queue_size: largest ring it takes, a power of two
 * @config: its configuration space, read-only for the driver
 * @config_len: size of that
 * @offered: feature bits of the device
 * @accepted: those that the driver wants
 * @status: as in the virtio specification
 * @irq: interrupt line; the driver's choice
 * @index: N in the name virtioN that sysfs knows the device by
 * @pending: why the interrupt was raised; changed atomically by both sides
 * @driver: the driver's
 */
struct lkl_virtio_dev {
	const struct lkl_virtio_ops *ops;
	unsigned int id;
	unsigned int queues;
	unsigned int queue_size;
	const void *config;
	unsigned int config_len;
	unsigned long long offered;
	unsigned long long accepted;
	unsigned int status;
	int irq;
	int index;
	unsigned long long pending;
	void *driver;
};

/**
 * lkl_virtio_add - plug a device in
 * @dev: struct lkl_virtio_dev
 *
 * Runs in kernel context, see lkl_kernel_call().
 *
 * Return: 0 or -errno
 */
lkl_long_t LKL_DOOR lkl_virtio_add(void *dev);

/**
 * lkl_virtio_remove - pull a device out
 * @dev: struct lkl_virtio_dev that was there at boot or has been added
 *
 * Runs in kernel context.  The kernel does not know @dev any more on return.
 *
 * Return: 0, or -ENODEV when the kernel does not have it
 */
lkl_long_t LKL_DOOR lkl_virtio_remove(void *dev);

#endif /* _UAPI_ASM_LKL_VIRTIO_HOST_H */
