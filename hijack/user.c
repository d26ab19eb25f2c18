// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program's memory.
 */
#include <string.h>

#include "user.h"

/* No page has a part of one of them. */
#define PIECE 64

/* More than that the host refuses to have on a stack. */
#define MAX_POINTERS (1L << 20)

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

long user_count(long from)
{
	void *pointer;
	long n;

	for (n = 0; from && n <= MAX_POINTERS; n++) {
		if (!user_get(&pointer, from + n * sizeof(pointer),
			      sizeof(pointer)))
			return -EFAULT;
		if (!pointer)
			return n;
	}
	return from ? -E2BIG : 0;
}

bool user_begins(const char *string, const char *with, size_t n)
{
	char piece[PIECE];
	size_t len, got;

	for (; n; n -= len, string += len, with += len) {
		len = n < PIECE ? n : PIECE;
		got = len - user_copy(piece, string, len);
		if (got < len || memcmp(piece, with, len))
			return false;
	}
	return true;
}
