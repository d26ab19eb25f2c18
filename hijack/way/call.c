// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program's calls that concern signals.
 */
#include <errno.h>
#include <string.h>

#include "way.h"

/* Is an interrupted call of the library's to be made again? */
bool way_wants_restart(struct way_thread *t, long nr)
{
	return t->interrupted && !hijack_never_restarts(nr) && t->signal &&
	       (t->signal == HIJACK_OWN_SIGNAL ||
		way_action(t, t->signal).flags & SA_RESTART);
}

long way_sigaction(struct way_thread *t, const long *a)
{
	struct way_action new, old;
	long sig = a[0], ret = 0;

	if (sig < 1 || sig >= WAY_SIGNALS || a[3] != sizeof(new.mask))
		return -EINVAL;
	if (a[1] && user_copy(&new, (void *)a[1], sizeof(new)))
		return -EFAULT;
	if (a[1] && (sig == SIGKILL || sig == SIGSTOP))
		return -EINVAL;
	old = way_action(t, sig);
	if (a[1])
		ret = way_change_action(t, sig, &new);
	if (!ret && a[2] && user_copy((void *)a[2], &old, sizeof(old)))
		return -EFAULT;
	return ret;
}

long way_sigprocmask(struct way_thread *t, const long *a)
{
	unsigned long set, seen, blocked = t->blocked;
	long ret;

	if (a[3] != sizeof(set))
		return -EINVAL;
	if (a[1]) {
		if (user_copy(&set, (void *)a[1], sizeof(set)))
			return -EFAULT;
		if (a[0] == SIG_BLOCK)
			blocked |= set & ~way_strip(set);
		else if (a[0] == SIG_UNBLOCK)
			blocked &= ~set;
		else
			blocked = set & ~way_strip(set);
		set = way_strip(set);
	}
	ret = host_syscall(SYS_rt_sigprocmask, a[0], a[1] ? (long)&set : 0,
			   (long)&seen, sizeof(set), 0, 0);
	if (ret)
		return ret;
	seen |= t->blocked;
	t->blocked = blocked;
	/* What has waited for that comes on the way out. */
	if (t->kept)
		t->out = way_out_trap;
	return a[2] && user_copy((void *)a[2], &seen, sizeof(seen)) ? -EFAULT
								    : 0;
}

/* What is kept because the program has it blocked is pending, too. */
long way_sigpending(struct way_thread *t, const long *a)
{
	unsigned long set = 0;
	long ret;

	if ((unsigned long)a[1] > sizeof(set))
		return -EINVAL;
	ret = way_host2(SYS_rt_sigpending, &set, sizeof(set));
	if (ret)
		return ret;
	set |= way_kept(t);
	return user_copy((void *)a[0], &set, a[1]) ? -EFAULT : 0;
}

/**
 * way_return - the program's rt_sigreturn(), as far as it is for us
 * @t: the calling thread; it goes on with the host's
 *
 * What has been kept and is not blocked any more comes before that.
 *
 * Return: what the call handler is to return
 */
long way_return(struct way_thread *t)
{
	ucontext_t *uc = (void *)t->user_sp;
	unsigned long mask;
	stack_t alt;

	t->resume = (unsigned long)way_sigreturn;
	/* A bad frame is the host's to find. */
	if (user_copy(&mask, way_mask_of(uc), sizeof(mask)) ||
	    user_copy(&alt, &uc->uc_stack, sizeof(alt)))
		return 0;
	t->blocked = mask & way_reserved();
	mask = way_strip(mask);
	if (user_copy(way_mask_of(uc), &mask, sizeof(mask)))
		return 0;
	t->alt = alt;
	if (alt.ss_flags & SS_DISABLE)
		t->alt.ss_size = 0;
	if (way_kept(t) & ~t->blocked)
		t->out = way_out_trap;
	return 0;
}
