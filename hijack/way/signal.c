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
 * The signal of the trap is ours, as is SIGSYS, by which the host traps the
 * program's calls; SIGSEGV and SIGBUS are the library's first.  They are never
 * really blocked: what is sent while the thread is in our code, or while the
 * program believes to have it blocked, is kept, and sent again on the way out.
 */
#include "way.h"

void (*way_restorer)(void);

static const struct way_entry none;

static int index_of(int sig)
{
	return sig == SIGSEGV		? WAY_SEGV
	       : sig == SIGBUS		? WAY_BUS
	       : sig == way_trap_signal ? WAY_TRAP
					: WAY_FILTER;
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

/*
 * The thread is in our code, and is to leave it by a trap; remember the
 * program's mask.  If several signals come at once, to a call with a mask of
 * its own (sigsuspend(), ppoll()), the host has put one frame on another.  The
 * one that goes on last was made first, and only it has the program's mask: the
 * next one has what is blocked in its handler, which the others interrupt at
 * once.  What comes later finds all blocked.
 */
static void await_way_out(struct way_thread *t, int sig, ucontext_t *uc)
{
	unsigned long *mask = way_mask_of(uc), all = ~way_reserved();

	if (!t->pending)
		t->nested = WAY_MASKED;
	else if (*mask != all)
		t->nested = t->mask;
	if (!t->pending || *mask != all)
		t->mask = *mask;
	t->signal = sig;
	t->out = way_out_trap;
	t->pending = 1;
	*mask = all;
	interrupt_call(uc);
}

/* Later. */
static void defer(struct way_thread *t, int sig, siginfo_t *info,
		  ucontext_t *uc)
{
	way_host4(SYS_rt_tgsigqueueinfo, way_host0(SYS_getpid),
		  way_host0(SYS_gettid), sig, info);
	await_way_out(t, sig, uc);
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
	await_way_out(t, t->pending ? t->signal : 0, uc);
}

/* The host's default for a signal; one that was sent is sent again. */
static void by_default(int sig, bool sync)
{
	struct way_action dfl = { .handler = 0 };

	way_exempt(SYS_rt_sigaction, sig, (long)&dfl, 0, WAY_MASK_SIZE);
	if (!sync)
		way_exempt(SYS_tgkill, way_exempt(SYS_getpid, 0, 0, 0, 0),
			   way_exempt(SYS_gettid, 0, 0, 0, 0), sig, 0);
}

/* Prepare what the host would have, if it had called the program's handler. */
static struct way_entry deliver(struct way_thread *t, int sig, siginfo_t *info,
				ucontext_t *uc, bool host_did_mask)
{
	struct way_action a = way_action(t, sig);
	unsigned long added, nested = WAY_MASKED;

	if (t->deliver == sig) {
		t->deliver = 0;
		*way_mask_of(uc) = t->mask;
		nested = t->nested;
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
		return none;
	}
	*way_mask_of(uc) |= t->blocked;
	added = a.mask | (a.flags & SA_NODEFER ? 0 : BIT(sig));
	t->blocked |= added & way_reserved();
	if (a.flags & SA_RESETHAND)
		way_reset_action(t, sig);
	/* The address to return to is in front of the context. */
	if (way_restorer)
		((unsigned long *)uc)[-1] = (unsigned long)way_restorer;
	else if (a.flags & SA_RESTORER)
		((unsigned long *)uc)[-1] = a.restorer;
	if (nested == WAY_MASKED)
		nested = *way_mask_of(uc);
	return (struct way_entry){ a.handler,
				   host_did_mask ? WAY_MASKED
						 : way_strip(nested | added) };
}

/* A call that this interrupts goes on. */
static void take_part(struct way_thread *t)
{
	bool outside = t->selector;
	unsigned long fs;

	t->selector = 0;
	fs = way_fs_begin(t);
	hijack_each_take();
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

struct way_entry way_signal(int sig, siginfo_t *info, ucontext_t *uc)
{
	struct way_thread *t = way_self();

	if (hijack_own_signal(sig, info))
		return none;
	if (hijack_each_signal(sig, info)) {
		take_part(t);
		return none;
	}
	hijack_see_signal(info);
	if (!t->selector) {
		defer(t, sig, info, uc);
		return none;
	}
	way_fix_context(uc);
	return deliver(t, sig, info, uc, true);
}

/* A signal that is never blocked, and that is not our own affair. */
static struct way_entry handle_reserved(struct way_thread *t, int sig,
					siginfo_t *info, ucontext_t *uc)
{
	unsigned long handler = way_action(t, sig).handler;
	/* A call that a filter traps does not happen again by itself. */
	bool sync = info->si_code > 0 && sig != SIGSYS;

	if (!sync && handler == (unsigned long)SIG_IGN)
		return none;
	if (!sync && handler != (unsigned long)SIG_DFL &&
	    (!t->selector || (BIT(sig) & t->blocked && t->deliver != sig))) {
		keep(t, sig, info, uc);
		return none;
	}
	/* In our code, a bug: it happens again, and ends the process there. */
	if (!t->selector || (sync && BIT(sig) & t->blocked) ||
	    handler == (unsigned long)SIG_DFL ||
	    handler == (unsigned long)SIG_IGN) {
		by_default(sig, sync);
		return none;
	}
	way_fix_context(uc);
	return deliver(t, sig, info, uc, false);
}

struct way_entry way_fault(int sig, siginfo_t *info, ucontext_t *uc)
{
	struct way_thread *t = way_self();

	if (way_fix_copy(info, uc))
		return none;
	if (way_library_handles(t, sig, info, uc))
		return none;
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
		t->nested = WAY_MASKED;
		t->signal = 0;
	}
	t->pending = 0;
	t->out = way_out_now;
	for (i = 0; i < WAY_KEPT; i++) {
		int sig = way_kept_signal(i);

		if (!(now & 1U << i) || BIT(sig) & t->blocked)
			continue;
		/* All are blocked here: it comes when this handler returns. */
		t->kept &= ~(1U << i);
		way_host4(SYS_rt_tgsigqueueinfo, way_host0(SYS_getpid),
			  way_host0(SYS_gettid), sig, &t->info[i]);
		t->deliver = sig;
		*way_mask_of(uc) = ~(way_reserved() | BIT(sig));
		return;
	}
	way_host2(SYS_rt_sigpending, &pending, sizeof(pending));
	if (t->signal && pending & BIT(t->signal)) {
		t->deliver = t->signal;
		*way_mask_of(uc) = ~(way_reserved() | BIT(t->signal));
	} else {
		*way_mask_of(uc) = t->mask;
	}
}

/* The handler of the trap, with all signals blocked, on a stack of ours. */
struct way_entry way_trap(int sig, siginfo_t *info, ucontext_t *uc,
			  int selector)
{
	unsigned long ip = uc->uc_mcontext.gregs[REG_RIP];
	struct way_thread *t = way_self();

	if (ip == (unsigned long)way_out_trapped && selector &&
	    info->si_code > 0) {
		leave(t, uc);
		return none;
	}
	/* What leave() has sent is not a new one. */
	if (t->deliver != sig && way_trapped(t, info, uc))
		return none;
	/* The program's affair. */
	t->selector = selector;
	return handle_reserved(t, sig, info, uc);
}
