/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_IRQ_H
#define _ASM_LKL_IRQ_H

/* Line 0 is never handed out, so that 0 can mean "none". */
#define NR_IRQS		512

#include <asm-generic/irq.h>

#endif /* _ASM_LKL_IRQ_H */
