// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library's life cycle.
 *
 * Initializing, booting, halting and cleaning up exclude each other.  A thread
 * that comes while another one is at it waits, and then finds what that one has
 * left.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include <lkl.h>
#include <lkl_host.h>

#include "../host/host.h"
#include "life.h"
#include "process.h"
#include "snapshot.h"
#include "thread.h"
#include "virtio.h"

struct lkl_host_operations *lkl_host;

static int init(struct lkl_host_operations *ops)
{
	int err;

	/* A forked child may begin anew. */
	if (lkl_host && lkl_process()->initialized)
		return -LKL_EBUSY;
	err = lkl_thread_init();
	if (!err)
		err = host_faults_install(lkl_kernel_call);
	if (err)
		return err;
	lkl_host = ops;
	lkl_process()->initialized = true;
	return 0;
}

int lkl_init(struct lkl_host_operations *ops)
{
	int err;

	if (!ops)
		return -LKL_EINVAL;
	err = lkl_begin_step();
	if (err)
		return err;
	err = init(ops);
	lkl_end_step();
	return err;
}

static int start_kernel(const char *cmdline)
{
	int err;

	if (!lkl_host)
		return -LKL_EINVAL;
	if (lkl_kernel_boots())
		return -LKL_EBUSY;
	/* Or in the process that this one was forked from. */
	lkl_process()->initialized = true;
	host_reset();
	/*
	 * The first fence makes the host wait for all its processors if the
	 * process has threads: for milliseconds, and devices have some.
	 */
	if (lkl_host->fence)
		lkl_host->fence();
	err = lkl_vdevs_start(lkl_host);
	if (err)
		return err;
	err = lkl_snapshot_boot(lkl_host, cmdline);
	lkl_vdevs_started(!err);
	return err;
}

static int prepare_kernel(const char *cmdline)
{
	if (!lkl_host)
		return -LKL_EINVAL;
	if (lkl_kernel_boots())
		return -LKL_EBUSY;
	return lkl_snapshot_prepare(lkl_host, cmdline);
}

/* A step that is about a command line. */
static int with_cmdline(int (*step)(const char *cmdline), const char *fmt,
			va_list args)
{
	char cmdline[4096] = "";
	int n = vsnprintf(cmdline, sizeof(cmdline), fmt, args), err;

	if (n < 0 || n >= (int)sizeof(cmdline))
		return lkl_host ? -LKL_E2BIG : -LKL_EINVAL;
	err = lkl_begin_step();
	if (err)
		return err;
	err = step(cmdline);
	lkl_end_step();
	return err;
}

int lkl_start_kernel(const char *cmdline_fmt, ...)
{
	va_list args;
	int err;

	va_start(args, cmdline_fmt);
	err = with_cmdline(start_kernel, cmdline_fmt, args);
	va_end(args);
	return err;
}

int lkl_prepare_kernel(const char *cmdline_fmt, ...)
{
	va_list args;
	int err;

	va_start(args, cmdline_fmt);
	err = with_cmdline(prepare_kernel, cmdline_fmt, args);
	va_end(args);
	return err;
}

int lkl_is_running(void)
{
	return lkl_kernel_boots() != 0;
}

static long halt(struct lkl_self *self)
{
	long err = 0;

	if (!lkl_kernel_boots())
		return -LKL_ENOSYS;
	if (lkl_process()->frozen)
		err = lkl_thaw_kernel();
	if (err)
		return err;
	if (!self->task || self->boot != lkl_kernel_boots())
		err = lkl_thread_attach(self);
	if (!err)
		err = lkl_kernel_halt(self->task);
	if (err)
		return err;
	lkl_vdevs_stop();
	lkl_kernel_release();
	self->task = NULL;
	return 0;
}

long lkl_sys_halt(void)
{
	long err = lkl_begin_step();

	if (err)
		return err;
	err = halt(lkl_thread_self());
	lkl_end_step();
	return err;
}

void lkl_cleanup(void)
{
	if (lkl_begin_step())
		return;
	if (!lkl_kernel_boots()) {
		lkl_vdevs_free();
		host_faults_remove();
		lkl_host = NULL;
		lkl_process()->initialized = false;
	}
	lkl_end_step();
}
