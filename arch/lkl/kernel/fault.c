// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host faults that are the kernel's.
 *
 * The host layer's SIGSEGV and SIGBUS handler asks here first.  A fault is ours
 * in four cases:
 *  - a page of the library's own mmap() area is not there yet: it is brought in
 *    and the instruction is repeated;
 *  - kernel code that may fault (__ex_table) touched a bad user pointer: it goes
 *    on at its fixup;
 *  - kernel code uses pages of the application's that it keeps, and that are
 *    gone: see mm/foreign.c;
 *  - any other fault in kernel code is a bug: it is reported.
 *
 * The handler runs on whatever stack the code was on.  For kernel code the page
 * is not brought in from inside the handler, because that may sleep and the
 * fiber may go on on another host thread, to which the signal frame does not
 * belong.  Instead the frame is changed so that the interrupted code appears to
 * call lkl_fault_thunk().
 */
#include <linux/console.h>
#include <linux/extable.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <asm/call.h>
#include <asm/extable.h>
#include <asm/host_ops.h>
#include <asm/mirror.h>
#include <asm/stacktrace.h>
#include <asm/ucontext.h>
#include "../x86/fault.h"

void lkl_fault_thunk(void);

/* The page fault of kernel code, in its own context; see x86/fiber.S. */
unsigned long lkl_kernel_page_fault(unsigned long ip, unsigned long addr,
				    unsigned long write);

static unsigned long lkl_fixup(unsigned long ip)
{
	const struct exception_table_entry *e = search_exception_tables(ip);

	return e ? (unsigned long)&e->fixup + e->fixup : 0;
}

/*
 * Return: where the interrupted code goes on
 */
unsigned long lkl_kernel_page_fault(unsigned long ip, unsigned long addr,
				    unsigned long write)
{
	if (!pagefault_disabled() && !in_atomic() &&
	    !lkl_user_fault(addr, write))
		return ip;
	return lkl_fixup(ip);
}

long lkl_page_fault(void *fault)
{
	struct lkl_fault *f = fault;

	return lkl_user_fault(f->addr, f->write);
}

/* Say what is wrong, once: a thread that dies may meet the same fault again. */
static void lkl_oops(const struct ucontext *uc, unsigned long addr, bool write)
{
	static bool oopsing;

	if (oopsing)
		return;
	oopsing = true;
	console_verbose();
	bust_spinlocks(1);
	pr_emerg("BUG: kernel %s at address %#lx\n", write ? "write" : "read",
		 addr);
	pr_emerg("Task %s, pid %d, at %pS\n", current->comm, current->pid,
		 (void *)lkl_ucontext_ip(uc));
	lkl_print_registers(uc);
	lkl_show_frames(KERN_EMERG, lkl_ucontext_ip(uc), lkl_ucontext_bp(uc));
	bust_spinlocks(0);
}

/* A fault of kernel code at @ip, in whose register is the virtual CPU. */
static noinline int lkl_code_fault(struct ucontext *uc, unsigned long ip,
				   unsigned long addr, bool write)
{
	struct lkl_vcpu *cpu = lkl_this;
	unsigned long fixup = lkl_fixup(ip);

	if (!fixup && lkl_foreign_gone(addr))
		return 1;
	if (!fixup) {
		lkl_oops(uc, addr, write);
		return -1;
	}
	if (!lkl_in_umap(addr)) {
		lkl_ucontext_go(uc, fixup);
		return 1;
	}
	/*
	 * It cannot be handed over on the stack, where the signal's frame is still
	 * in use.
	 */
	cpu->fault.ip = ip;
	cpu->fault.addr = addr;
	cpu->fault.write = write;
	lkl_ucontext_go(uc, (unsigned long)lkl_fault_thunk);
	return 1;
}

int lkl_kernel_fault(void *ucontext, unsigned long addr, int write)
{
	struct ucontext *uc = ucontext;
	unsigned long ip = lkl_ucontext_ip(uc);
	struct lkl_vcpu *was = lkl_this;
	int ret;

	if (!lkl_kernel_boots())
		return 0;
	if (!lkl_is_kernel_ip(ip))
		return lkl_in_umap(addr) ? 2 : 0;
	lkl_this = lkl_ucontext_vcpu(uc);
	ret = lkl_code_fault(uc, ip, addr, write);
	lkl_this = was;
	return ret;
}
