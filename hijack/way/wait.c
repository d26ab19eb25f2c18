// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of the host that wait, made for a call of the program.
 */
#include <errno.h>

#include "way.h"

long host_wait_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret = host_syscall(nr, a, b, c, d, e, f);

	if (ret != -WAY_RESTART && ret != -EINTR)
		return ret;
	way_self()->interrupted = true;
	return -EINTR;
}
