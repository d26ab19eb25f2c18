// SPDX-License-Identifier: GPL-2.0-only
/* What assembler files need to know of C. */
#define COMPILE_OFFSETS
#include <linux/kbuild.h>
#include <asm/cpu.h>

static void __used lkl_offsets(void)
{
	OFFSET(LKL_CPU_HOST_SP, lkl_vcpu, host_sp);
	OFFSET(LKL_CPU_FAULT, lkl_vcpu, fault);
}
