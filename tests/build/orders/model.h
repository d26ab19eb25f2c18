/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel in the model, for the threads that use it; model.c tells more. */
#ifndef ORDERS_MODEL_H
#define ORDERS_MODEL_H

#include "kernel.h"

#include <asm/call.h>
#include <asm/cpu.h>

/* Number of the boot. */
#define BOOT 5U

/* What calls do: nothing, wait until another one posts, post, end the kernel.
 */
enum { SHORT, WAIT, POST, HALT };

/* One for each thread, and one for a second task of the first thread. */
extern struct task_struct tasks[EXPLORE_THREADS + 1];

/* A thread is in the kernel, by CPU. */
extern bool inside[NR_CPUS];

/* Interrupts that were raised, and that Linux has seen; halts. */
extern int lines, lines_seen, halted;

/* A signal came for a thread, which has not noticed it. */
extern bool signalled[EXPLORE_THREADS];

/* A task that has something to do; those of tasks that are blocked wait. */
struct task_struct *runnable(struct lkl_vcpu *cpu);

/* A kernel that has booted, with one CPU, or two. */
void begin(void);
void begin_two(void);

/* One CPU, whose tasks park by the kernel's own code. */
void begin_park(void);

#endif /* ORDERS_MODEL_H */
