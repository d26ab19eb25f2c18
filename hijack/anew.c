// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel again, in place of another process's that has ended.
 */
#include "child.h"

static bool anew(void)
{
	if (fd_next(0) >= 0 || wait_has_shadows() || hijack_away ||
	    !hijack_change_state(HIJACK_UP))
		return false;
	child_leave();
	hijack_set_state(HIJACK_DOWN);
	return true;
}

/**
 * share_any - make a call that needs any kernel
 * @nr: number
 * @a: arguments
 *
 * Return: as share_call(); -ESHUTDOWN when there will be another kernel
 */
long share_any(long nr, const long *a)
{
	bool gone;
	long ret = child_try(nr, a, &gone);

	if (likely(!gone))
		return ret;
	return anew() ? -ESHUTDOWN : share_call(nr, a);
}
