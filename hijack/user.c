// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program's memory.
 */
#include "user.h"

/* No page has a part of one of them. */
#define PIECE 64

long user_string(char *to, long from, size_t size)
{
	size_t done = 0, n, end;

	while (done < size) {
		end = done + PIECE - (from + done) % PIECE;
		n = (end < size ? end : size) - done;
		if (!user_get(to + done, from + done, n))
			return -EFAULT;
		for (; n; n--, done++)
			if (!to[done])
				return done;
	}
	return -ENAMETOOLONG;
}
