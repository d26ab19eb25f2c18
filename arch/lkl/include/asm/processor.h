/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_PROCESSOR_H
#define _ASM_LKL_PROCESSOR_H

#include <asm/cpu.h>
#include <asm/layout.h>
#include <asm/page.h>
#include <asm/ptrace.h>

struct lkl_call;
struct task_struct;

/* Any host address may be a user address. */
#define TASK_SIZE		((1UL << 47) - LKL_LAST_PAGE)
#define TASK_UNMAPPED_BASE	LKL_UMAP_BASE
#define STACK_TOP		(LKL_UMAP_BASE + LKL_UMAP_SIZE)
#define arch_get_mmap_end(addr, len, flags) (LKL_UMAP_BASE + LKL_UMAP_SIZE)
#define STACK_TOP_MAX		STACK_TOP

#define ARCH_LOW_ADDRESS_LIMIT	(~0UL)

/**
 * struct thread_struct - a task as the port sees it
 * @sp: kernel stack of the fiber while it does not run
 * @call: request of the host thread this task serves, until it is taken
 * @active: the request being served
 * @host_tid: the host thread this task serves
 * @in_user: the task is in "user mode"
 * @regs: frame of the request being served, for code that asks for it
 */
struct thread_struct {
	void *sp;
	struct lkl_call *call;
	struct lkl_call *active;
	int host_tid;
	bool in_user;
	struct pt_regs regs;
};

#define INIT_THREAD	{ .sp = NULL }

#define task_pt_regs(tsk)	(&(tsk)->thread.regs)
#define KSTK_EIP(tsk)		(0UL)
#define KSTK_ESP(tsk)		(0UL)

static inline void cpu_relax(void)
{
	lkl_relax();
}

static inline void prefetch(const void *p)
{
	__builtin_prefetch(p);
}

static inline void prefetchw(const void *p)
{
	__builtin_prefetch(p, 1);
}

#define ARCH_HAS_PREFETCH
#define ARCH_HAS_PREFETCHW

static inline void start_thread(struct pt_regs *regs, unsigned long ip,
				unsigned long sp)
{
	regs->ip = ip;
	regs->sp = sp;
}

unsigned long __get_wchan(struct task_struct *p);

#endif /* _ASM_LKL_PROCESSOR_H */
