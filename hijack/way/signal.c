// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals of the program.
 *
 * The host calls our handler for every signal that the program handles.  If the
 * thread is in the program's code, it goes on to the program's handler at once,
 * on the frame the host made.  If it is in ours, in the middle of a call, the
 * signal is sent again and all signals are blocked until the call has ended;
 * the call ends soon, because one that waits is interrupted.  The way out then
 * leads through a trap (way_out_trap), whose handler unblocks the one signal
 * with the program's registers in place.  So a handler of the program always
 * runs with its context at a system call, or behind it, as on a kernel, and
 * never in the middle of our code.
 *
 * The signal of the trap is ours, and SIGSEGV and SIGBUS are the library's
 * first.  They are never really blocked: what is sent while the thread is in
 * our code, or while the program believes to have it blocked, is kept, and sent
 * again on the way out.
 */
#include <errno.h>
#include <string.h>

#include <lkl/asm/areas.h>
#include <lkl/asm/host_ops.h>
#include <lkl_host.h>

#include "way.h"

#define SA_RESTORER 0x04000000
#define MASK_SIZE 8

/*
 * The handlers, and what is odd while they change: the table and what the host
 * knows are changed as one.
 */
static struct way_action actions[WAY_SIGNALS];
static uint32_t changes;

/* The library's handlers of SIGSEGV and SIGBUS. */
static struct sigaction library_segv, library_bus;
static __thread int not_the_librarys __attribute__((tls_model("initial-exec")));

static unsigned long reserved(void)
{
	return BIT(SIGSEGV) | BIT(SIGBUS) | BIT(way_trap_signal);
}

unsigned long way_strip(unsigned long mask)
{
	return mask & ~reserved();
}

static int index_of(int sig)
{
	return sig == SIGSEGV ? WAY_SEGV : sig == SIGBUS ? WAY_BUS : WAY_TRAP;
}

static int signal_at(int index)
{
	return index == WAY_SEGV  ? SIGSEGV
	       : index == WAY_BUS ? SIGBUS
	       : index == WAY_TRAP ? way_trap_signal
				   : SIGSYS;
}

/**
 * way_action - how the program handles a signal
 *
 * Not on a thread that is changing it.
 */
struct way_action way_action(struct way_thread *t, int sig)
{
	struct way_action a;
	uint32_t before;

	if (t->actions)
		return t->actions[sig];
	for (;;) {
		before = __atomic_load_n(&changes, __ATOMIC_ACQUIRE);
		if (before & 1) {
			way_exempt(SYS_sched_yield, 0, 0, 0, 0);
			continue;
		}
		a = *(volatile struct way_action *)&actions[sig];
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&changes, __ATOMIC_RELAXED) == before)
			return a;
	}
}

static void change_begin(void)
{
	uint32_t now = __atomic_load_n(&changes, __ATOMIC_RELAXED);

	while (now & 1 || !__atomic_compare_exchange_n(&changes, &now, now + 1,
						       false, __ATOMIC_SEQ_CST,
						       __ATOMIC_RELAXED)) {
		way_exempt(SYS_sched_yield, 0, 0, 0, 0);
		now = __atomic_load_n(&changes, __ATOMIC_RELAXED);
	}
}

static void change_end(void)
{
	__atomic_add_fetch(&changes, 1, __ATOMIC_SEQ_CST);
}

/* What the host is told of an action of the program's. */
static struct way_action ours_for(int sig, const struct way_action *a)
{
	struct way_action ours = *a;

	ours.mask = way_strip(ours.mask);
	if (way_is_handler(a) || sig == HIJACK_OWN_SIGNAL) {
		ours.handler = (unsigned long)way_on_signal;
		ours.flags &= ~SA_RESETHAND;
		ours.flags |= SA_SIGINFO;
	}
	if (sig == SIGSEGV || sig == SIGBUS) {
		ours.handler = (unsigned long)way_on_fault;
		ours.flags |= SA_NODEFER | SA_SIGINFO | SA_RESTORER;
		if (!way_is_handler(a))
			ours.flags |= SA_ONSTACK;
		ours.mask = 0;
	}
	return ours;
}

/**
 * way_change_action - the program's sigaction()
 * @t: the calling thread, which is in our code
 * @sig: number, a valid one
 * @new: what it is to be
 *
 * Return: 0 or the host's negative error number
 */
long way_change_action(struct way_thread *t, int sig,
		       const struct way_action *new)
{
	struct way_action ours = ours_for(sig, new);
	long ret = 0;

	if (!t->actions)
		change_begin();
	if (sig != way_trap_signal)
		ret = way_host4(SYS_rt_sigaction, sig, &ours, 0, MASK_SIZE);
	if (!ret)
		(t->actions ? t->actions : actions)[sig] = *new;
	if (!t->actions)
		change_end();
	return ret;
}

/* A handler that is called once is being called. */
static void reset_action(struct way_thread *t, int sig)
{
	struct way_action dfl = { .handler = 0 };

	if (!t->actions)
		change_begin();
	(t->actions ? t->actions : actions)[sig].handler = 0;
	if (!(BIT(sig) & reserved()))
		way_exempt(SYS_rt_sigaction, sig, (long)&dfl, 0, MASK_SIZE);
	if (!t->actions)
		change_end();
}

void way_actions_copy(struct way_thread *t, struct way_action *to)
{
	for (int sig = 0; sig < WAY_SIGNALS; sig++)
		to[sig] = way_action(way_self(), sig);
	t->actions = to;
}

/* A signal of our own threads comes to us, even without a handler. */
static void adopt_own_signal(void)
{
	struct way_action a, ours;

	if (way_host4(SYS_rt_sigaction, HIJACK_OWN_SIGNAL, 0, &a, MASK_SIZE) ||
	    a.handler == (unsigned long)way_on_signal)
		return;
	actions[HIJACK_OWN_SIGNAL] = a;
	ours = ours_for(HIJACK_OWN_SIGNAL, &a);
	ours.flags |= SA_RESTART | SA_ONSTACK | SA_RESTORER;
	way_host4(SYS_rt_sigaction, HIJACK_OWN_SIGNAL, &ours, 0, MASK_SIZE);
}

/**
 * way_signals_adopt - go before the handlers that the program already has
 *
 * At the start, on the program's only thread.
 */
void way_signals_adopt(void)
{
	struct way_action a, ours;

	for (int sig = 1; sig < WAY_SIGNALS; sig++) {
		if (way_host4(SYS_rt_sigaction, sig, 0, &a, MASK_SIZE) ||
		    !way_is_handler(&a))
			continue;
		actions[sig] = a;
		if (BIT(sig) & reserved())
			continue;
		ours = ours_for(sig, &a);
		way_host4(SYS_rt_sigaction, sig, &ours, 0, MASK_SIZE);
	}
}

/**
 * way_signals_admit - what is blocked at the start the program believes to be
 * @t: the program's first thread, which calls this
 */
void way_signals_admit(struct way_thread *t)
{
	unsigned long ours = reserved(), mask = 0;

	way_host4(SYS_rt_sigprocmask, SIG_UNBLOCK, &ours, &mask, MASK_SIZE);
	t->blocked = mask & ours;
}

static void interrupt_call(ucontext_t *uc)
{
	greg_t *regs = uc->uc_mcontext.gregs;
	unsigned long ip = regs[REG_RIP];

	if (ip < (unsigned long)way_host_check ||
	    ip > (unsigned long)way_host_insn || !way_may_block(regs[REG_RAX]))
		return;
	regs[REG_RIP] = (unsigned long)way_host_done;
	regs[REG_RAX] = -WAY_RESTART;
}

/* The thread is in our code: later. */
static void defer(struct way_thread *t, int sig, siginfo_t *info,
		  ucontext_t *uc)
{
	way_host4(SYS_rt_tgsigqueueinfo, way_host0(SYS_getpid),
		  way_host0(SYS_gettid), sig, info);
	/* One may come after the other between two calls of the host. */
	if (!t->pending)
		t->mask = *way_mask_of(uc);
	t->signal = sig;
	t->out = way_out_trap;
	t->pending = 1;
	*way_mask_of(uc) = ~reserved();
	interrupt_call(uc);
}

/* The same for one that cannot be blocked. */
static void keep(struct way_thread *t, int sig, siginfo_t *info, ucontext_t *uc)
{
	int i = index_of(sig);

	if (!(t->kept & 1U << i))
		t->info[i] = *info;
	t->kept |= 1U << i;
	if (BIT(sig) & t->blocked)
		return;
	if (!t->pending) {
		t->mask = *way_mask_of(uc);
		t->signal = 0;
	}
	t->out = way_out_trap;
	t->pending = 1;
	*way_mask_of(uc) = ~reserved();
	interrupt_call(uc);
}

/**
 * way_raise_sigsys - a call raises SIGSYS, which comes on the way out of it
 * @t: the calling thread, which is in our code
 * @info: with what
 *
 * The program has a handler of it, and has not blocked it.  It is not sent
 * before: that of the trap would come after it, although it is not blocked.
 */
void way_raise_sigsys(struct way_thread *t, const siginfo_t *info)
{
	t->info[WAY_FILTER] = *info;
	t->kept |= 1U << WAY_FILTER;
	t->out = way_out_trap;
}

/* The set of those. */
unsigned long way_kept(struct way_thread *t)
{
	unsigned long set = 0;

	for (int i = 0; i < WAY_KEPT; i++)
		if (t->kept & 1U << i)
			set |= BIT(signal_at(i));
	return set;
}

/* The host's default for a signal; one that was sent is sent again. */
static void by_default(int sig, bool sync)
{
	struct way_action dfl = { .handler = 0 };

	way_exempt(SYS_rt_sigaction, sig, (long)&dfl, 0, MASK_SIZE);
	if (!sync)
		way_exempt(SYS_tgkill, way_exempt(SYS_getpid, 0, 0, 0, 0),
			   way_exempt(SYS_gettid, 0, 0, 0, 0), sig, 0);
}

/* Prepare what the host would have, if it had called the program's handler. */
static unsigned long deliver(struct way_thread *t, int sig, siginfo_t *info,
			     ucontext_t *uc, bool host_did_mask)
{
	struct way_action a = way_action(t, sig);
	unsigned long mask;

	if (t->deliver == sig) {
		t->deliver = 0;
		*way_mask_of(uc) = t->mask;
		host_did_mask = false;
	}
	if (!way_is_handler(&a)) {
		/* It has been changed since: the host knows what to do now. */
		if (a.handler == (unsigned long)SIG_DFL &&
		    sig == HIJACK_OWN_SIGNAL)
			by_default(sig, false);
		else if (a.handler == (unsigned long)SIG_DFL)
			way_exempt(SYS_rt_tgsigqueueinfo,
				   way_exempt(SYS_getpid, 0, 0, 0, 0),
				   way_exempt(SYS_gettid, 0, 0, 0, 0), sig,
				   (long)info);
		return 0;
	}
	if (way_sees_sigreturn)
		*way_mask_of(uc) |= t->blocked;
	if (a.flags & SA_RESETHAND)
		reset_action(t, sig);
	/* The address to return to is in front of the context. */
	if (a.flags & SA_RESTORER)
		((unsigned long *)uc)[-1] = a.restorer;
	if (!host_did_mask) {
		mask = *way_mask_of(uc) | a.mask;
		if (!(a.flags & SA_NODEFER))
			mask |= BIT(sig);
		mask = way_strip(mask);
		way_exempt(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0,
			   MASK_SIZE);
	}
	return a.handler;
}

/* A call that this interrupts goes on. */
static void take_filter(struct way_thread *t)
{
	bool outside = t->selector;
	unsigned long fs;

	t->selector = 0;
	fs = way_fs_begin(t);
	hijack_filter_take();
	way_fs_end(fs);
	if (!outside) {
		if (!t->pending)
			t->signal = HIJACK_OWN_SIGNAL;
		return;
	}
	t->selector = 1;
	/* If one is, it comes when this handler returns. */
	t->pending = 0;
	t->out = t->kept ? way_out_trap : way_out_now;
}

unsigned long way_signal(int sig, siginfo_t *info, ucontext_t *uc)
{
	struct way_thread *t = way_self();

	if (hijack_own_signal(sig, info))
		return 0;
	if (hijack_filter_signal(sig, info)) {
		take_filter(t);
		return 0;
	}
	if (!t->selector) {
		defer(t, sig, info, uc);
		return 0;
	}
	way_fix_context(uc);
	return deliver(t, sig, info, uc, true);
}

/* A bad pointer of the program's, which user_copy() has met? */
static bool fix_copy(const siginfo_t *info, ucontext_t *uc)
{
	greg_t *ip = &uc->uc_mcontext.gregs[REG_RIP];

	if (info->si_code <= 0 ||
	    (unsigned long)*ip - (unsigned long)user_copy_start >=
		    (unsigned long)(user_copy_end - user_copy_start))
		return false;
	*ip = (greg_t)user_copy_end;
	return true;
}

/*
 * What the library calls for faults that are none of its.  While it starts,
 * way_fault() does not come first.
 */
static void not_ours(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	if (!fix_copy(info, uc))
		not_the_librarys = 1;
}

static bool library_handles(struct way_thread *t, int sig, siginfo_t *info,
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
		fs = way_fs_begin(t);
	}
	not_the_librarys = 0;
	sa->sa_sigaction(sig, info, uc);
	handled = !not_the_librarys;
	if (outside) {
		way_fs_end(fs);
		t->selector = 1;
		/* If one is, it comes when this handler returns. */
		t->pending = 0;
		t->out = way_out_now;
	}
	return handled;
}

/* A signal that is never blocked, and that is not our own affair. */
static unsigned long handle_reserved(struct way_thread *t, int sig,
				     siginfo_t *info, ucontext_t *uc)
{
	unsigned long handler = way_action(t, sig).handler;
	/* A call that a filter traps does not happen again by itself. */
	bool sync = info->si_code > 0 && sig != SIGSYS;

	if (!sync && handler == (unsigned long)SIG_IGN)
		return 0;
	if (!sync && handler != (unsigned long)SIG_DFL &&
	    (!t->selector || (BIT(sig) & t->blocked && t->deliver != sig))) {
		keep(t, sig, info, uc);
		return 0;
	}
	/* In our code, a bug: it happens again, and ends the process there. */
	if (!t->selector || handler == (unsigned long)SIG_DFL ||
	    handler == (unsigned long)SIG_IGN) {
		by_default(sig, sync);
		return 0;
	}
	way_fix_context(uc);
	return deliver(t, sig, info, uc, false);
}

unsigned long way_fault(int sig, siginfo_t *info, ucontext_t *uc)
{
	struct way_thread *t = way_self();

	if (fix_copy(info, uc))
		return 0;
	if (library_handles(t, sig, info, uc))
		return 0;
	return handle_reserved(t, sig, info, uc);
}

/* The way out of a call during which a signal came. */
static void leave(struct way_thread *t, ucontext_t *uc)
{
	unsigned long pending = 0, now = t->kept;
	int i;

	uc->uc_mcontext.gregs[REG_RIP] = t->resume;
	way_fix_context(uc);
	if (!t->pending) {
		t->mask = *way_mask_of(uc);
		t->signal = 0;
	}
	t->pending = 0;
	t->out = way_out_now;
	for (i = 0; i < WAY_KEPT; i++) {
		int sig = signal_at(i);

		if (!(now & 1U << i) || BIT(sig) & t->blocked)
			continue;
		/* All are blocked here: it comes when this handler returns. */
		t->kept &= ~(1U << i);
		way_host4(SYS_rt_tgsigqueueinfo, way_host0(SYS_getpid),
			  way_host0(SYS_gettid), sig, &t->info[i]);
		t->deliver = sig;
		*way_mask_of(uc) = ~(reserved() | BIT(sig));
		return;
	}
	way_host2(SYS_rt_sigpending, &pending, sizeof(pending));
	if (t->signal && pending & BIT(t->signal)) {
		t->deliver = t->signal;
		*way_mask_of(uc) = ~(reserved() | BIT(t->signal));
	} else {
		*way_mask_of(uc) = t->mask;
	}
}

/* The handler of the trap, with all signals blocked, on a stack of ours. */
unsigned long way_trap(int sig, siginfo_t *info, ucontext_t *uc, int selector)
{
	unsigned long ip = uc->uc_mcontext.gregs[REG_RIP], handler;
	struct way_thread *t = way_self();

	if (ip == (unsigned long)way_out_trapped && selector &&
	    info->si_code > 0) {
		leave(t, uc);
		return 0;
	}
	/* What leave() has sent is not a new one. */
	if (t->deliver != sig && way_trapped(t, info, uc))
		return 0;
	/* The program's affair. */
	t->selector = selector;
	handler = handle_reserved(t, sig, info, uc);
	return handler;
}

/**
 * way_signals_now - our code ends without a way out: signals may come
 * @t: the calling thread
 */
void way_signals_now(struct way_thread *t)
{
	if (!t->pending)
		return;
	t->pending = 0;
	t->out = t->kept ? way_out_trap : way_out_now;
	way_host4(SYS_rt_sigprocmask, SIG_SETMASK, &t->mask, 0, MASK_SIZE);
}

/* In the child of a fork no signal of the parent's is pending. */
void way_signals_forked(struct way_thread *t)
{
	changes &= ~1U;
	t->kept = 0;
	way_signals_now(t);
}

unsigned long way_signals_block(void)
{
	unsigned long all = way_strip(~0UL), old;

	way_host4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, MASK_SIZE);
	return old;
}

void way_signals_unblock(unsigned long mask)
{
	way_host4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, MASK_SIZE);
}

/*
 * Start, and start again: the core boots when it needs to.
 */
static long boot(struct way_thread *t, struct way_regs *r)
{
	int err = way_signals_early();

	(void)t, (void)r;
	if (!err)
		err = hijack_boot_now();
	return way_signals_init() ? -ENETDOWN : err;
}

/* In the middle of a call, which is to find its vector registers again. */
static int boot_saved(void)
{
	return way_saved(boot, NULL, NULL);
}

/* Before the library starts: who gets the faults it does not want. */
int way_signals_early(void)
{
	struct sigaction sa = { .sa_sigaction = not_ours,
				.sa_flags = SA_SIGINFO };

	hijack_boot = boot_saved;
	lkl_host_ops.wait = hijack_wait;
	/* That notices each signal: those of the program do not run meanwhile. */
	lkl_host_ops.hold_signals = NULL;
	/* Our handlers were before the library's of an earlier boot. */
	posix_faults_forget();
	return sigaction(SIGSEGV, &sa, NULL) || sigaction(SIGBUS, &sa, NULL)
		       ? -errno
		       : 0;
}

static int own_handler(int sig, void (*handler)(void), unsigned long flags,
		       unsigned long mask)
{
	struct way_action a = {
		.handler = (unsigned long)handler,
		.flags = flags | SA_SIGINFO | SA_ONSTACK | SA_RESTORER,
		.mask = mask,
	};

	return way_host4(SYS_rt_sigaction, sig, &a, 0, MASK_SIZE);
}

/* Go before who handles the library's faults now. */
static int own_fault(int sig, struct sigaction *library)
{
	struct sigaction sa;

	if (sigaction(sig, NULL, &sa))
		return -errno;
	if ((void *)sa.sa_sigaction == (void *)way_on_fault)
		return 0;
	*library = sa;
	return own_handler(sig, way_on_fault, SA_NODEFER | SA_RESTART, 0);
}

/* After it has, or has stopped. */
int way_signals_init(void)
{
	int err = own_fault(SIGSEGV, &library_segv);

	if (!err)
		err = own_fault(SIGBUS, &library_bus);
	if (!err)
		err = own_handler(way_trap_signal, way_on_trap, 0, ~0UL);
	adopt_own_signal();
	return err;
}
