/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instead of switching to a fiber, a function that stands in for Linux is called.  Only
 * a task that is parked has a stack of its own.
 */
#ifndef ORDERS_FIBER_H
#define ORDERS_FIBER_H

struct lkl_vcpu;

void *model_kernel(struct lkl_vcpu *cpu);
void model_leave(long why);

#define lkl_fiber_enter(cpu, load)		model_kernel(cpu)
#define lkl_fiber_switch(save, load, val)	model_leave((long)(val))

#endif /* ORDERS_FIBER_H */
