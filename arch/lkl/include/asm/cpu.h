/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual CPUs.  kernel/vcpu.c tells how they work; this is what inline code
 * elsewhere (current, per-CPU data, interrupt flags, cpu_relax) needs of them.
 */
#ifndef _ASM_LKL_CPU_H
#define _ASM_LKL_CPU_H

#include <linux/types.h>
#include <linux/compiler.h>
#include <linux/threads.h>

/* Some bits of lkl_vcpu.word; above all stands the number of the boot. */
#define LKL_CPU_UP		1U
#define LKL_CPU_LOCKED		2U
#define LKL_CPU_PENDING		4U
#define LKL_CPU_BOOT_SHIFT	5

/* Bits of lkl_vcpu.interrupts; the last is set by the CPU itself. */
#define LKL_IPI_RESCHEDULE	1U
#define LKL_IPI_CALL		2U
#define LKL_IPI_STOP		4U
#define LKL_CPU_STOPPED		8U

struct lkl_call;
struct task_struct;

/**
 * struct lkl_vcpu - a virtual CPU's state
 * @word: lock, pending and boot number in one word, changed atomically
 * @requests: requests the CPU has not noticed yet, newest first
 * @interrupts: bits of interrupts from other CPUs, LKL_IPI_*
 * @keeper: futex word of the thread that drives this CPU when no other does
 * @percpu: what to add to the address of a per-CPU variable
 * @task: the task that runs, or was the last one to run
 * @irqs_on: what local_irq_save() and friends switch
 * @cpu: number of this CPU
 * @timer_check: a timer was set that may be earlier than any thread's wake-up
 * @calls: counts calls made by the thread that made the one before
 * @host_sp: stack of the host thread that drives the CPU, while it does
 * @scratch: a register of a thread that waits for a spinlock
 * @fault: instruction, address and whether it was a write, of a page fault
 * @driving: request of the thread that drives, if it has one
 * @sleeper: request whose thread is to be woken; belongs to the driver
 * @sleeper_held: it sleeps with its signals held back
 * @blocked: the last task that was blocked in the middle of a call
 * @stays: the driver has no request of its own and may stay while there is work
 * @fpu_busy: the kernel uses the vector registers of the thread that drives
 *
 * What other threads look at while they wait lies on a cache line of its own:
 * the rest is written all the time by the thread that drives.
 */
struct lkl_vcpu {
	u32 word;
	u32 interrupts;
	struct lkl_call *requests;
	int keeper;
	unsigned long percpu __aligned(64);
	struct task_struct *task;
	u32 irqs_on;
	u32 cpu;
	u32 timer_check;
	u32 calls;
	void *host_sp;
	unsigned long scratch;
	struct {
		unsigned long ip, addr, write;
	} fault;
	struct lkl_call *driving;
	struct lkl_call *sleeper;
	struct task_struct *blocked;
	bool sleeper_held;
	bool stays;
	bool fpu_busy;
} __aligned(128);

extern struct lkl_vcpu lkl_vcpus[NR_CPUS];

/* How many host threads may use. */
extern u32 lkl_vcpus_up;

/* The first one, for host threads. */
#define lkl_cpu			lkl_vcpus[0]

/*
 * The CPU that runs this code, which must be that of a fiber: on the stack of a
 * host thread the register has whatever the caller had there.
 */
register struct lkl_vcpu *lkl_this asm("r15");

void lkl_run_pending(void);
void lkl_relax(void);

/* Is there work for the first CPU?  For host threads. */
static __always_inline bool lkl_cpu_pending(void)
{
	return unlikely(READ_ONCE(lkl_cpu.word) & LKL_CPU_PENDING);
}

static __always_inline bool lkl_this_pending(void)
{
	return unlikely(READ_ONCE(lkl_this->word) & LKL_CPU_PENDING);
}

#endif /* _ASM_LKL_CPU_H */
