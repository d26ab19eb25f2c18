// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel goes on in a forked process, instead of this one, with its devices
 * (arch/lkl/kernel/move.c).
 *
 *	lkl_move_begin()	all is at rest, and a fork has it inherited
 *	the fork
 *	lkl_move_there()	in the forked process: it has threads
 *	lkl_move_end()		all goes on
 *
 * If there is no fork, the last two are called in this process.  After one this
 * process still has a kernel, whose virtual CPU is never free: it has to end,
 * or to forget the kernel with lkl_move_left().
 */
#include <string.h>

#include <lkl.h>
#include <lkl/asm/share.h>

#include "../host/linux/linux.h"
#include "life.h"
#include "move.h"
#include "process.h"
#include "thread.h"
#include "virtio.h"

/* Until then threads must have left their calls, in nanoseconds. */
#define PATIENCE 1000000000ULL
#define PAUSE 20000

static bool devices_move(void)
{
	struct lkl_vdev *vdev;

	for (vdev = lkl_vdevs(); vdev; vdev = vdev->next)
		if (vdev->started &&
		    !(vdev->ops->moves && vdev->ops->moves(vdev)))
			return false;
	return true;
}

/* Have no thread be in a call, and take the virtual CPU. */
static int empty(void)
{
	unsigned long long end = lkl_vdev_host->time() + PATIENCE;
	unsigned int boot = lkl_kernel_boots();
	int err, never = 0;

	for (;;) {
		lkl_kernel_call(lkl_share_interrupt_all, NULL);
		err = lkl_kernel_hold(boot, 0);
		if (err)
			return err;
		err = lkl_kernel_leave();
		if (!err)
			return 0;
		lkl_kernel_let_go();
		if (err != -LKL_EBUSY || lkl_vdev_host->time() > end)
			return err;
		lkl_vdev_host->wait(&never, 0, lkl_vdev_host->time() + PAUSE);
	}
}

static void inherit(bool inherit)
{
	linux_inherit_wiped(lkl_process(), inherit);
	linux_inherit(inherit);
}

static int begin(struct lkl_process *process)
{
	int err;

	if (!process->running)
		return -LKL_ENOSYS;
	if (process->frozen || !devices_move())
		return -LKL_EOPNOTSUPP;
	err = empty();
	if (err)
		return err;
	err = lkl_vdevs_pause();
	if (err) {
		lkl_kernel_enter(false);
		lkl_kernel_let_go();
	}
	return err;
}

int lkl_move_begin(void)
{
	int err = lkl_begin_step();
	struct lkl_process *process;

	if (err)
		return err;
	process = lkl_vdevs_lock();
	err = begin(process);
	if (!err) {
		process->moves = true;
		inherit(true);
		return 0;
	}
	lkl_vdevs_unlock(process);
	lkl_end_step();
	return err;
}

int lkl_move_there(bool forked)
{
	struct lkl_vdev *vdev;
	int err;

	inherit(false);
	if (forked)
		listen_forked();
	err = lkl_kernel_enter(forked);
	for (vdev = lkl_vdevs(); vdev && forked && !err; vdev = vdev->next)
		if (vdev->started)
			err = vdev->ops->moved(vdev);
	return err;
}

void lkl_move_end(void)
{
	lkl_vdevs_resume();
	lkl_kernel_let_go();
	lkl_vdevs_unlock(lkl_process());
	lkl_end_step();
}

void lkl_move_left(void)
{
	struct lkl_self *self = lkl_thread_self();

	linux_wipe();
	memset(lkl_process(), 0, sizeof(struct lkl_process));
	/* Forget the devices, too. */
	lkl_vdevs_unlock(lkl_vdevs_lock());
	self->task = NULL;
	self->in_step = 0;
}

void lkl_thread_replace(void *task)
{
	long tid = lkl_host_ops.gettid();

	lkl_thread_take(task);
	lkl_kernel_call(lkl_share_replace, (void *)tid);
}
