// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access violations on Windows: some belong to the kernel (a bad pointer in a
 * system call, a page of its mmap() area that is not there yet), the others go
 * on to the handlers of the program.
 *
 * A vectored handler comes before all others, and does not need to know the
 * stack it is on, as the fibers of the kernel are no stacks that the host
 * knows.
 */
#include <stdint.h>
#include <string.h>
#include <windows.h>

#include <lkl/asm/errno.h>
#include <lkl/asm/sigcontext.h>
#include <lkl/asm/signal.h>
#include <lkl/asm/ucontext.h>

#include "../host.h"

static void *installed;

/* Runs a function in kernel context. */
static lkl_long_t (*kernel_call)(lkl_long_t(LKL_DOOR *fn)(void *arg),
				 void *arg);

/* What the kernel wants to know of the registers, as Linux hands them over. */
static void to_ucontext(struct lkl_ucontext *uc, const CONTEXT *c)
{
	struct lkl_sigcontext *regs = &uc->uc_mcontext;

	memset(uc, 0, sizeof(*uc));
	regs->rax = c->Rax;
	regs->rbx = c->Rbx;
	regs->rcx = c->Rcx;
	regs->rdx = c->Rdx;
	regs->rsi = c->Rsi;
	regs->rdi = c->Rdi;
	regs->rbp = c->Rbp;
	regs->rsp = c->Rsp;
	regs->r8 = c->R8;
	regs->r9 = c->R9;
	regs->r10 = c->R10;
	regs->r11 = c->R11;
	regs->r12 = c->R12;
	regs->r13 = c->R13;
	regs->r14 = c->R14;
	regs->r15 = c->R15;
	regs->rip = c->Rip;
}

static LONG WINAPI on_exception(EXCEPTION_POINTERS *info)
{
	const EXCEPTION_RECORD *record = info->ExceptionRecord;
	struct lkl_fault fault = {
		.addr = record->ExceptionInformation[1],
		.write = record->ExceptionInformation[0] == 1,
	};
	struct lkl_ucontext uc;

	if ((record->ExceptionCode != EXCEPTION_ACCESS_VIOLATION &&
	     record->ExceptionCode != EXCEPTION_IN_PAGE_ERROR) ||
	    record->NumberParameters < 2)
		return EXCEPTION_CONTINUE_SEARCH;
	to_ucontext(&uc, info->ContextRecord);
	switch (lkl_kernel_fault(&uc, fault.addr, fault.write)) {
	case 1:
		info->ContextRecord->Rip = uc.uc_mcontext.rip;
		return EXCEPTION_CONTINUE_EXECUTION;
	case 2:
		if (!kernel_call(lkl_page_fault, &fault))
			return EXCEPTION_CONTINUE_EXECUTION;
		break;
	}
	return EXCEPTION_CONTINUE_SEARCH;
}

int host_faults_install(lkl_long_t (*call)(lkl_long_t(LKL_DOOR *fn)(void *arg),
					   void *arg))
{
	kernel_call = call;
	if (!installed)
		installed = AddVectoredExceptionHandler(1, on_exception);
	return installed ? 0 : -LKL_ENOMEM;
}

void host_faults_remove(void)
{
	if (installed)
		RemoveVectoredExceptionHandler(installed);
	installed = NULL;
}

/* What follows are matters of signals and of fork(). */

void host_admit_faults(void)
{
}

void host_reset(void)
{
}

void *host_wiped_memory(size_t size)
{
	return VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT,
			    PAGE_READWRITE);
}

bool host_has_own_libc(void)
{
	return false;
}

lkl_ulong_t host_alt_stack(lkl_ulong_t *start)
{
	*start = 0;
	return 0;
}

void host_disable_alt_stack(struct host_stack *was)
{
	(void)was;
}

void host_set_alt_stack(struct host_stack *stack)
{
	(void)stack;
}
