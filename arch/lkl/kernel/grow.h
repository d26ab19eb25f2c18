/* SPDX-License-Identifier: GPL-2.0-only */
/* A kernel that starts with one virtual CPU and gets more; grow.c tells more. */
#ifndef _LKL_GROW_H
#define _LKL_GROW_H

#include <asm/cpu.h>

/* One more bit of lkl_vcpu.interrupts, of the first CPU. */
#define LKL_IPI_GROW	16U

/* How many virtual CPUs there may be, and whether they come one by one. */
extern u32 lkl_cpus_most;
extern bool lkl_grows;

void lkl_grow_none(void);
void lkl_grow_for(u32 boot, u64 began, u64 now);
void lkl_grow_wake(void);

/* kernel/smp.c */
int lkl_set_locks(bool locks);

/* kernel/freeze.c */
bool lkl_is_frozen(void);

static inline bool lkl_may_grow(void)
{
	return READ_ONCE(lkl_grows) && lkl_vcpus_up < READ_ONCE(lkl_cpus_most);
}

#endif /* _LKL_GROW_H */
