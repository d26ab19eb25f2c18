/* SPDX-License-Identifier: GPL-2.0-only */
/* The threads that mind the timer; wakeup.c tells more. */
#ifndef _LKL_WAKEUP_H
#define _LKL_WAKEUP_H

#include <linux/types.h>

int lkl_timer_start(u32 boot);
void lkl_timer_stop(void);
void lkl_timer_rebase(u32 boot, u64 ns);
u64 lkl_timer_cover(void);
void lkl_timer_uncover(u64 cover);

#endif /* _LKL_WAKEUP_H */
