// SPDX-License-Identifier: GPL-2.0-only
/*
 * SECCOMP_FILTER_FLAG_TSYNC: all threads of the program get a filter.
 *
 * The host would give it to the library's threads as well, which do what the
 * program may not.  So each thread of the program's installs the filter itself
 * (each.c).
 */
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "filter.h"

/* What a thread is asked for. */
static struct {
	const struct filter *tip;
	bool look; /* whether it could take it */
	bool unprivileged; /* it can gain no privileges afterwards */
	bool changed;
} want;

/* Is @f one that @of is on top of? */
static bool is_below(const struct filter *f, const struct filter *of)
{
	while (of && of != f)
		of = of->prev;
	return of == f;
}

/* Install what is missing, the oldest first. */
static long install_up_to(const struct filter *tip)
{
	struct hijack_thread *t = hijack_thread();
	const struct filter *next;
	long err = 0;

	while (!err && t->filter != tip) {
		for (next = tip; next->prev != t->filter; next = next->prev)
			;
		err = own_call3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0,
				&next->host);
		if (!err)
			t->filter = next;
		want.changed = true;
	}
	return err;
}

static long take(void *unused)
{
	(void)unused;
	if (!is_below(hijack_thread()->filter, want.tip))
		return -EINVAL;
	if (want.look)
		return 0;
	if (want.unprivileged)
		raw_syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
	return install_up_to(want.tip);
}

/* Returns 0, a negative error number, or the number of a thread that cannot. */
static long each_takes(long dir)
{
	long tid = 0, err = each_other(dir, take, NULL, &tid);

	if (err == -EAGAIN && tid)
		hijack_say("a filter for system calls: ",
			   "a thread does not take it, as it blocks all "
			   "signals");
	return tid ?: err;
}

long filter_sync(const struct filter *tip, long (*install)(void *), void *arg)
{
	long dir = each_begin(), ret;

	if (dir < 0)
		return dir;
	want.tip = tip;
	want.look = true;
	want.unprivileged =
		raw_syscall(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0, 0) == 1;
	ret = each_takes(dir);
	/* A thread that is made later has it from the one that makes it. */
	if (!ret)
		ret = install(arg);
	want.look = false;
	want.changed = !ret;
	while (!ret && want.changed) {
		want.changed = false;
		ret = each_takes(dir);
	}
	each_end(dir);
	return ret;
}
