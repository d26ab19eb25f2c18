/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files under test need of Linux, and each access to memory that
 * threads share, which is a place where another thread may go on (explore.c).
 */
#ifndef ORDERS_KERNEL_H
#define ORDERS_KERNEL_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "explore.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;

#define NR_CPUS 2
#define PAGE_SIZE 4096
#define THREAD_SIZE 4096
#define SMP_CACHE_BYTES 64
#define NSEC_PER_USEC 1000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_SEC 1000000000ULL

#define __aligned(n) __attribute__((aligned(n)))
#define ____cacheline_aligned __aligned(SMP_CACHE_BYTES)
#define __cacheline_aligned __aligned(SMP_CACHE_BYTES)
#define __section(name)
#define __always_inline inline __attribute__((always_inline))
#define __noreturn __attribute__((noreturn))
#define noinline __attribute__((noinline))
#define likely(x) (x)
#define unlikely(x) (x)
#define hash_ptr(p, bits) ((unsigned long)(p) / SMP_CACHE_BYTES % (1 << (bits)))
#define barrier() asm volatile("" ::: "memory")

#define READ_ONCE(x) ((__typeof__(x))explore_load(&(x), sizeof(x)))
#define WRITE_ONCE(x, v) explore_store(&(x), sizeof(x), (u64)(v), false)
#define smp_mb() explore_fence()

#define __atomic_load_n(p, order)                                              \
	((__typeof__(*(p)))explore_load((p), sizeof(*(p))))
#define __atomic_store_n(p, v, order)                                          \
	explore_store((p), sizeof(*(p)), (u64)(v), (order) == __ATOMIC_SEQ_CST)
#define __atomic_exchange_n(p, v, order)                                       \
	((__typeof__(*(p)))explore_change((p), sizeof(*(p)), EXPLORE_SET,      \
					  (u64)(v)))
#define __atomic_fetch_or(p, v, order)                                         \
	((__typeof__(*(p)))explore_change((p), sizeof(*(p)), EXPLORE_OR,       \
					  (u64)(v)))
#define __atomic_fetch_and(p, v, order)                                        \
	((__typeof__(*(p)))explore_change((p), sizeof(*(p)), EXPLORE_AND,      \
					  (u64)(v)))
#define __atomic_fetch_add(p, v, order)                                        \
	((__typeof__(*(p)))explore_change((p), sizeof(*(p)), EXPLORE_ADD,      \
					  (u64)(v)))
#define __atomic_add_fetch(p, v, order) (__atomic_fetch_add(p, v, order) + (v))
#define __atomic_sub_fetch(p, v, order)                                        \
	(__atomic_fetch_add(p, -(v), order) - (v))
#define __atomic_compare_exchange_n(p, old, v, weak, order, fail)              \
	explore_compare((p), sizeof(*(p)), (old), (u64)(v))
#define __builtin_ia32_pause() explore_relax()

struct lkl_call;
struct lkl_vcpu;

struct thread_struct {
	void *sp;
	struct lkl_call *call;
	struct lkl_call *active;
	int host_tid;
	bool in_user;
};

/**
 * struct task_struct - a task of the kernel that stands in for Linux
 * @thread: the real part
 * @stack: no address of a host thread
 * @flags: of thread_info
 * @wake_cpu: CPU it shall run on
 * @on_cpu: CPU it runs on, or was the last to run on
 * @blocked: it sleeps in a call
 * @interrupted: that is to end
 * @state: how it is going to sleep, while it is parked
 * @asleep: it does
 */
struct task_struct {
	struct thread_struct thread;
	void *stack;
	unsigned long flags;
	u32 wake_cpu;
	int on_cpu;
	bool blocked;
	bool interrupted;
	unsigned int state;
	bool asleep;
} __aligned(SMP_CACHE_BYTES);

#define _TIF_NEED_RESCHED 1
#define TIF_NOTIFY_SIGNAL 2
#define TASK_RUNNING 0
#define TASK_INTERRUPTIBLE 1

extern struct task_struct init_task;

#define current lkl_this->task
#define task_thread_info(task) (task)
#define is_idle_task(task) ((task) == &init_task)
#define task_is_running(task) (!(task)->blocked)
#define task_cpu(task) ((task)->on_cpu)
#define smp_processor_id() lkl_this->cpu
#define set_tsk_thread_flag(task, flag) ((task)->interrupted = true)
#define wake_up_state(task, state) model_wake(task)
#define wake_up_process(task) model_wake(task)

/* What a task that is parked asks of Linux. */
#define need_resched() explore_choose(2)
#define single_task_running() model_single()
#define read_thread_flags() 0
#define _TIF_EXIT_WORK 1
#define local_irq_disable() model_irqs(false)
#define local_irq_enable() model_irqs(true)
#define set_current_state(how) model_state(how)
#define __set_current_state(how) (current->state = (how))
#define schedule() model_schedule()

bool model_single(void);
void model_irqs(bool on);
void model_state(unsigned int how);
void model_schedule(void);
bool model_wake(struct task_struct *task);
__noreturn void do_exit(long code);

#endif /* ORDERS_KERNEL_H */
