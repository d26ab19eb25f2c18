/* SPDX-License-Identifier: GPL-2.0-only */
/* The guards of tasks' stacks; task.c tells more. */
#ifndef _LKL_TASK_H
#define _LKL_TASK_H

/* A bit of thread_info.flags: the stack is to be guarded before the task runs. */
#define TIF_UNGUARDED		16

/**
 * lkl_unguard_stacks - have stacks guarded when their tasks run next
 *
 * But that of the first CPU's task, which lkl_guard_first() guards.
 */
void lkl_unguard_stacks(void);

/**
 * lkl_guard_first - guard the stack of the task that the first CPU begins with
 */
void lkl_guard_first(void);

#endif /* _LKL_TASK_H */
