// SPDX-License-Identifier: GPL-2.0-only
/*
 * Freeze, reset, thaw: remember the state of the kernel and its devices, and
 * return to it.
 *
 * Each is a step of the life cycle, made by a thread that holds the virtual CPU
 * outside of the kernel (arch/lkl/kernel/freeze.c).  Meanwhile no request
 * reaches a device, and no device may come or go.
 */
#include <lkl.h>

#include "life.h"
#include "process.h"
#include "thread.h"
#include "virtio.h"

/* Until then devices must be done with what is on its way, in nanoseconds. */
#define PATIENCE 10000000000ULL
#define PAUSE 100000

/* Take the virtual CPU, and let all devices pause. */
static int hold(unsigned int boot, int quiet)
{
	int err = lkl_kernel_hold(boot, quiet);

	if (err)
		return err;
	err = lkl_vdevs_pause();
	if (err)
		lkl_kernel_let_go();
	return err;
}

static void let_go(void)
{
	lkl_vdevs_resume();
	lkl_kernel_let_go();
}

/* Try to, with nothing on its way. */
static int try_freeze(unsigned int boot)
{
	int err = hold(boot, 1);

	if (err)
		return err;
	err = lkl_vdevs_freeze();
	if (!err) {
		err = lkl_kernel_freeze();
		if (err)
			lkl_vdevs_thaw();
	}
	let_go();
	return err;
}

static int freeze(void)
{
	struct lkl_self *self = lkl_thread_self();
	struct lkl_process *process;
	unsigned long long end;
	int err = 0, never = 0;

	if (!lkl_kernel_boots())
		return -LKL_ENOSYS;
	if (!lkl_vdev_host->freeze)
		return -LKL_EOPNOTSUPP;
	/* Else each reset would cost this thread a task. */
	if (!self->task || self->boot != lkl_kernel_boots())
		err = lkl_thread_attach(self);
	if (err)
		return err;
	process = lkl_vdevs_lock();
	end = lkl_vdev_host->time() + PATIENCE;
	err = process->frozen ? -LKL_EBUSY : try_freeze(self->boot);
	while (err == -LKL_EAGAIN) {
		unsigned long long now = lkl_vdev_host->time();

		if (now > end) {
			err = -LKL_EBUSY;
			break;
		}
		lkl_vdev_host->wait(&never, 0, now + PAUSE);
		err = try_freeze(self->boot);
	}
	process->frozen |= !err;
	lkl_vdevs_unlock(process);
	return err;
}

/* Let a frozen kernel and its devices rest, and do what is to be done then. */
static int while_frozen(int (*act)(struct lkl_process *process))
{
	struct lkl_process *process;
	int err;

	if (!lkl_kernel_boots())
		return -LKL_ENOSYS;
	process = lkl_vdevs_lock();
	err = process->frozen ? hold(lkl_kernel_boots(), 0) : -LKL_EINVAL;
	if (!err) {
		err = act(process);
		let_go();
	}
	lkl_vdevs_unlock(process);
	return err;
}

static int return_to_state(struct lkl_process *process)
{
	(void)process;
	lkl_kernel_reset();
	lkl_vdevs_reset();
	return 0;
}

static int forget_state(struct lkl_process *process)
{
	int err = lkl_vdevs_settle();

	if (!err)
		err = lkl_kernel_thaw();
	if (!err) {
		lkl_vdevs_thaw();
		process->frozen = false;
	}
	return err;
}

static int reset(void)
{
	return while_frozen(return_to_state);
}

int lkl_thaw_kernel(void)
{
	return while_frozen(forget_state);
}

/* Beside no other step of the life cycle. */
static int in_step(int (*step)(void))
{
	int err = lkl_begin_step();

	if (err)
		return err;
	err = step();
	lkl_end_step();
	return err;
}

int lkl_freeze(void)
{
	return in_step(freeze);
}

int lkl_reset(void)
{
	return in_step(reset);
}

int lkl_thaw(void)
{
	return in_step(lkl_thaw_kernel);
}
