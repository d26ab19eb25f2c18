// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIGSEGV and SIGBUS: some belong to the kernel (a bad pointer in a system
 * call, a page of its mmap() area that is not there yet), the others go to
 * the handlers that were there before.
 *
 * What the handler looks at is the processor's, and told by each system in its
 * own way: host/posix/x86/.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>

#include <lkl/asm/errno.h>
#include <lkl/asm/host_ops.h>

#include "calls.h"
#include "posix.h"
#include "x86/registers.h"

/* The handlers of SIGSEGV and SIGBUS for what is not the kernel's. */
static struct sigaction old[2];
static int installed;

/* Runs a function in kernel context. */
static long (*kernel_call)(long (*fn)(void *arg), void *arg);

static struct sigaction *old_of(int sig)
{
	return &old[sig == SIGBUS];
}

/* What the handler wants blocked. */
static unsigned long mask_of(const struct sigaction *sa)
{
	unsigned long mask = 0;

	for (int sig = 1; sig <= N_SIGNALS; sig++)
		if (sigismember(&sa->sa_mask, sig) > 0)
			mask |= SIGNAL_BIT(sig);
	return mask;
}

static void pass_on(int sig, siginfo_t *info, void *ucontext)
{
	struct sigaction sa = *old_of(sig);

	if (sa.sa_handler == SIG_IGN && info->si_code <= 0)
		return;
	if (sa.sa_handler == SIG_DFL || sa.sa_handler == SIG_IGN) {
		/*
		 * The instruction faults again and ends the process there.  Not
		 * so if the signal was sent, or was another one.
		 */
		calls_set_default(sig);
		if (info->si_code <= 0 || sig != info->si_signo)
			calls_send(calls_thread(), sig, NULL);
		return;
	}
	calls_mask(SIG_BLOCK,
		   mask_of(&sa) |
			   (sa.sa_flags & SA_NODEFER ? 0 : SIGNAL_BIT(sig)));
	if (sa.sa_flags & SA_RESETHAND)
		old_of(sig)->sa_handler = SIG_DFL;
	if (sa.sa_flags & SA_SIGINFO)
		sa.sa_sigaction(sig, info, ucontext);
	else
		sa.sa_handler(sig);
}

/* A thread that blocks SIGSEGV or SIGBUS would die of a fault of the kernel's.
 */
void host_admit_faults(void)
{
	calls_mask(SIG_UNBLOCK, SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS));
}

lkl_ulong_t host_alt_stack(lkl_ulong_t *start)
{
	stack_t stack;

	if (calls_alt_stack(NULL, &stack) || stack.ss_flags & SS_DISABLE)
		return 0;
	*start = (unsigned long)stack.ss_sp;
	return stack.ss_size;
}

_Static_assert(sizeof(stack_t) <= sizeof(struct host_stack), "room for it");

void host_disable_alt_stack(struct host_stack *was)
{
	stack_t none = { .ss_flags = SS_DISABLE };

	calls_change_alt_stack(&none, (stack_t *)was);
}

void host_set_alt_stack(struct host_stack *stack)
{
	stack_t old, *new = (stack_t *)stack;

	/* What the host says of it is not all for the host to be told. */
	new->ss_flags &= ~SS_ONSTACK;
	calls_change_alt_stack(new, &old);
}

/* Without a signal stack, to which faults of other fibers would go, too. */
static long page_fault(void *fault)
{
	stack_t none = { .ss_flags = SS_DISABLE };

	calls_alt_stack(&none, NULL);
	return kernel_call(lkl_page_fault, fault);
}

/*
 * If the handler is on an alternate stack, run fn(arg) where the interrupted
 * code was.  The thread may serve others there, and their faults must not find
 * the alternate stack free.  It is in force again when the handler returns.
 */
static long off_signal_stack(void *ucontext, const struct registers *regs,
			     long (*fn)(void *arg), void *arg)
{
	const ucontext_t *uc = ucontext;
	/* A thread that never had a signal stack has one of size 0. */
	unsigned long here = (unsigned long)__builtin_frame_address(0) -
			     (unsigned long)uc->uc_stack.ss_sp;

	if (here >= uc->uc_stack.ss_size)
		return fn(arg);
	return registers_call_below(regs->sp, fn, arg);
}

static void on_fault(int sig, siginfo_t *info, void *ucontext)
{
	struct registers regs = registers_of(ucontext);
	struct lkl_fault fault = {
		.addr = (unsigned long)info->si_addr,
		.write = regs.write,
	};
	int whose = 0;
	long err;

	if (info->si_code > 0)
		whose = lkl_kernel_fault(regs.linux_context, fault.addr,
					 fault.write);
	if (whose == 2) {
		err = off_signal_stack(ucontext, &regs, page_fault, &fault);
		if (!err)
			whose = 1;
		else if (err != -LKL_EFAULT && err != -LKL_EDEADLK)
			sig = SIGBUS;
	}
	if (whose != 1)
		pass_on(sig, info, ucontext);
}

int host_faults_install(lkl_long_t (*call)(lkl_long_t(LKL_DOOR *fn)(void *arg),
					   void *arg))
{
	struct sigaction sa = { .sa_sigaction = on_fault };

	if (installed)
		return 0;
	kernel_call = call;
	/* A fault may come while another one is being handled. */
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART;
	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGSEGV, &sa, &old[0]))
		return -errno;
	if (sigaction(SIGBUS, &sa, &old[1])) {
		int err = -errno;

		sigaction(SIGSEGV, &old[0], NULL);
		return err;
	}
	installed = 1;
	return 0;
}

/* Restore the old handler, unless another has replaced ours since. */
static bool give_back(int sig)
{
	struct sigaction now;

	return !sigaction(sig, NULL, &now) && now.sa_sigaction == on_fault &&
	       !sigaction(sig, old_of(sig), NULL);
}

void posix_faults_forget(void)
{
	installed = 0;
}

void host_faults_remove(void)
{
	/* A handler installed after ours may still call ours, which stays. */
	if (installed && give_back(SIGSEGV) && give_back(SIGBUS))
		installed = 0;
}
