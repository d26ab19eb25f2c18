// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program's signal stacks.
 *
 * Handlers of ours run on them, as other stacks may be too small: so it is with
 * goroutines.  But programs that expect no signal there but one that ends them
 * give one stack to several threads (varnishd).  Handlers that run at the same
 * time would write over each other's frames.  In such a program ours run where
 * the thread is.
 */
#include <errno.h>

#include "way.h"

/* Who has had a signal stack last; of those with the same hash value. */
static struct {
	unsigned long stack;
	int tid;
} owners[256];

static unsigned int hash(unsigned long stack)
{
	return (stack >> 12) % (sizeof(owners) / sizeof(*owners));
}

/* A thread is about to have a signal stack: does another one have the same? */
static void note(const stack_t *new, const stack_t *old)
{
	unsigned int n = hash((unsigned long)old->ss_sp);
	int tid = way_host0(SYS_gettid);

	if (owners[n].tid == tid)
		owners[n].tid = 0;
	if (new->ss_flags & SS_DISABLE || way_alt_shared)
		return;
	n = hash((unsigned long)new->ss_sp);
	if (owners[n].stack == (unsigned long)new->ss_sp &&
	    owners[n].tid &&owners[n].tid != tid &&
	    !way_host3(SYS_tgkill, way_host0(SYS_getpid), owners[n].tid, 0)) {
		way_signals_leave_alt();
	}
	owners[n].stack = (unsigned long)new->ss_sp;
	owners[n].tid = tid;
}

long way_sigaltstack(struct way_thread *t, const long *a)
{
	stack_t new, old = t->alt;
	long ret = 0;

	if (!old.ss_size)
		old.ss_flags = SS_DISABLE;
	else if (way_on_alt(t))
		old.ss_flags |= SS_ONSTACK;
	if (a[0]) {
		if (user_copy(&new, (void *)a[0], sizeof(new)))
			return -EFAULT;
		if (way_on_alt(t))
			return -EPERM;
		note(&new, &t->alt);
		ret = way_host2(SYS_sigaltstack, &new, 0);
		if (ret)
			return ret;
		if (new.ss_flags & SS_DISABLE)
			new.ss_size = 0;
		t->alt = new;
	}
	if (a[1] && user_copy((void *)a[1], &old, sizeof(old)))
		return -EFAULT;
	return ret;
}

/**
 * way_alt_off - in a call that a handler on the signal stack has made
 *
 * Our stack is not part of it: for the next signal the host would start at its
 * top again, where the handler's frame is.
 */
void way_alt_off(void)
{
	stack_t off = { .ss_flags = SS_DISABLE };

	way_host2(SYS_sigaltstack, &off, 0);
}

/* The end of that. */
void way_alt_on(struct way_thread *t)
{
	if (t->alt.ss_size)
		way_host2(SYS_sigaltstack, &t->alt, 0);
}
