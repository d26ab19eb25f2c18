// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIGSEGV and SIGBUS: some belong to the kernel (a bad pointer in a system
 * call, a page of its mmap() area that is not there yet), the others go to
 * whoever handled them before.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

#include <lkl/asm/errno.h>
#include <lkl/asm/host_ops.h>

#include "../../lib/thread.h"
#include "posix.h"

static struct sigaction old_segv, old_bus;
static int installed;

static void pass_on(int sig, siginfo_t *info, void *ucontext)
{
	const struct sigaction *old = sig == SIGSEGV ? &old_segv : &old_bus;

	if (old->sa_flags & SA_SIGINFO) {
		old->sa_sigaction(sig, info, ucontext);
	} else if (old->sa_handler == SIG_IGN && info->si_code <= 0) {
		return;
	} else if (old->sa_handler == SIG_DFL || old->sa_handler == SIG_IGN) {
		/*
		 * The instruction faults again and ends the process there.  Not
		 * so if the signal was sent, or was another one.
		 */
		signal(sig, SIG_DFL);
		if (info->si_code <= 0 || sig != info->si_signo)
			raise(sig);
	} else {
		old->sa_handler(sig);
	}
}

/* Without a signal stack, to which faults of other fibers would go, too. */
static long page_fault(void *fault)
{
	stack_t none = { .ss_flags = SS_DISABLE };

	sigaltstack(&none, NULL);
	return lkl_kernel_call(lkl_page_fault, fault);
}

/*
 * If the handler is on an alternate stack, run fn(arg) where the interrupted
 * code was.  The thread may serve others there, and their faults must not find
 * the alternate stack free.  It is in force again when the handler returns.
 */
static long off_signal_stack(ucontext_t *uc, long (*fn)(void *arg), void *arg)
{
	/* Below the red zone, aligned for a call. */
	unsigned long sp = (uc->uc_mcontext.gregs[REG_RSP] - 128) & -16L;
	/* A thread that never had a signal stack has one of size 0. */
	unsigned long here = (unsigned long)__builtin_frame_address(0) -
			     (unsigned long)uc->uc_stack.ss_sp;
	long ret;

	if (here >= uc->uc_stack.ss_size)
		return fn(arg);
	asm volatile("movq	%%rsp, %%rbx\n\t"
		     "movq	%[sp], %%rsp\n\t"
		     "call	*%[fn]\n\t"
		     "movq	%%rbx, %%rsp"
		     : "=a"(ret), "+D"(arg)
		     : [sp] "r"(sp), [fn] "r"(fn)
		     : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11",
		       "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
		       "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
		       "xmm13", "xmm14", "xmm15", "memory", "cc");
	return ret;
}

static void on_fault(int sig, siginfo_t *info, void *ucontext)
{
	ucontext_t *uc = ucontext;
	struct lkl_fault fault = {
		.addr = (unsigned long)info->si_addr,
		/* Bit 1 of the processor's error code: a write. */
		.write = !!(uc->uc_mcontext.gregs[REG_ERR] & 2),
	};
	int saved = errno, whose = 0;
	long err;

	if (info->si_code > 0)
		whose = lkl_kernel_fault(uc, fault.addr, fault.write);
	if (whose == 2) {
		err = off_signal_stack(uc, page_fault, &fault);
		if (!err)
			whose = 1;
		else if (err != -LKL_EFAULT && err != -LKL_EDEADLK)
			sig = SIGBUS;
	}
	errno = saved;
	if (whose != 1)
		pass_on(sig, info, ucontext);
}

int posix_faults_install(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault };

	if (installed)
		return 0;
	/* A fault may come while another one is being handled. */
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART;
	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGSEGV, &sa, &old_segv))
		return -errno;
	if (sigaction(SIGBUS, &sa, &old_bus)) {
		int err = -errno;

		sigaction(SIGSEGV, &old_segv, NULL);
		return err;
	}
	installed = 1;
	return 0;
}

void posix_faults_remove(void)
{
	if (!installed)
		return;
	sigaction(SIGSEGV, &old_segv, NULL);
	sigaction(SIGBUS, &old_bus, NULL);
	installed = 0;
}
