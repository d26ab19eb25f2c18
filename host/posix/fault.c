// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIGSEGV and SIGBUS: some belong to the kernel (a bad pointer in a system
 * call, a page of its mmap() area that is not there yet), the others go to
 * the handlers that were there before.
 *
 * The handler uses raw system calls only: on a thread of a program that owns
 * the FS register there is no errno.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include <lkl/asm/errno.h>
#include <lkl/asm/host_ops.h>

#include "../linux/linux.h"

/* The handlers of SIGSEGV and SIGBUS for what is not the kernel's. */
static struct sigaction old[2];
static int installed;

/* Runs a function in kernel context. */
static long (*kernel_call)(long (*fn)(void *arg), void *arg);

static struct sigaction *old_of(int sig)
{
	return &old[sig == SIGBUS];
}

/* The host's default, without libc. */
static void set_default(int sig)
{
	/* Handler, flags, restorer, mask. */
	unsigned long sa[4] = { 0 };

	raw_syscall(SYS_rt_sigaction, sig, (long)sa, 0, sizeof(*sa), 0, 0);
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
		set_default(sig);
		if (info->si_code <= 0 || sig != info->si_signo)
			raw_syscall(SYS_tgkill,
				    raw_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0),
				    raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0),
				    sig, 0, 0, 0);
		return;
	}
	if (!(sa.sa_flags & SA_NODEFER))
		sigaddset(&sa.sa_mask, sig);
	if (sa.sa_flags & SA_RESETHAND)
		old_of(sig)->sa_handler = SIG_DFL;
	raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, (long)&sa.sa_mask, 0,
		    _NSIG / 8, 0, 0);
	if (sa.sa_flags & SA_SIGINFO)
		sa.sa_sigaction(sig, info, ucontext);
	else
		sa.sa_handler(sig);
}

/* A thread that blocks SIGSEGV or SIGBUS would die of a fault of the kernel's. */
void host_admit_faults(void)
{
	unsigned long faults = 1UL << (SIGSEGV - 1) | 1UL << (SIGBUS - 1);

	raw_syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&faults, 0,
		    _NSIG / 8, 0, 0);
}

lkl_ulong_t host_alt_stack(lkl_ulong_t *start)
{
	stack_t stack;

	if (raw_syscall(SYS_sigaltstack, 0, (long)&stack, 0, 0, 0, 0) ||
	    stack.ss_flags & SS_DISABLE)
		return 0;
	*start = (unsigned long)stack.ss_sp;
	return stack.ss_size;
}

/*
 * sigaltstack() from elsewhere: the host changes no stack that is in use, for
 * which it looks at the stack pointer.  No signal may come meanwhile.
 */
static void change_alt_stack(const stack_t *new, stack_t *was)
{
	static char elsewhere[256] __attribute__((aligned(16)));
	unsigned long all = ~0UL, mask;
	long ret;

	raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&mask,
		    _NSIG / 8, 0, 0);
	raw_syscall(SYS_sigaltstack, 0, (long)was, 0, 0, 0, 0);
	asm volatile("movq	%%rsp, %%rbx\n\t"
		     "movq	%[elsewhere], %%rsp\n\t"
		     "syscall\n\t"
		     "movq	%%rbx, %%rsp"
		     : "=a"(ret)
		     : "0"((long)SYS_sigaltstack), "D"(new),
		       "S"(0L), [elsewhere] "r"(elsewhere + sizeof(elsewhere))
		     : "rbx", "rcx", "r11", "memory");
	(void)ret;
	raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, _NSIG / 8,
		    0, 0);
}

_Static_assert(sizeof(stack_t) <= sizeof(struct host_stack), "room for it");

void host_disable_alt_stack(struct host_stack *was)
{
	stack_t none = { .ss_flags = SS_DISABLE };

	change_alt_stack(&none, (stack_t *)was);
}

void host_set_alt_stack(struct host_stack *stack)
{
	stack_t old, *new = (stack_t *)stack;

	/* What the host says of it is not all for the host to be told. */
	new->ss_flags &= ~SS_ONSTACK;
	change_alt_stack(new, &old);
}

/* Without a signal stack, to which faults of other fibers would go, too. */
static long page_fault(void *fault)
{
	stack_t none = { .ss_flags = SS_DISABLE };

	raw_syscall(SYS_sigaltstack, (long)&none, 0, 0, 0, 0, 0);
	return kernel_call(lkl_page_fault, fault);
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
	int whose = 0;
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
	if (whose != 1)
		pass_on(sig, info, ucontext);
}

int host_faults_install(lkl_long_t (*call)(lkl_long_t (LKL_DOOR *fn)(void *arg),
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
