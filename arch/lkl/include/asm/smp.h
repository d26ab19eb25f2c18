/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_SMP_H
#define _ASM_LKL_SMP_H

#include <asm/cpu.h>

struct cpumask;

#define raw_smp_processor_id()	(lkl_this->cpu)

void arch_send_call_function_single_ipi(int cpu);
void arch_send_call_function_ipi_mask(const struct cpumask *mask);

#endif /* _ASM_LKL_SMP_H */
