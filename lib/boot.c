// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library's life cycle, and the way of a call into the kernel.
 *
 * A host thread is made known to the kernel by its first call and forgotten
 * when it ends.  What it needs to remember is a task and the number of the boot
 * the task belongs to; the kernel refuses a task of another boot, so a thread
 * that outlives a halt simply gets a new one.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>

#include <lkl.h>
#include <lkl_host.h>

#include "../host/posix/posix.h"
#include "thread.h"
#include "virtio.h"

static __thread struct lkl_self self_state
	__attribute__((tls_model("initial-exec")));

struct lkl_host_operations *lkl_host;
static pthread_key_t exit_key;
static int have_exit_key;

int lkl_thread_busy(void)
{
	return self_state.busy;
}

void lkl_thread_exit(void)
{
	struct lkl_self *self = &self_state;

	if (self->task && self->boot == lkl_kernel_boots())
		lkl_task_exit(self->task, self->boot);
	self->task = NULL;
}

static void thread_exit(void *unused)
{
	(void)unused;
	lkl_thread_exit();
}

/* Give the calling thread a task in the running boot. */
static int attach(struct lkl_self *self)
{
	unsigned int boot = lkl_kernel_boots();
	int err;

	if (!boot)
		return -LKL_ENOSYS;
	self->boot = boot;
	err = lkl_task_create(boot, raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0),
			      &self->task);
	if (err)
		return err;
	/* Any value but NULL has the destructor called. */
	pthread_setspecific(exit_key, self);
	return 0;
}

/* The call was not made, or the kernel has no such call: which is it? */
static int attach_again(struct lkl_self *self)
{
	return self->boot == lkl_kernel_boots() ? -LKL_ENOSYS : attach(self);
}

long lkl_syscall(long no, long *params)
{
	struct lkl_self *self = &self_state;
	long ret;

	if (__builtin_expect(self->busy, 0))
		return -LKL_EDEADLK;
	self->busy = 1;
	ret = self->task ? 0 : attach(self);
	if (!ret)
		ret = lkl_task_syscall(self->task, self->boot, no, params);
	if (__builtin_expect(ret == -LKL_ENOSYS, 0) && !attach_again(self))
		ret = lkl_task_syscall(self->task, self->boot, no, params);
	self->busy = 0;
	return ret;
}

long lkl_kernel_call(long (*fn)(void *arg), void *arg)
{
	struct lkl_self *self = &self_state;
	long ret = 0;

	if (self->busy)
		return -LKL_EDEADLK;
	self->busy = 1;
	if (!self->task || self->boot != lkl_kernel_boots())
		ret = attach(self);
	if (!ret)
		ret = lkl_task_run(self->task, self->boot, fn, arg);
	self->busy = 0;
	return ret;
}

int lkl_init(struct lkl_host_operations *ops)
{
	int err;

	if (!ops)
		return -LKL_EINVAL;
	if (lkl_host)
		return -LKL_EBUSY;
	if (!have_exit_key) {
		if (pthread_key_create(&exit_key, thread_exit))
			return -LKL_EAGAIN;
		have_exit_key = 1;
	}
	err = posix_faults_install();
	if (err)
		return err;
	lkl_host = ops;
	return 0;
}

int lkl_start_kernel(const char *cmdline_fmt, ...)
{
	char cmdline[4096] = "";
	va_list args;
	int n, ret;

	if (!lkl_host)
		return -LKL_EINVAL;
	va_start(args, cmdline_fmt);
	n = vsnprintf(cmdline, sizeof(cmdline), cmdline_fmt, args);
	va_end(args);
	if (n < 0 || n >= (int)sizeof(cmdline))
		return -LKL_E2BIG;
	ret = lkl_vdevs_start(lkl_host);
	if (ret)
		return ret;
	ret = lkl_kernel_boot(lkl_host, cmdline);
	lkl_vdevs_started(!ret);
	return ret;
}

int lkl_is_running(void)
{
	return lkl_kernel_boots() != 0;
}

long lkl_sys_halt(void)
{
	struct lkl_self *self = &self_state;
	long ret = 0;

	if (!lkl_kernel_boots())
		return -LKL_ENOSYS;
	if (self->busy)
		return -LKL_EDEADLK;
	if (!self->task || self->boot != lkl_kernel_boots())
		ret = attach(self);
	if (!ret)
		ret = lkl_kernel_halt(self->task);
	if (ret)
		return ret;
	lkl_vdevs_stop();
	lkl_kernel_release();
	self->task = NULL;
	return 0;
}

void lkl_cleanup(void)
{
	lkl_vdevs_free();
	posix_faults_remove();
	lkl_host = NULL;
}
