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
#include <unistd.h>

#include <lkl.h>
#include <lkl_host.h>

#include "../host/posix/posix.h"
#include "thread.h"
#include "virtio.h"

__thread struct lkl_self lkl_self __attribute__((tls_model("initial-exec")));

static struct lkl_host_operations *host;
static pthread_key_t exit_key;
static int have_exit_key;

static void thread_exit(void *unused)
{
	(void)unused;
	if (lkl_self.task && lkl_self.boot == lkl_kernel_boots())
		lkl_task_exit(lkl_self.task, lkl_self.boot);
	lkl_self.task = NULL;
}

/* Give the calling thread a task in the running boot. */
static int attach(void)
{
	unsigned int boot = lkl_kernel_boots();
	int err;

	if (!boot)
		return -LKL_ENOSYS;
	lkl_self.boot = boot;
	err = lkl_task_create(boot, syscall(SYS_gettid), &lkl_self.task);
	if (err)
		return err;
	/* Any value but NULL has the destructor called. */
	pthread_setspecific(exit_key, &lkl_self);
	return 0;
}

/* The call was not made, or the kernel has no such call: which is it? */
static int attach_again(void)
{
	return lkl_self.boot == lkl_kernel_boots() ? -LKL_ENOSYS : attach();
}

long lkl_syscall(long no, long *params)
{
	long ret;

	if (__builtin_expect(lkl_self.busy, 0))
		return -LKL_EDEADLK;
	lkl_self.busy = 1;
	ret = lkl_self.task ? 0 : attach();
	if (!ret)
		ret = lkl_task_syscall(lkl_self.task, lkl_self.boot, no,
				       params);
	if (__builtin_expect(ret == -LKL_ENOSYS, 0) && !attach_again())
		ret = lkl_task_syscall(lkl_self.task, lkl_self.boot, no,
				       params);
	lkl_self.busy = 0;
	return ret;
}

long lkl_kernel_call(long (*fn)(void *arg), void *arg)
{
	long ret = 0;

	if (lkl_self.busy)
		return -LKL_EDEADLK;
	lkl_self.busy = 1;
	if (!lkl_self.task || lkl_self.boot != lkl_kernel_boots())
		ret = attach();
	if (!ret)
		ret = lkl_task_run(lkl_self.task, lkl_self.boot, fn, arg);
	lkl_self.busy = 0;
	return ret;
}

int lkl_init(struct lkl_host_operations *ops)
{
	int err;

	if (!ops)
		return -LKL_EINVAL;
	if (host)
		return -LKL_EBUSY;
	if (!have_exit_key) {
		if (pthread_key_create(&exit_key, thread_exit))
			return -LKL_EAGAIN;
		have_exit_key = 1;
	}
	err = posix_faults_install();
	if (err)
		return err;
	host = ops;
	return 0;
}

int lkl_start_kernel(const char *cmdline_fmt, ...)
{
	char cmdline[4096] = "";
	va_list args;
	int n, ret;

	if (!host)
		return -LKL_EINVAL;
	va_start(args, cmdline_fmt);
	n = vsnprintf(cmdline, sizeof(cmdline), cmdline_fmt, args);
	va_end(args);
	if (n < 0 || n >= (int)sizeof(cmdline))
		return -LKL_E2BIG;
	ret = lkl_vdevs_start(host);
	if (ret)
		return ret;
	ret = lkl_kernel_boot(host, cmdline);
	lkl_vdevs_started(!ret);
	return ret;
}

int lkl_is_running(void)
{
	return lkl_kernel_boots() != 0;
}

long lkl_sys_halt(void)
{
	long ret = 0;

	if (!lkl_kernel_boots())
		return -LKL_ENOSYS;
	if (lkl_self.busy)
		return -LKL_EDEADLK;
	if (!lkl_self.task || lkl_self.boot != lkl_kernel_boots())
		ret = attach();
	if (!ret)
		ret = lkl_kernel_halt(lkl_self.task);
	if (ret)
		return ret;
	lkl_vdevs_stop();
	lkl_kernel_release();
	lkl_self.task = NULL;
	return 0;
}

void lkl_cleanup(void)
{
	lkl_vdevs_free();
	posix_faults_remove();
	host = NULL;
}
