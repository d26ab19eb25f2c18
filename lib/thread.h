/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LKL_THREAD_H
#define LKL_THREAD_H

#include <stdbool.h>

#include <lkl/asm/host_ops.h>

/**
 * struct lkl_self - what the library knows of a host thread
 *
 * @task: its kernel task, in the boot with the number
 * @boot: this
 * @busy: the thread is in a call; another one can only come from a signal
 *	handler
 * @alt_stack: where its alternate signal stack begins
 * @alt_size: the size of that; 0 when there is none
 * @in_step: the thread boots or halts the kernel, or the like
 */
struct lkl_self {
	void *task;
	unsigned int boot;
	int busy;
	lkl_ulong_t alt_stack;
	lkl_ulong_t alt_size;
	int in_step;
};

/* The calling thread. */
struct lkl_self *lkl_thread_self(void);

/* Is it in a call or a step?  Not in those of the process that this one was
 * forked from. */
bool lkl_thread_busy(struct lkl_self *self);

/* Have threads tell when they end; 0 or a negative error number. */
int lkl_thread_init(void);

/* Give the calling thread, @self, a task in the running boot. */
int lkl_thread_attach(struct lkl_self *self);

/* The calling thread ends, or will not call again. */
void lkl_thread_exit(void);

/* The interception takes care of alternate signal stacks. */
extern bool lkl_alt_stacks_handled;

/**
 * lkl_thread_leave - the calling thread ends, and another one will have its
 * task
 *
 * Return: the task, for lkl_thread_take()
 */
void *lkl_thread_leave(void);

/**
 * lkl_thread_take - have another thread's task, in the running boot
 * @task: of one that has left, and is not here any more
 */
void lkl_thread_take(void *task);

/* What lkl_init() was given, or NULL. */
extern struct lkl_host_operations *lkl_host;

/* Run fn(arg) in kernel context, as a system call of the calling thread. */
lkl_long_t lkl_kernel_call(lkl_long_t (LKL_DOOR *fn)(void *arg), void *arg);

#endif /* LKL_THREAD_H */
