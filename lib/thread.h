/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LKL_THREAD_H
#define LKL_THREAD_H

/**
 * struct lkl_self - what the library knows of a host thread
 *
 * @task: its kernel task, in the boot with the number
 * @boot: this
 * @busy: the thread is in a call; another one can only come from a signal
 *	handler
 * @in_step: the thread boots or halts the kernel, or the like
 */
struct lkl_self {
	void *task;
	unsigned int boot;
	int busy;
	int in_step;
};

/* Is the calling thread in a call? */
int lkl_thread_busy(void);

/* The calling thread ends, or will not call again. */
void lkl_thread_exit(void);

/* What lkl_init() was given, or NULL. */
extern struct lkl_host_operations *lkl_host;

/* Run fn(arg) in kernel context, as a system call of the calling thread. */
long lkl_kernel_call(long (*fn)(void *arg), void *arg);

#endif /* LKL_THREAD_H */
