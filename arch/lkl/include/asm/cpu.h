/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual CPU.  kernel/vcpu.c tells how it works; this is what inline code
 * elsewhere (interrupt flags, cpu_relax) needs of it.
 */
#ifndef _ASM_LKL_CPU_H
#define _ASM_LKL_CPU_H

#include <linux/types.h>
#include <linux/compiler.h>

/* Some bits of lkl_cpu.word; above all stands the number of the boot. */
#define LKL_CPU_UP		1U
#define LKL_CPU_LOCKED		2U
#define LKL_CPU_PENDING		4U
#define LKL_CPU_BOOT_SHIFT	5

struct lkl_call;

/**
 * struct lkl_cpu - the virtual CPU's state
 * @word: lock, pending and boot number in one word, changed atomically
 * @requests: requests the CPU has not noticed yet, newest first
 * @irqs_on: what local_irq_save() and friends switch
 * @timer_check: a timer was set that may be earlier than the wake-up of any thread
 * @calls: counts calls made by the thread that made the one before
 * @host_sp: stack of the host thread that drives the CPU, while it does
 *
 * What other threads look at while they wait lies on a cache line of its own:
 * the rest is written all the time by the thread that drives.
 */
struct lkl_cpu {
	u32 word;
	struct lkl_call *requests;
	u32 irqs_on __aligned(64);
	u32 timer_check;
	u32 calls;
	void *host_sp;
};

extern struct lkl_cpu lkl_cpu;

void lkl_run_pending(void);

static __always_inline bool lkl_cpu_pending(void)
{
	return unlikely(READ_ONCE(lkl_cpu.word) & LKL_CPU_PENDING);
}

#endif /* _ASM_LKL_CPU_H */
