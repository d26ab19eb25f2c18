/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_IRQFLAGS_H
#define _ASM_LKL_IRQFLAGS_H

/*
 * Interrupts are polled, not delivered: whatever wants the CPU's attention
 * sets a bit, and the holder looks at it wherever it enables interrupts.
 * Code between two such points is never interrupted.
 */
#include <asm/cpu.h>

#define ARCH_IRQ_DISABLED	0
#define ARCH_IRQ_ENABLED	1

static __always_inline unsigned long arch_local_save_flags(void)
{
	return lkl_this->irqs_on;
}

static __always_inline void arch_local_irq_restore(unsigned long flags)
{
	barrier();
	lkl_this->irqs_on = flags;
	if (lkl_this_pending() && flags)
		lkl_run_pending();
}

#define arch_local_irq_restore arch_local_irq_restore

static __always_inline void arch_local_irq_disable(void)
{
	lkl_this->irqs_on = ARCH_IRQ_DISABLED;
	barrier();
}

static __always_inline void arch_local_irq_enable(void)
{
	arch_local_irq_restore(ARCH_IRQ_ENABLED);
}

static __always_inline unsigned long arch_local_irq_save(void)
{
	unsigned long flags = lkl_this->irqs_on;

	arch_local_irq_disable();
	return flags;
}

#define arch_local_save_flags arch_local_save_flags
#define arch_local_irq_save arch_local_irq_save
#define arch_local_irq_disable arch_local_irq_disable
#define arch_local_irq_enable arch_local_irq_enable

#include <asm-generic/irqflags.h>

#endif /* _ASM_LKL_IRQFLAGS_H */
