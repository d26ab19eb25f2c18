// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host is told of handlers of signals: ours, for all that the program
 * handles, and before those of the library.
 */
#include <errno.h>

#include <lkl/asm/host_ops.h>
#include <lkl_host.h>

#include "way.h"

bool way_alt_shared;

/* Where handlers of ours run. */
static unsigned long stack_flag(void)
{
	return way_alt_shared ? 0 : SA_ONSTACK;
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

	return way_set_action(t, sig, new,
			      sig == way_trap_signal || sig == SIGSYS ? NULL
								      : &ours);
}

/**
 * way_keep_own_signal - a signal of our own threads comes to us, even without a
 *	handler of the program's
 *
 * A C library installs one of its own for it when it makes its first thread.
 * Under lkl-run it is not the program's library that may just have done so.
 */
void way_keep_own_signal(void)
{
	struct way_action known = way_noted(HIJACK_OWN_SIGNAL), a, ours;

	if (way_host4(SYS_rt_sigaction, HIJACK_OWN_SIGNAL, 0, &a,
		      WAY_MASK_SIZE) ||
	    (a.handler == (unsigned long)way_on_signal &&
	     (a.flags & SA_ONSTACK) == stack_flag()))
		return;
	if (a.handler != (unsigned long)way_on_signal &&
	    !way_is_handler(&known)) {
		way_note_action(HIJACK_OWN_SIGNAL, &a);
		known = a;
	}
	ours = ours_for(HIJACK_OWN_SIGNAL, &known);
	ours.flags &= ~SA_ONSTACK;
	ours.flags |= SA_RESTART | SA_RESTORER | stack_flag();
	way_host4(SYS_rt_sigaction, HIJACK_OWN_SIGNAL, &ours, 0, WAY_MASK_SIZE);
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
		if (way_host4(SYS_rt_sigaction, sig, 0, &a, WAY_MASK_SIZE) ||
		    !way_is_handler(&a))
			continue;
		way_note_action(sig, &a);
		if (BIT(sig) & way_reserved())
			continue;
		ours = ours_for(sig, &a);
		way_host4(SYS_rt_sigaction, sig, &ours, 0, WAY_MASK_SIZE);
	}
}

static long begin_apart(struct way_thread *t, struct way_regs *r)
{
	(void)t, (void)r;
	apart_begin();
	return way_signals_init();
}

/* As below; the kernel may have gone to another process. */
static void apart_saved(void)
{
	way_saved(begin_apart, NULL, NULL);
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

/* Before the library starts: a handler for the faults it does not want. */
int way_signals_early(void)
{
	struct sigaction sa = { .sa_sigaction = way_not_ours,
				.sa_flags = SA_SIGINFO };

	hijack_boot = boot_saved;
	hijack_apart = apart_saved;
	lkl_host_ops.wait = hijack_wait;
	/* That notices each signal: those of the program do not run meanwhile.
	 */
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
		.flags = flags | SA_SIGINFO | SA_RESTORER,
		.mask = mask,
	};

	return way_host4(SYS_rt_sigaction, sig, &a, 0, WAY_MASK_SIZE);
}

static int own_traps(void)
{
	return own_handler(way_trap_signal, way_on_trap, stack_flag(), ~0UL)
		       ?: own_handler(SIGSYS, way_on_trap, stack_flag(), ~0UL);
}

/* Go before the handler that the library's faults have now. */
static int own_fault(int sig, struct sigaction *library)
{
	struct sigaction sa;

	if (sigaction(sig, NULL, &sa))
		return -errno;
	if ((void *)sa.sa_sigaction == (void *)way_on_fault)
		return 0;
	*library = sa;
	return own_handler(sig, way_on_fault,
			   SA_NODEFER | SA_RESTART | SA_ONSTACK, 0);
}

/* After it has, or has stopped. */
int way_signals_init(void)
{
	int err = own_fault(SIGSEGV, &way_library_segv);

	if (!err)
		err = own_fault(SIGBUS, &way_library_bus);
	if (!err)
		err = own_traps();
	way_keep_own_signal();
	return err;
}

/**
 * way_signals_leave_alt - handlers of ours run on no signal stack from here on
 *
 * But for those of faults: a program is told of the end of its stack on
 * another.
 */
void way_signals_leave_alt(void)
{
	way_alt_shared = true;
	own_traps();
	way_keep_own_signal();
}
