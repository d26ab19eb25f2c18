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
	err = lkl_vdevs_start(lkl_host);
	if (err)
		return err;
	err = lkl_kernel_boot(lkl_host, cmdline);
	lkl_vdevs_started(!err);
	return err;
}

int lkl_start_kernel(const char *cmdline_fmt, ...)
{
	char cmdline[4096] = "";
	va_list args;
	int n, err;

	va_start(args, cmdline_fmt);
	n = vsnprintf(cmdline, sizeof(cmdline), cmdline_fmt, args);
	va_end(args);
	if (n < 0 || n >= (int)sizeof(cmdline))
		return lkl_host ? -LKL_E2BIG : -LKL_EINVAL;
	err = lkl_begin_step();
	if (err)
		return err;
	err = start_kernel(cmdline);
	lkl_end_step();
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
