// SPDX-License-Identifier: GPL-2.0-only
/*
 * The devices of a frozen kernel.
 *
 * In all functions the devices are locked, and the calling thread holds the
 * virtual CPU.  First all devices pause, last they resume.
 */
#include <stdlib.h>
#include <string.h>

#include <lkl/asm/errno.h>
#include "virtio.h"

static size_t queues_size(const struct lkl_vdev *vdev)
{
	return vdev->dev.queues * sizeof(*vdev->queues);
}

/**
 * lkl_vdevs_pause - let devices not touch the kernel's memory
 *
 * Return: 0, or -LKL_EOPNOTSUPP if one of them cannot, and then none has been
 * asked
 */
int lkl_vdevs_pause(void)
{
	struct lkl_vdev *vdev;

	for (vdev = lkl_vdevs(); vdev; vdev = vdev->next)
		if (vdev->started && !vdev->ops->freeze)
			return -LKL_EOPNOTSUPP;
	for (vdev = lkl_vdevs(); vdev; vdev = vdev->next) {
		if (!vdev->started)
			continue;
		vdev->ops->pause(vdev);
		vdev->paused = true;
	}
	return 0;
}

/**
 * lkl_vdevs_resume - the end of that
 */
void lkl_vdevs_resume(void)
{
	struct lkl_vdev *vdev;

	for (vdev = lkl_vdevs(); vdev; vdev = vdev->next) {
		if (!vdev->paused)
			continue;
		vdev->paused = false;
		vdev->ops->resume(vdev);
		/* The state may be from between this and the interrupt. */
		if (__atomic_load_n(&vdev->dev.pending, __ATOMIC_SEQ_CST))
			lkl_trigger_irq(vdev->dev.irq);
	}
}

static int freeze(struct lkl_vdev *vdev)
{
	struct lkl_vdev_state *state;

	if (!vdev->paused)
		return 0;
	state = malloc(sizeof(*state) + queues_size(vdev));
	if (!state)
		return -LKL_ENOMEM;
	state->dev = vdev->dev;
	memcpy(state->queues, vdev->queues, queues_size(vdev));
	vdev->frozen = state;
	return vdev->ops->freeze(vdev);
}

/**
 * lkl_vdevs_freeze - remember the state of the devices
 *
 * Return: 0, -LKL_EAGAIN while a request is on its way, -LKL_EOPNOTSUPP if one
 * of them cannot be frozen, or another negative error number; but for 0 nothing
 * has changed
 */
int lkl_vdevs_freeze(void)
{
	struct lkl_vdev *vdev;
	int err = 0;

	for (vdev = lkl_vdevs(); vdev && !err; vdev = vdev->next)
		err = freeze(vdev);
	if (err)
		lkl_vdevs_thaw();
	return err;
}

/**
 * lkl_vdevs_reset - return to the state that is remembered
 */
void lkl_vdevs_reset(void)
{
	struct lkl_vdev *vdev;

	for (vdev = lkl_vdevs(); vdev; vdev = vdev->next) {
		const struct lkl_vdev_state *state = vdev->frozen;

		if (!state)
			continue;
		vdev->dev.accepted = state->dev.accepted;
		vdev->dev.status = state->dev.status;
		vdev->dev.irq = state->dev.irq;
		vdev->dev.driver = state->dev.driver;
		vdev->dev.pending = state->dev.pending;
		memcpy(vdev->queues, state->queues, queues_size(vdev));
		vdev->ops->reset(vdev);
	}
}

/**
 * lkl_vdevs_settle - make final what is in devices
 *
 * Return: 0, or the negative error number of a device, all of which remain
 * frozen
 */
int lkl_vdevs_settle(void)
{
	struct lkl_vdev *vdev;
	int err = 0;

	for (vdev = lkl_vdevs(); vdev && !err; vdev = vdev->next)
		if (vdev->frozen)
			err = vdev->ops->settle(vdev);
	return err;
}

/**
 * lkl_vdevs_thaw - forget the state that is remembered
 */
void lkl_vdevs_thaw(void)
{
	struct lkl_vdev *vdev;

	for (vdev = lkl_vdevs(); vdev; vdev = vdev->next) {
		if (!vdev->frozen)
			continue;
		vdev->ops->thaw(vdev);
		free(vdev->frozen);
		vdev->frozen = NULL;
	}
}
