/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_DELAY_H
#define _ASM_LKL_DELAY_H

/* Delays read the host's clock, so there is nothing to calibrate. */
void lkl_ndelay(unsigned long ns);

#define ndelay(n)	lkl_ndelay(n)
#define udelay(n)	lkl_ndelay((n) * 1000UL)
#define __delay(n)	lkl_ndelay(n)

#endif /* _ASM_LKL_DELAY_H */
