/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LIB_LIFE_H
#define LIB_LIFE_H

/**
 * lkl_begin_step - begin a step of the life cycle
 *
 * A signal handler cannot wait for the step or the call that it has
 * interrupted.
 *
 * Return: 0 or -LKL_EDEADLK; lkl_end_step() must follow the former
 */
int lkl_begin_step(void);
void lkl_end_step(void);

/* lkl_thaw() within a step. */
int lkl_thaw_kernel(void);

#endif /* LIB_LIFE_H */
