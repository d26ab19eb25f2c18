// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way of a call into the kernel.
 *
 * A host thread is made known to the kernel by its first call and forgotten
 * when it ends.  What it needs to remember is a task and the number of the boot
 * the task belongs to; the kernel refuses a task of another boot, so a thread
 * that outlives a halt simply gets a new one.
 */
#include <pthread.h>

#include <lkl.h>
#include <lkl_host.h>

#include "../host/host.h"
#include "process.h"
#include "thread.h"

/* Of this file only: a call computes its address once then. */
static __thread struct lkl_self lkl_self
	__attribute__((tls_model("initial-exec")));

bool lkl_alt_stacks_handled;
static pthread_key_t exit_key;
static bool have_exit_key;

struct lkl_self *lkl_thread_self(void)
{
	return &lkl_self;
}

/* A child that a signal handler forks has left the call that this one
 * interrupted. */
bool lkl_thread_busy(struct lkl_self *self)
{
	if (!self->busy && !self->in_step)
		return false;
	if (lkl_process()->began)
		return true;
	self->busy = 0;
	self->in_step = 0;
	self->task = NULL;
	return false;
}

void lkl_thread_exit(void)
{
	struct lkl_self *self = &lkl_self;

	if (self->task && self->boot == lkl_kernel_boots())
		lkl_task_exit(self->task, self->boot);
	self->task = NULL;
}

static void thread_exit(void *unused)
{
	(void)unused;
	lkl_thread_exit();
}

int lkl_thread_init(void)
{
	if (have_exit_key || host_has_own_libc())
		return 0;
	if (pthread_key_create(&exit_key, thread_exit))
		return -LKL_EAGAIN;
	have_exit_key = true;
	return 0;
}

static void prepare(struct lkl_self *self)
{
	host_admit_faults();
	if (!lkl_alt_stacks_handled)
		self->alt_size = host_alt_stack(&self->alt_stack);
}

void *lkl_thread_leave(void)
{
	void *task = lkl_self.task;

	lkl_self.task = NULL;
	return task;
}

void lkl_thread_take(void *task)
{
	struct lkl_self *self = &lkl_self;

	prepare(self);
	self->boot = lkl_kernel_boots();
	self->task = task;
	if (have_exit_key)
		pthread_setspecific(exit_key, self);
}

int lkl_thread_attach(struct lkl_self *self)
{
	int err, tid = lkl_host_ops.gettid();
	unsigned int boot;

	prepare(self);
	do {
		boot = lkl_kernel_boots();
		if (!boot)
			return -LKL_ENOSYS;
		self->boot = boot;
		err = lkl_task_create(boot, tid, &self->task);
		/* Another thread may have reset the kernel meanwhile. */
	} while (err && lkl_kernel_boots() && boot != lkl_kernel_boots());
	if (err)
		return err;
	/* Any value but NULL has the destructor called. */
	if (have_exit_key)
		pthread_setspecific(exit_key, self);
	return 0;
}

/* The call was not made, or the kernel has no such call: which is it? */
static int attach_again(struct lkl_self *self)
{
	return self->boot == lkl_kernel_boots() ? -LKL_ENOSYS
						: lkl_thread_attach(self);
}

/* The thread is in a signal handler that has a stack of its own. */
static inline bool is_on_alt_stack(const struct lkl_self *self)
{
	lkl_ulong_t here = (lkl_ulong_t)__builtin_frame_address(0);

	return here - self->alt_stack < self->alt_size;
}

static inline lkl_long_t make_call(struct lkl_self *self, lkl_long_t no,
				   lkl_long_t *params)
{
	lkl_long_t ret = lkl_task_syscall(self->task, self->boot, no, params);

	while (__builtin_expect(ret == -LKL_ENOSYS, 0) && !attach_again(self))
		ret = lkl_task_syscall(self->task, self->boot, no, params);
	return ret;
}

/*
 * Kernel code is on another stack.  The host would take the alternate one for
 * free, and put the frame of a fault there over that of the handler.
 */
static __attribute__((noinline)) lkl_long_t
call_off_alt_stack(struct lkl_self *self, lkl_long_t no, lkl_long_t *params)
{
	struct host_stack stack;
	lkl_long_t ret;

	host_disable_alt_stack(&stack);
	ret = make_call(self, no, params);
	host_set_alt_stack(&stack);
	return ret;
}

lkl_long_t lkl_syscall(lkl_long_t no, lkl_long_t *params)
{
	struct lkl_self *self = &lkl_self;
	lkl_long_t ret;

	if (__builtin_expect(self->busy, 0) && lkl_thread_busy(self))
		return -LKL_EDEADLK;
	self->busy = 1;
	ret = self->task ? 0 : lkl_thread_attach(self);
	if (__builtin_expect(ret, 0))
		;
	else if (__builtin_expect(is_on_alt_stack(self), 0))
		ret = call_off_alt_stack(self, no, params);
	else
		ret = make_call(self, no, params);
	self->busy = 0;
	return ret;
}

lkl_long_t lkl_kernel_call(lkl_long_t(LKL_DOOR *fn)(void *arg), void *arg)
{
	struct lkl_self *self = &lkl_self;
	struct host_stack stack;
	lkl_long_t ret = 0;
	bool off;

	if (self->busy && lkl_thread_busy(self))
		return -LKL_EDEADLK;
	self->busy = 1;
	if (!self->task || self->boot != lkl_kernel_boots())
		ret = lkl_thread_attach(self);
	off = is_on_alt_stack(self);
	if (off)
		host_disable_alt_stack(&stack);
	if (!ret)
		ret = lkl_task_run(self->task, self->boot, fn, arg);
	if (off)
		host_set_alt_stack(&stack);
	self->busy = 0;
	return ret;
}
