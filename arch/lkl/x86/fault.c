// SPDX-License-Identifier: GPL-2.0-only
/* The registers of code that has touched a page that is not there. */
#include <linux/printk.h>
#include "fault.h"

void lkl_print_registers(const struct ucontext *uc)
{
	const struct sigcontext *regs = &uc->uc_mcontext;

	pr_emerg("ax %016llx bx %016llx cx %016llx dx %016llx\n",
		 regs->ax, regs->bx, regs->cx, regs->dx);
	pr_emerg("si %016llx di %016llx bp %016llx sp %016llx\n",
		 regs->si, regs->di, regs->bp, regs->sp);
	pr_emerg("r8 %016llx r9 %016llx r10 %016llx r11 %016llx\n",
		 regs->r8, regs->r9, regs->r10, regs->r11);
	pr_emerg("r12 %016llx r13 %016llx r14 %016llx r15 %016llx\n",
		 regs->r12, regs->r13, regs->r14, regs->r15);
}
