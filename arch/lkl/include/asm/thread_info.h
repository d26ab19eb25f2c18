/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_THREAD_INFO_H
#define _ASM_LKL_THREAD_INFO_H

/*
 * A host signal may be handled on a kernel stack, and its frame carries the
 * vector registers: up to 11 KiB with AMX.
 */
#define THREAD_SIZE_ORDER	LKL_STACK_ORDER
#define THREAD_SIZE		(LKL_STACK_PAGE << THREAD_SIZE_ORDER)

#ifndef __ASSEMBLY__

/**
 * struct thread_info - what every task starts with
 * @flags: TIF_* bits
 * @preempt_count: nesting of things that must not sleep
 * @cpu: the virtual CPU whose task it is
 */
struct thread_info {
	unsigned long flags;
	int preempt_count;
	unsigned int cpu;
};

#define INIT_THREAD_INFO(tsk)	{ .preempt_count = INIT_PREEMPT_COUNT }

#endif /* __ASSEMBLY__ */

#define TIF_SIGPENDING		0
#define TIF_NOTIFY_SIGNAL	1
#define TIF_NOTIFY_RESUME	2
#define TIF_NEED_RESCHED	3
#define TIF_RESTORE_SIGMASK	4
#define TIF_MEMDIE		5
#define TIF_SYSCALL_TRACE	6
#define TIF_SECCOMP		8
#define TIF_SYSCALL_AUDIT	9

#define _TIF_SIGPENDING		(1 << TIF_SIGPENDING)
#define _TIF_NOTIFY_SIGNAL	(1 << TIF_NOTIFY_SIGNAL)
#define _TIF_NOTIFY_RESUME	(1 << TIF_NOTIFY_RESUME)
#define _TIF_NEED_RESCHED	(1 << TIF_NEED_RESCHED)

/* What a system call must look at before it returns to the application. */
#define _TIF_EXIT_WORK	(_TIF_SIGPENDING | _TIF_NOTIFY_SIGNAL | _TIF_NOTIFY_RESUME)

#endif /* _ASM_LKL_THREAD_INFO_H */
