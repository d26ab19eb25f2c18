// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library's life cycle, and the way of a call into the kernel.
 *
 * A host thread is made known to the kernel by its first call and forgotten
 * when it ends.  What it needs to remember is a task and the number of the boot
 * the task belongs to; the kernel refuses a task of another boot, so a thread
 * that outlives a halt simply gets a new one.
 *
 * Initializing, booting, halting and cleaning up exclude each other.  A thread
 * that comes while another one is at it waits, and then finds what that one has
 * left.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>

#include <lkl.h>
#include <lkl_host.h>

#include "../host/posix/posix.h"
#include "process.h"
#include "thread.h"
#include "virtio.h"

static __thread struct lkl_self self_state
	__attribute__((tls_model("initial-exec")));

struct lkl_host_operations *lkl_host;
bool lkl_alt_stacks_minded;
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
	posix_admit_faults();
	if (!lkl_alt_stacks_minded)
		self->alt_size = posix_alt_stack(&self->alt_stack);
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

/* The thread is in a signal handler that has a stack of its own. */
static inline bool is_on_alt_stack(const struct lkl_self *self)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0);

	return here - self->alt_stack < self->alt_size;
}

static inline long make_call(struct lkl_self *self, long no, long *params)
{
	long ret = lkl_task_syscall(self->task, self->boot, no, params);

	if (__builtin_expect(ret == -LKL_ENOSYS, 0) && !attach_again(self))
		ret = lkl_task_syscall(self->task, self->boot, no, params);
	return ret;
}

/*
 * Kernel code is on another stack.  The host would take the alternate one for
 * free, and put the frame of a fault there over that of the handler.
 */
static __attribute__((noinline)) long call_off_alt_stack(struct lkl_self *self,
							 long no, long *params)
{
	stack_t stack;
	long ret;

	posix_disable_alt_stack(&stack);
	ret = make_call(self, no, params);
	posix_set_alt_stack(&stack);
	return ret;
}

long lkl_syscall(long no, long *params)
{
	struct lkl_self *self = &self_state;
	long ret;

	if (__builtin_expect(self->busy, 0))
		return -LKL_EDEADLK;
	self->busy = 1;
	ret = self->task ? 0 : attach(self);
	if (__builtin_expect(ret, 0))
		;
	else if (__builtin_expect(is_on_alt_stack(self), 0))
		ret = call_off_alt_stack(self, no, params);
	else
		ret = make_call(self, no, params);
	self->busy = 0;
	return ret;
}

long lkl_kernel_call(long (*fn)(void *arg), void *arg)
{
	struct lkl_self *self = &self_state;
	stack_t stack;
	long ret = 0;
	bool off;

	if (self->busy)
		return -LKL_EDEADLK;
	self->busy = 1;
	if (!self->task || self->boot != lkl_kernel_boots())
		ret = attach(self);
	off = is_on_alt_stack(self);
	if (off)
		posix_disable_alt_stack(&stack);
	if (!ret)
		ret = lkl_task_run(self->task, self->boot, fn, arg);
	if (off)
		posix_set_alt_stack(&stack);
	self->busy = 0;
	return ret;
}

/*
 * Begin a step of the life cycle.  A signal handler cannot wait for the step or
 * the call that it has interrupted.
 */
static int begin_step(void)
{
	struct lkl_self *self = &self_state;

	if (self->busy || self->in_step)
		return -LKL_EDEADLK;
	self->in_step = 1;
	pthread_mutex_lock(&lkl_process()->life);
	return 0;
}

static void end_step(void)
{
	pthread_mutex_unlock(&lkl_process()->life);
	self_state.in_step = 0;
}

static int init(struct lkl_host_operations *ops)
{
	int err;

	/* A forked child may begin anew. */
	if (lkl_host && lkl_process()->initialized)
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
	lkl_process()->initialized = true;
	return 0;
}

int lkl_init(struct lkl_host_operations *ops)
{
	int err;

	if (!ops)
		return -LKL_EINVAL;
	err = begin_step();
	if (err)
		return err;
	err = init(ops);
	end_step();
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
	listen_reset();
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
	err = begin_step();
	if (err)
		return err;
	err = start_kernel(cmdline);
	end_step();
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
	if (!self->task || self->boot != lkl_kernel_boots())
		err = attach(self);
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
	long err = begin_step();

	if (err)
		return err;
	err = halt(&self_state);
	end_step();
	return err;
}

void lkl_cleanup(void)
{
	if (begin_step())
		return;
	if (!lkl_kernel_boots()) {
		lkl_vdevs_free();
		posix_faults_remove();
		lkl_host = NULL;
		lkl_process()->initialized = false;
	}
	end_step();
}
