/* SPDX-License-Identifier: GPL-2.0-only */
/* The registers of code that the host has interrupted with a signal. */
#ifndef _LKL_X86_FAULT_H
#define _LKL_X86_FAULT_H

#include <linux/signal.h>
#include <asm/sigcontext.h>
#include <asm/ucontext.h>

static inline unsigned long lkl_ucontext_ip(const struct ucontext *uc)
{
	return uc->uc_mcontext.ip;
}

static inline unsigned long lkl_ucontext_bp(const struct ucontext *uc)
{
	return uc->uc_mcontext.bp;
}

/* The virtual CPU that has run it, if it is the kernel's. */
static inline struct lkl_vcpu *lkl_ucontext_vcpu(const struct ucontext *uc)
{
	return (struct lkl_vcpu *)uc->uc_mcontext.r15;
}

/* Have the interrupted code go on at @ip. */
static inline void lkl_ucontext_go(struct ucontext *uc, unsigned long ip)
{
	uc->uc_mcontext.ip = ip;
}

void lkl_print_registers(const struct ucontext *uc);

#endif /* _LKL_X86_FAULT_H */
