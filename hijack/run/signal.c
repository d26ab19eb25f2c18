// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals of the program.
 *
 * The host calls our handler for every signal that the program handles.  If the
 * thread is in the program's code, it goes on to the program's handler at once,
 * on the frame the host made.  If it is in ours, in the middle of a call, the
 * signal is sent again and all signals are blocked until the call has ended;
 * the call ends soon, because one that waits is interrupted.  The way out then
 * leads through SIGSYS (run_out_trap), whose handler unblocks the one signal
 * with the program's registers in place.  So a handler of the program always
 * runs with its context at a system call, or behind it, as on a kernel, and
 * never in the middle of our code.
 *
 * SIGSYS is ours, and SIGSEGV and SIGBUS are the library's first.  They are
 * never really blocked.
 */
#include <asm/prctl.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>

#include <lkl/asm/host_ops.h>
#include <lkl/asm/areas.h>
#include <lkl_host.h>

#include "run.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#define SYS_SECCOMP 1
#define SYS_USER_DISPATCH 2

/* By which we know what our filter has trapped. */
#define FILTER_MAGIC 0x6c6b

#define N_SIGNALS 65
#define BIT(sig) (1UL << ((sig)-1))
#define RESERVED (BIT(SIGSYS) | BIT(SIGSEGV) | BIT(SIGBUS))
#define SA_RESTORER 0x04000000

/* As the kernel knows it. */
struct run_action {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;
	unsigned long mask;
};

static struct run_action actions[N_SIGNALS];

/* How many system calls came by a signal. */
static unsigned long traps;

/* The library's handlers of SIGSEGV and SIGBUS. */
static struct sigaction library_segv, library_bus;
static __thread int not_the_librarys __attribute__((tls_model("initial-exec")));

unsigned long run_traps(void)
{
	return traps;
}

unsigned long run_strip(unsigned long mask)
{
	return mask & ~RESERVED;
}

static struct run_action *actions_of(struct run_thread *t)
{
	return t->actions ? t->actions : actions;
}

void run_actions_copy(struct run_thread *t, void *to)
{
	memcpy(to, actions_of(run_self()), sizeof(actions));
	t->actions = to;
}

static unsigned long *mask_of(ucontext_t *uc)
{
	return (unsigned long *)&uc->uc_sigmask;
}

static bool is_handler(const struct run_action *a)
{
	return a->handler != (unsigned long)SIG_DFL &&
	       a->handler != (unsigned long)SIG_IGN;
}

/* Calls that wait, or that change what is blocked. */
bool run_may_block(long nr)
{
	switch (nr) {
	case SYS_read:
	case SYS_write:
	case SYS_open:
	case SYS_openat:
	case SYS_openat2:
	case SYS_readv:
	case SYS_writev:
	case SYS_pread64:
	case SYS_pwrite64:
	case SYS_preadv:
	case SYS_pwritev:
	case SYS_preadv2:
	case SYS_pwritev2:
	case SYS_poll:
	case SYS_ppoll:
	case SYS_select:
	case SYS_pselect6:
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
	case SYS_ioctl:
	case SYS_fcntl:
	case SYS_flock:
	case SYS_futex:
	case SYS_futex_waitv:
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
	case SYS_pause:
	case SYS_wait4:
	case SYS_waitid:
	case SYS_accept:
	case SYS_accept4:
	case SYS_connect:
	case SYS_recvfrom:
	case SYS_recvmsg:
	case SYS_recvmmsg:
	case SYS_sendto:
	case SYS_sendmsg:
	case SYS_sendmmsg:
	case SYS_sendfile:
	case SYS_splice:
	case SYS_tee:
	case SYS_vmsplice:
	case SYS_copy_file_range:
	case SYS_msgrcv:
	case SYS_msgsnd:
	case SYS_semop:
	case SYS_semtimedop:
	case SYS_mq_timedreceive:
	case SYS_mq_timedsend:
	case SYS_io_getevents:
	case SYS_io_pgetevents:
	case SYS_io_uring_enter:
	case SYS_getrandom:
	case SYS_restart_syscall:
	case SYS_rt_sigprocmask:
	case SYS_rt_sigsuspend:
	case SYS_rt_sigtimedwait:
		return true;
	default:
		return false;
	}
}

/* Is an interrupted call of the library's to be made again? */
bool run_wants_restart(struct run_thread *t, long nr)
{
	return t->interrupted && !hijack_never_restarts(nr) &&
	       actions_of(t)[t->signal].flags & SA_RESTART;
}

long host_wait_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret = host_syscall(nr, a, b, c, d, e, f);

	if (ret != -RUN_RESTART && ret != -EINTR)
		return ret;
	run_self()->interrupted = true;
	return -EINTR;
}

/* The thread is in our code: later. */
static void defer(struct run_thread *t, int sig, siginfo_t *info,
		  ucontext_t *uc)
{
	greg_t *regs = uc->uc_mcontext.gregs;
	unsigned long ip = regs[REG_RIP];

	run_host4(SYS_rt_tgsigqueueinfo, run_host0(SYS_getpid),
		  run_host0(SYS_gettid), sig, info);
	t->mask = *mask_of(uc);
	t->signal = sig;
	t->out = run_out_trap;
	t->pending = 1;
	*mask_of(uc) = ~RESERVED;
	if (ip >= (unsigned long)run_host_check &&
	    ip <= (unsigned long)run_host_insn &&
	    run_may_block(regs[REG_RAX])) {
		regs[REG_RIP] = (unsigned long)run_host_done;
		regs[REG_RAX] = -RUN_RESTART;
	}
}

/* Have the context look as if we did not exist. */
static void fix_context(ucontext_t *uc)
{
	greg_t *regs = uc->uc_mcontext.gregs;
	unsigned long ip = regs[REG_RIP];
	const struct rewrite_site *site;

	if (ip == (unsigned long)run_enter) {
		site = (void *)regs[REG_R11];
		regs[REG_RIP] = site ? site->address
				     : (unsigned long)regs[REG_RCX] - 2;
	} else if (ip == (unsigned long)run_out_jump ||
		   ip == (unsigned long)run_out_now) {
		regs[REG_RIP] = regs[REG_RCX];
	} else {
		site = rewrite_find(ip);
		if (site && ip >= site->code)
			regs[REG_RIP] = site->address;
	}
}

/* Prepare what the host would have, if it had called the program's handler. */
static unsigned long deliver(struct run_thread *t, int sig, ucontext_t *uc,
			     bool host_did_mask)
{
	struct run_action *action = &actions_of(t)[sig], a = *action;
	unsigned long mask;

	if (t->deliver == sig) {
		t->deliver = 0;
		*mask_of(uc) = t->mask;
		host_did_mask = false;
	}
	if (!is_handler(&a))
		return 0;
	*mask_of(uc) |= t->blocked;
	if (a.flags & SA_RESETHAND) {
		struct run_action dfl = { .handler = 0 };

		action->handler = 0;
		if (!(BIT(sig) & RESERVED))
			run_exempt(SYS_rt_sigaction, sig, (long)&dfl, 0, 8);
	}
	if (!host_did_mask) {
		mask = *mask_of(uc) | a.mask;
		if (!(a.flags & SA_NODEFER))
			mask |= BIT(sig);
		mask = run_strip(mask);
		run_exempt(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, 8);
	}
	return a.handler;
}

unsigned long run_signal(int sig, siginfo_t *info, ucontext_t *uc)
{
	struct run_thread *t = run_self();

	if (!t->selector) {
		defer(t, sig, info, uc);
		return 0;
	}
	fix_context(uc);
	return deliver(t, sig, uc, true);
}

/* What the library calls for faults that are none of its. */
static void not_ours(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)info;
	(void)uc;
	not_the_librarys = 1;
}

static bool library_handles(struct run_thread *t, int sig, siginfo_t *info,
			    ucontext_t *uc)
{
	unsigned long addr = (unsigned long)info->si_addr, fs = 0;
	bool outside = t->selector, handled;
	struct sigaction *sa = sig == SIGSEGV ? &library_segv : &library_bus;

	if (!sa->sa_sigaction || info->si_code <= 0 ||
	    (outside && (addr < LKL_AREA_START || addr >= LKL_AREA_END)))
		return false;
	if (outside) {
		t->selector = 0;
		run_host2(SYS_arch_prctl, ARCH_GET_FS, &fs);
		run_set_fs(t->host_fs);
	}
	not_the_librarys = 0;
	sa->sa_sigaction(sig, info, uc);
	handled = !not_the_librarys;
	if (outside) {
		run_set_fs(fs);
		t->selector = 1;
		/* If one is, it comes when this handler returns. */
		t->pending = 0;
		t->out = run_out_now;
	}
	return handled;
}

unsigned long run_fault(int sig, siginfo_t *info, ucontext_t *uc)
{
	struct run_thread *t = run_self();
	unsigned long ip = uc->uc_mcontext.gregs[REG_RIP];
	struct run_action dfl = { .handler = 0 };
	bool sync = info->si_code > 0;

	if (sync && ip >= (unsigned long)user_copy_start &&
	    ip < (unsigned long)user_copy_end) {
		uc->uc_mcontext.gregs[REG_RIP] = (unsigned long)user_copy_end;
		return 0;
	}
	if (library_handles(t, sig, info, uc))
		return 0;
	if (!t->selector) {
		if (sync)
			run_host4(SYS_rt_sigaction, sig, &dfl, 0, 8);
		else
			defer(t, sig, info, uc);
		return 0;
	}
	if (is_handler(&actions_of(t)[sig])) {
		fix_context(uc);
		return deliver(t, sig, uc, false);
	}
	if (!sync && actions_of(t)[sig].handler == (unsigned long)SIG_IGN)
		return 0;
	/* It happens again, and ends the process with the right context. */
	run_exempt(SYS_rt_sigaction, sig, (long)&dfl, 0, 8);
	if (!sync)
		run_exempt(SYS_tgkill, run_exempt(SYS_getpid, 0, 0, 0, 0),
			   run_exempt(SYS_gettid, 0, 0, 0, 0), sig, 0);
	return 0;
}

/* The way out of a call during which a signal came. */
static void signal_leave(struct run_thread *t, ucontext_t *uc)
{
	unsigned long pending = 0;

	uc->uc_mcontext.gregs[REG_RIP] = t->resume;
	uc->uc_mcontext.gregs[REG_RCX] = t->resume;
	t->pending = 0;
	t->out = run_out_now;
	run_host2(SYS_rt_sigpending, &pending, sizeof(pending));
	if (pending & BIT(t->signal)) {
		t->deliver = t->signal;
		*mask_of(uc) = ~(RESERVED | BIT(t->signal));
	} else {
		*mask_of(uc) = t->mask;
	}
}

unsigned long run_sigsys(int sig, siginfo_t *info, ucontext_t *uc, int selector)
{
	struct run_thread *t = run_self();
	greg_t *regs = uc->uc_mcontext.gregs;
	unsigned long ip = regs[REG_RIP], fs = 0;
	const struct rewrite_site *site;

	(void)sig;
	if (ip == (unsigned long)run_out_trapped && selector) {
		signal_leave(t, uc);
		return 0;
	}
	if (info->si_code != SYS_USER_DISPATCH &&
	    !(info->si_code == SYS_SECCOMP && info->si_errno == FILTER_MAGIC)) {
		/* The program's affair, or it would have none. */
		if (is_handler(&actions_of(t)[SIGSYS])) {
			fix_context(uc);
			return deliver(t, SIGSYS, uc, false);
		}
		if (actions_of(t)[SIGSYS].handler == (unsigned long)SIG_DFL) {
			struct run_action dfl = { .handler = 0 };

			run_host4(SYS_rt_sigaction, SIGSYS, &dfl, 0, 8);
			run_host3(SYS_tgkill, run_host0(SYS_getpid),
				  run_host0(SYS_gettid), SIGSYS);
		}
		return 0;
	}
	if (info->si_arch != AUDIT_ARCH_X86_64) {
		regs[REG_RAX] = -ENOSYS;
		return 0;
	}
	__atomic_fetch_add(&traps, 1, __ATOMIC_RELAXED);
	/* The decoder is in a library that may not have been bound yet. */
	run_host2(SYS_arch_prctl, ARCH_GET_FS, &fs);
	run_set_fs(t->host_fs);
	site = rewrite_trap(ip - 2, run_options.rewrite);
	run_set_fs(fs);
	regs[REG_R11] = (long)site;
	regs[REG_RCX] = ip;
	regs[REG_RIP] = (long)run_enter;
	return 0;
}

/*
 * The program's calls
 */
long run_sigaction(struct run_thread *t, struct run_regs *r)
{
	long sig = r->arg[0];
	struct run_action new, old, *table = actions_of(t);
	long ret = 0;

	if (sig < 1 || sig >= N_SIGNALS || r->arg[3] != sizeof(new.mask))
		return -EINVAL;
	if (r->arg[1] && run_peek(&new, (void *)r->arg[1], sizeof(new)))
		return -EFAULT;
	if (r->arg[1] && (sig == SIGKILL || sig == SIGSTOP))
		return -EINVAL;
	old = table[sig];
	if (r->arg[1]) {
		struct run_action ours = new;

		ours.mask = run_strip(ours.mask);
		new.mask = ours.mask;
		if (is_handler(&new)) {
			/* A signal that comes now finds it. */
			table[sig] = new;
			ours.handler = (unsigned long)run_on_signal;
			ours.flags &= ~SA_RESETHAND;
			ours.flags |= SA_SIGINFO;
		}
		if (BIT(sig) & (BIT(SIGSEGV) | BIT(SIGBUS))) {
			ours.handler = (unsigned long)run_on_fault;
			ours.flags |= SA_NODEFER | SA_SIGINFO | SA_RESTORER;
			if (!is_handler(&new))
				ours.flags |= SA_ONSTACK;
			ours.mask = 0;
		}
		if (sig != SIGSYS)
			ret = run_host4(SYS_rt_sigaction, sig, &ours, 0, 8);
		table[sig] = ret ? old : new;
	}
	if (!ret && r->arg[2] && run_peek((void *)r->arg[2], &old, sizeof(old)))
		return -EFAULT;
	return ret;
}

long run_sigprocmask(struct run_thread *t, struct run_regs *r)
{
	unsigned long set, reserved = t->blocked;
	long ret;

	if (r->arg[3] != sizeof(set))
		return -EINVAL;
	if (r->arg[1]) {
		if (run_peek(&set, (void *)r->arg[1], sizeof(set)))
			return -EFAULT;
		if (r->arg[0] == SIG_BLOCK)
			reserved |= set & RESERVED;
		else if (r->arg[0] == SIG_UNBLOCK)
			reserved &= ~set;
		else
			reserved = set & RESERVED;
		set = run_strip(set);
	}
	ret = host_syscall(SYS_rt_sigprocmask, r->arg[0],
			   r->arg[1] ? (long)&set : 0, r->arg[2], 8, 0, 0);
	if (ret)
		return ret;
	if (r->arg[2])
		*(unsigned long *)r->arg[2] |= t->blocked;
	t->blocked = reserved;
	return 0;
}

bool run_on_alt(struct run_thread *t)
{
	return t->user_sp - (unsigned long)t->alt.ss_sp < t->alt.ss_size;
}

long run_sigaltstack(struct run_thread *t, struct run_regs *r)
{
	stack_t new, old = t->alt;
	long ret = 0;

	if (!old.ss_size)
		old.ss_flags = SS_DISABLE;
	else if (run_on_alt(t))
		old.ss_flags |= SS_ONSTACK;
	if (r->arg[0]) {
		if (run_peek(&new, (void *)r->arg[0], sizeof(new)))
			return -EFAULT;
		if (run_on_alt(t))
			return -EPERM;
		ret = run_host2(SYS_sigaltstack, &new, 0);
		if (ret)
			return ret;
		if (new.ss_flags & SS_DISABLE)
			new.ss_size = 0;
		t->alt = new;
	}
	if (r->arg[1] && run_peek((void *)r->arg[1], &old, sizeof(old)))
		return -EFAULT;
	return ret;
}

long run_rt_sigreturn(struct run_thread *t, struct run_regs *r)
{
	ucontext_t *uc = (void *)t->user_sp;

	(void)r;
	t->blocked = *mask_of(uc) & RESERVED;
	*mask_of(uc) = run_strip(*mask_of(uc));
	t->alt = uc->uc_stack;
	if (t->alt.ss_flags & SS_DISABLE)
		t->alt.ss_size = 0;
	run_set_fs(t->user_fs);
	run_sigreturn(t->user_sp);
}

/* In the child of a fork no signal of the parent's is pending. */
void run_signals_forked(struct run_thread *t)
{
	if (!t->pending)
		return;
	t->pending = 0;
	t->out = run_out_now;
	run_host4(SYS_rt_sigprocmask, SIG_SETMASK, &t->mask, 0, 8);
}

/*
 * Start, and start again: the core boots when it needs to.
 */
int __real_hijack_boot(void);
int __wrap_hijack_boot(void);

int __wrap_hijack_boot(void)
{
	int err = run_signals_early();

	if (!err)
		err = __real_hijack_boot();
	return run_signals_init() ? -ENETDOWN : err;
}

static int dispatch(long mode, const char *text, size_t size,
		    unsigned char *selector)
{
	return raw_syscall(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, mode,
			   (long)text, size, (long)selector, 0);
}

/* For hosts without it: trap what is made where only the program is. */
static int add_filter(void)
{
	unsigned long out = (unsigned long)run_out_trapped;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer) +
				 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 6, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, RUN_END >> 32, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, RUN_PROGRAM >> 32, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, out >> 32, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, out & 0xffffffff, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | FILTER_MAGIC),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(*code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		return -errno;
	return 0;
}

/**
 * run_trap_init - find out how the host traps system calls
 *
 * Return: 0 or a negative error number: it cannot
 */
int run_trap_init(void)
{
	static unsigned char none;

	if (!run_options.seccomp && !dispatch(1, NULL, 0, &none))
		return dispatch(0, NULL, 0, NULL);
	run_options.seccomp = true;
	/* With no filter given: EFAULT if it could be one. */
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) &&
			       errno == EFAULT
		       ? 0
		       : -ENOSYS;
}

/**
 * run_dispatch - have the calls of the calling thread trapped
 *
 * A filter is there for all threads, and for the children, that the first has.
 */
int run_dispatch(struct run_thread *t)
{
	static bool filtered;
	int err = 0;

	if (!run_options.seccomp)
		return dispatch(1, run_text, run_text_end - run_text,
				&t->selector);
	if (!filtered)
		err = add_filter();
	filtered = !err;
	return err;
}

/* Before the library starts: who gets the faults it does not want. */
int run_signals_early(void)
{
	struct sigaction sa = { .sa_sigaction = not_ours,
				.sa_flags = SA_SIGINFO };

	lkl_host_ops.wait = hijack_wait;
	posix_faults_remove();
	return sigaction(SIGSEGV, &sa, NULL) || sigaction(SIGBUS, &sa, NULL)
		       ? -errno
		       : 0;
}

static int own_handler(int sig, void (*handler)(void), unsigned long flags,
		       unsigned long mask)
{
	struct run_action a = {
		.handler = (unsigned long)handler,
		.flags = flags | SA_SIGINFO | SA_ONSTACK | SA_RESTORER,
		.mask = mask,
	};

	return run_host4(SYS_rt_sigaction, sig, &a, 0, 8);
}

/* Go before who handles the library's faults now. */
static int own_fault(int sig, struct sigaction *library)
{
	struct sigaction sa;

	if (sigaction(sig, NULL, &sa))
		return -errno;
	if ((void *)sa.sa_sigaction == (void *)run_on_fault)
		return 0;
	*library = sa;
	return own_handler(sig, run_on_fault, SA_NODEFER | SA_RESTART, 0);
}

/* After it has, or has stopped. */
int run_signals_init(void)
{
	int err = own_fault(SIGSEGV, &library_segv);

	if (!err)
		err = own_fault(SIGBUS, &library_bus);
	if (!err)
		err = own_handler(SIGSYS, run_on_sigsys, 0, ~0UL);
	return err;
}
