// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals that the program believes to have blocked and that never are: that of
 * the trap, SIGSYS, SIGSEGV and SIGBUS; those that are kept meanwhile, and the
 * mask while our code is not to be interrupted.
 */
#include "way.h"

unsigned long way_reserved(void)
{
	return BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGSYS) | BIT(way_trap_signal);
}

unsigned long way_strip(unsigned long mask)
{
	return mask & ~way_reserved();
}

int way_kept_signal(int index)
{
	return index == WAY_SEGV   ? SIGSEGV
	       : index == WAY_BUS  ? SIGBUS
	       : index == WAY_TRAP ? way_trap_signal
				   : SIGSYS;
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

/* The set of those that are kept. */
unsigned long way_kept(struct way_thread *t)
{
	unsigned long set = 0;

	for (int i = 0; i < WAY_KEPT; i++)
		if (t->kept & 1U << i)
			set |= BIT(way_kept_signal(i));
	return set;
}

/**
 * way_signals_admit - what is blocked at the start the program believes to be
 * @t: the program's first thread, which calls this
 */
void way_signals_admit(struct way_thread *t)
{
	unsigned long ours = way_reserved(), mask = 0;

	way_host4(SYS_rt_sigprocmask, SIG_UNBLOCK, &ours, &mask, WAY_MASK_SIZE);
	t->blocked = mask & ours;
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
	way_host4(SYS_rt_sigprocmask, SIG_SETMASK, &t->mask, 0, WAY_MASK_SIZE);
}

unsigned long way_signals_block(void)
{
	unsigned long all = way_strip(~0UL), old;

	way_host4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, WAY_MASK_SIZE);
	return old;
}

void way_signals_unblock(unsigned long mask)
{
	way_host4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, WAY_MASK_SIZE);
}
