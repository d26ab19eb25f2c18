/* SPDX-License-Identifier: GPL-2.0-only */
/* A kernel that goes on in a forked process; move.c tells more. */
#ifndef LIB_MOVE_H
#define LIB_MOVE_H

#include <stdbool.h>

/**
 * lkl_move_begin - the process is about to be forked
 *
 * Calls of other threads end with -EINTR, those that they begin wait.  A fork
 * is to follow, perhaps by another thread, for which this one waits.
 *
 * Return: 0; or a negative error number, and then all is as before
 */
int lkl_move_begin(void);

/**
 * lkl_move_there - have the kernel go on in this process
 * @forked: which was forked since
 *
 * lkl_move_end() must follow when nothing of the other process is in the way
 * any more.
 *
 * Return: 0; or a negative error number, and then the process must end
 */
int lkl_move_there(bool forked);
void lkl_move_end(void);

/**
 * lkl_move_left - the kernel is in another process now, and none is here
 *
 * Threads that have begun a call meanwhile wait for ever.
 */
void lkl_move_left(void);

/**
 * lkl_thread_replace - have another thread's task, and be known to the kernel
 *	as the one that it belongs to
 * @task: as for lkl_thread_take()
 */
void lkl_thread_replace(void *task);

#endif /* LIB_MOVE_H */
