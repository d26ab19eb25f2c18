// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtio devices: the list of them, and what the kernel's transport calls.
 *
 * The list outlives the kernel: devices are added before boot or while it runs,
 * and stay until they are removed.  The lock is held during boot and halt, so
 * that a device that comes or goes meanwhile waits for the outcome.
 *
 * A forked child has no devices if its parent's kernel has them: two kernels
 * that use a disk destroy what is on it.  It closes what belongs to a wire, so
 * that the other end hears when the parent ends.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lkl/asm/errno.h>
#include "../host/host.h"
#include "process.h"
#include "thread.h"
#include "virtio.h"

static struct lkl_vdev *devices;
/* Some kernel, maybe that of the process that this one was forked from, has
 * them. */
static bool in_use;
/* The kernel is to find none while it boots. */
static bool hidden;

struct lkl_host_operations *lkl_vdev_host;

/**
 * lkl_vdevs_lock - let no device come or go
 *
 * Return: what to pass to lkl_vdevs_unlock()
 */
struct lkl_process *lkl_vdevs_lock(void)
{
	struct lkl_process *process = lkl_process();

	pthread_mutex_lock(&process->devices);
	if (!process->looked) {
		process->looked = true;
		if (in_use) {
			devices = NULL;
			in_use = false;
		}
	}
	return process;
}

void lkl_vdevs_unlock(struct lkl_process *process)
{
	pthread_mutex_unlock(&process->devices);
}

static struct lkl_vdev *to_vdev(struct lkl_virtio_dev *dev)
{
	return (struct lkl_vdev *)((char *)dev -
				   offsetof(struct lkl_vdev, dev));
}

/* As after power on.  No request is on its way. */
static void reset(struct lkl_vdev *vdev)
{
	unsigned int i;

	for (i = 0; i < vdev->dev.queues; i++)
		vdev->queues[i].desc = NULL;
	__atomic_store_n(&vdev->dev.pending, 0, __ATOMIC_SEQ_CST);
	vdev->dev.accepted = 0;
	vdev->dev.status = 0;
}

static void LKL_DOOR set_status(struct lkl_virtio_dev *dev, unsigned int status)
{
	struct lkl_vdev *vdev = to_vdev(dev);
	unsigned long long must = 1ULL << LKL_VIRTIO_F_VERSION_1;

	if (!status) {
		vdev->ops->drain(vdev);
		reset(vdev);
		return;
	}
	if (dev->accepted & ~dev->offered || !(dev->accepted & must))
		status &= ~LKL_VIRTIO_CONFIG_S_FEATURES_OK;
	dev->status = status;
}

static void LKL_DOOR set_queue(struct lkl_virtio_dev *dev, unsigned int index,
			       const struct lkl_virtio_ring *ring)
{
	struct lkl_vdev *vdev = to_vdev(dev);
	struct lkl_virtq *q = &vdev->queues[index];

	memset(q, 0, sizeof(*q));
	q->vdev = vdev;
	q->index = index;
	if (!ring)
		return;
	q->event_idx = dev->accepted & 1ULL << LKL_VIRTIO_RING_F_EVENT_IDX;
	q->num = ring->num;
	q->avail = ring->avail;
	q->used = ring->used;
	q->desc = ring->desc;
}

static void LKL_DOOR kick(struct lkl_virtio_dev *dev, unsigned int queue)
{
	struct lkl_vdev *vdev = to_vdev(dev);

	if (dev->status & LKL_VIRTIO_CONFIG_S_DRIVER_OK)
		vdev->ops->kick(vdev, queue);
}

static void LKL_DOOR irq(struct lkl_virtio_dev *dev, unsigned int queue)
{
	struct lkl_vdev *vdev = to_vdev(dev);

	if (vdev->ops->irq)
		vdev->ops->irq(vdev, queue);
}

static const struct lkl_virtio_ops virtio_ops = {
	.set_status = set_status,
	.set_queue = set_queue,
	.kick = kick,
	.irq = irq,
};

static int start(struct lkl_vdev *vdev)
{
	int err = vdev->ops->start(vdev);

	vdev->started = !err;
	return err;
}

static void stop(struct lkl_vdev *vdev)
{
	if (!vdev->started)
		return;
	vdev->started = false;
	vdev->ops->stop(vdev);
	reset(vdev);
}

/* The device goes where its number belongs, so that the list is in order. */
static void insert(struct lkl_vdev *vdev)
{
	struct lkl_vdev **p;

	vdev->unit = 0;
	for (p = &devices; *p; p = &(*p)->next) {
		if ((*p)->dev.id != vdev->dev.id)
			continue;
		if ((*p)->unit > vdev->unit)
			break;
		vdev->unit = (*p)->unit + 1;
	}
	snprintf(vdev->name, sizeof(vdev->name), "%s-%d", vdev->kind,
		 vdev->unit);
	vdev->next = *p;
	*p = vdev;
}

static struct lkl_vdev **find(const struct lkl_vdev *vdev)
{
	struct lkl_vdev **p = &devices;

	while (*p && *p != vdev)
		p = &(*p)->next;
	return p;
}

/* The kernel has halted meanwhile, with all that it had. */
static bool has_ended(int err)
{
	return err == -LKL_ENOSYS || err == -LKL_ESHUTDOWN;
}

/* Have the running kernel use a device. */
static int plug(struct lkl_vdev *vdev)
{
	int err = start(vdev);

	if (err)
		return err;
	err = lkl_kernel_call(lkl_virtio_add, &vdev->dev);
	if (err)
		stop(vdev);
	else if (vdev->ops->ready)
		vdev->ops->ready(vdev);
	return has_ended(err) ? 0 : err;
}

/**
 * lkl_vdev_add - add a device to the list, and to the kernel if it runs
 * @vdev: the device, whose @unit and @name will be set
 *
 * Return: its @unit, or a negative error number, which is -LKL_EBUSY while the
 * kernel is frozen
 */
int lkl_vdev_add(struct lkl_vdev *vdev)
{
	struct lkl_process *process;
	int ret = 0;

	vdev->dev.ops = &virtio_ops;
	vdev->dev.offered |= 1ULL << LKL_VIRTIO_F_VERSION_1 |
			     1ULL << LKL_VIRTIO_RING_F_INDIRECT_DESC |
			     1ULL << LKL_VIRTIO_RING_F_EVENT_IDX;

	process = lkl_vdevs_lock();
	insert(vdev);
	if (process->frozen)
		ret = -LKL_EBUSY;
	else if (process->running)
		ret = plug(vdev);
	if (!ret)
		ret = vdev->unit;
	else
		*find(vdev) = vdev->next;
	lkl_vdevs_unlock(process);
	return ret;
}

/* Take the device at *p from the kernel and the list, and free it. */
static int remove_at(struct lkl_process *process, struct lkl_vdev **p)
{
	struct lkl_vdev *vdev = *p;
	int err;

	if (!vdev)
		return -LKL_EINVAL;
	if (process->frozen)
		return -LKL_EBUSY;
	if (process->running) {
		err = lkl_kernel_call(lkl_virtio_remove, &vdev->dev);
		/* With ENODEV it never had the device. */
		if (err && err != -LKL_ENODEV && !has_ended(err))
			return err;
		stop(vdev);
	}
	*p = vdev->next;
	vdev->ops->free(vdev);
	return 0;
}

/**
 * lkl_vdev_remove - take a device from the kernel and the list, and free it
 * @vdev: device, which need not exist
 *
 * Return: 0, -LKL_EINVAL when there is no such device, -LKL_EBUSY while the
 * kernel is frozen, or why it cannot be asked
 */
int lkl_vdev_remove(struct lkl_vdev *vdev)
{
	struct lkl_process *process = lkl_vdevs_lock();
	int err = remove_at(process, find(vdev));

	lkl_vdevs_unlock(process);
	return err;
}

static struct lkl_vdev **find_unit(unsigned int id, int unit)
{
	struct lkl_vdev **p = &devices;

	while (*p && ((*p)->dev.id != id || (*p)->unit != unit))
		p = &(*p)->next;
	return p;
}

/**
 * lkl_vdev_remove_unit - the same for the device with a number
 * @id: virtio device type
 * @unit: number of the device among those of its type
 *
 * Return: as lkl_vdev_remove()
 */
int lkl_vdev_remove_unit(unsigned int id, int unit)
{
	struct lkl_process *process = lkl_vdevs_lock();
	int err = remove_at(process, find_unit(id, unit));

	lkl_vdevs_unlock(process);
	return err;
}

/**
 * lkl_vdev_remove_front - the same for the device in front of a back end
 * @back: what the device has in @back
 *
 * Return: as lkl_vdev_remove()
 */
int lkl_vdev_remove_front(const void *back)
{
	struct lkl_process *process = lkl_vdevs_lock();
	struct lkl_vdev **p = &devices;
	int err;

	while (*p && (*p)->back != back)
		p = &(*p)->next;
	err = remove_at(process, p);
	lkl_vdevs_unlock(process);
	return err;
}

/**
 * lkl_vdev_index - where a device is in sysfs
 * @id: virtio device type
 * @unit: number of the device among those of its type
 *
 * Return: N in /sys/devices/virtio-lkl/virtioN, or -LKL_ENODEV
 */
int lkl_vdev_index(unsigned int id, int unit)
{
	struct lkl_process *process = lkl_vdevs_lock();
	struct lkl_vdev *vdev = *find_unit(id, unit);
	int ret = -LKL_ENODEV;

	if (process->running && vdev && vdev->dev.driver)
		ret = vdev->dev.index;
	lkl_vdevs_unlock(process);
	return ret;
}

/* The operation virtio_next of the host. */
static struct lkl_virtio_dev *LKL_DOOR next_device(struct lkl_virtio_dev *dev)
{
	struct lkl_vdev *next = dev ? to_vdev(dev)->next : devices;

	return next && !hidden ? &next->dev : NULL;
}

/* The child of a fork().  Only this thread of its parent's is left. */
static void forked(void)
{
	struct lkl_vdev *vdev;

	if (!in_use || lkl_process()->moves)
		return;
	for (vdev = devices; vdev; vdev = vdev->next)
		if (vdev->ops->forked)
			vdev->ops->forked(vdev);
	devices = NULL;
	in_use = false;
}

/**
 * lkl_vdevs_start - get the devices ready for a boot
 * @ops: the host
 *
 * No kernel runs.  When it succeeds, the same thread must call
 * lkl_vdevs_started().
 *
 * Return: 0, or the negative error number of a device
 */
int lkl_vdevs_start(struct lkl_host_operations *ops)
{
	static bool told;
	struct lkl_process *process = lkl_vdevs_lock();
	struct lkl_vdev *vdev;
	int ret = 0;

	if (!told)
		told = host_after_fork(forked);
	lkl_vdev_host = ops;
	ops->virtio_next = next_device;
	in_use = true;
	for (vdev = devices; vdev && !ret; vdev = vdev->next)
		ret = start(vdev);
	if (!ret)
		return 0;
	for (vdev = devices; vdev; vdev = vdev->next)
		stop(vdev);
	in_use = false;
	lkl_vdevs_unlock(process);
	return ret;
}

/**
 * lkl_vdevs_started - the kernel has booted, or has failed to
 * @booted: which of them
 */
void lkl_vdevs_started(bool booted)
{
	struct lkl_process *process = lkl_process();
	struct lkl_vdev *vdev;

	process->running = booted;
	for (vdev = devices; vdev; vdev = vdev->next) {
		if (!booted)
			stop(vdev);
		else if (vdev->dev.driver && vdev->ops->ready)
			vdev->ops->ready(vdev);
	}
	in_use = booted;
	lkl_vdevs_unlock(process);
}

/**
 * lkl_vdevs_hide - let a kernel boot without the devices
 * @hide: or not any more
 *
 * Between lkl_vdevs_start() and lkl_vdevs_started(), as the next ones.
 */
void lkl_vdevs_hide(bool hide)
{
	hidden = hide;
}

/**
 * lkl_vdevs_show - give the devices to a kernel that runs without
 *
 * As at boot, one that it cannot use stays in the list.
 */
void lkl_vdevs_show(void)
{
	struct lkl_vdev *vdev;

	for (vdev = devices; vdev; vdev = vdev->next)
		lkl_kernel_call(lkl_virtio_add, &vdev->dev);
}

/**
 * lkl_vdevs_lend - does a device give RAM to another process?
 */
bool lkl_vdevs_lend(void)
{
	struct lkl_vdev *vdev;

	for (vdev = devices; vdev; vdev = vdev->next)
		if (vdev->lends)
			return true;
	return false;
}

/* Devices that are of no use without the kernel that they were made for. */
static void free_temporary(void)
{
	struct lkl_vdev **p = &devices;

	while (*p) {
		struct lkl_vdev *vdev = *p;

		if (!vdev->temporary) {
			p = &vdev->next;
			continue;
		}
		*p = vdev->next;
		vdev->ops->free(vdev);
	}
}

/**
 * lkl_vdevs_stop - the kernel has halted: let devices finish and come to rest
 *
 * The kernel's memory must still be there.
 */
void lkl_vdevs_stop(void)
{
	struct lkl_process *process = lkl_vdevs_lock();
	struct lkl_vdev *vdev;

	if (process->running) {
		process->running = false;
		for (vdev = devices; vdev; vdev = vdev->next)
			stop(vdev);
		free_temporary();
	}
	in_use = false;
	lkl_vdevs_unlock(process);
}

/**
 * lkl_vdevs_free - forget all devices; no kernel runs
 */
void lkl_vdevs_free(void)
{
	struct lkl_process *process = lkl_vdevs_lock();

	while (devices) {
		struct lkl_vdev *vdev = devices;

		devices = vdev->next;
		vdev->ops->free(vdev);
	}
	lkl_vdevs_unlock(process);
}

/* For lib/vstate.c, while they are locked. */
struct lkl_vdev *lkl_vdevs(void)
{
	return devices;
}
