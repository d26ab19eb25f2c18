/* SPDX-License-Identifier: GPL-2.0-only */
/* The threads that mind the timer; wakeup.c tells more. */
#ifndef _LKL_WAKEUP_H
#define _LKL_WAKEUP_H

#include <linux/types.h>

struct lkl_vcpu;

int lkl_timer_start(u32 boot, unsigned int cpus);
void lkl_timer_stop(void);
void lkl_timer_rebase(struct lkl_vcpu *cpu, u32 boot, u64 ns);
u64 lkl_timer_cover(struct lkl_vcpu *cpu);
void lkl_timer_uncover(struct lkl_vcpu *cpu, u64 cover);

#endif /* _LKL_WAKEUP_H */
