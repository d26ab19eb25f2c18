/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LKL_THREAD_H
#define LKL_THREAD_H

/**
 * struct lkl_self - what the library knows of a host thread
 *
 * @self: its own address, where the GS register points
 * @task: its kernel task, in the boot with the number
 * @boot: this
 * @busy: the thread is in a call; another one can only come from a signal
 *	handler
 */
struct lkl_self {
	struct lkl_self *self;
	void *task;
	unsigned int boot;
	int busy;
};

/*
 * It is in thread-local storage, unless the program owns the FS register, as
 * one that was linked statically, or Go, does.  Then it is where GS points,
 * which programs for x86-64 have no use for.
 */
struct lkl_self *lkl_thread_self(void);

/* From here on GS it is, for all threads that make calls. */
void lkl_threads_use_gs(void);

/* Give the calling thread its state, zeroed memory of the caller's. */
int lkl_thread_start_gs(struct lkl_self *self);

/* The calling thread ends, or will not call again. */
void lkl_thread_exit(void);

/* Run fn(arg) in kernel context, as a system call of the calling thread. */
long lkl_kernel_call(long (*fn)(void *arg), void *arg);

#endif /* LKL_THREAD_H */
