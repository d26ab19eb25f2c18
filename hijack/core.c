// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core of the interception: a table of all calls that are not simply the
 * host's.
 *
 * What a call costs that stays on the host is one look at the table of calls
 * and, if it names a descriptor, one at the table of descriptors.
 */
#include <sys/resource.h>

#include "internal.h"

/* So it is before there may be no more descriptors. */
static long do_limit(long nr, const long *a)
{
	bool any = nr == SYS_prlimit64;

	if (a[any] != RLIMIT_NOFILE)
		return host_call(nr, a);
	if (nr == SYS_setrlimit || (any && a[2]))
		share_reach();
	return numbers_limit(nr, a);
}

/* Programs have another way where there is none. */
static long do_refuse(long nr, const long *a)
{
	(void)nr, (void)a;
	return -ENOSYS;
}

/* Whose each call is, and why, is told in calls.tbl. */
#define CALL(nr, whose, handler) [nr] = handler,
static hijack_call *const calls[] = {
#include "calls.h"
};
#undef CALL

/*
 * A call of a thread that runs our code, that has made a process, or that has
 * yet to go to its network namespace.
 */
static long other_call(long nr, const long *a)
{
	long ret;

	if (hijack_this_thread.own)
		return host_call(nr, a);
	if (hijack_this_thread.undecided && heir_undecided(nr, a))
		return calls[nr] ? calls[nr](nr, a) : host_call(nr, a);
	ret = netns_begin();
	if (ret)
		return ret;
	if (!hijack_this_thread.other)
		return hijack_syscall(nr, a);
	if (hijack_in_vfork())
		return hijack_vfork_syscall(nr, a);
	/* It executes something by now, or has ended. */
	hijack_fork_end(1);
	return hijack_syscall(nr, a);
}

bool hijack_is_refused(long nr)
{
	return (unsigned long)nr >= array_size(calls) || calls[nr] == do_refuse;
}

long hijack_syscall(long nr, const long a[6])
{
	hijack_call *call;

	if (unlikely(hijack_this_thread.other))
		return other_call(nr, a);
	/* Nobody knows what a newer one does. */
	if (unlikely((unsigned long)nr >= array_size(calls)))
		return -ENOSYS;
	call = calls[nr];
	return call ? call(nr, a) : host_call(nr, a);
}
