// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the C library's functions of these names do, without vector registers:
 * those of the C library are not for code that runs in a program's call.
 *
 * The linker finds these first, for all that is linked with the core.
 */
#include <stddef.h>
#include <stdint.h>

#include "x86/block.h"

/* Long blocks are the processor's own affair. */
#define LONG 128

typedef uint64_t __attribute__((may_alias, aligned(1))) word;
typedef uint32_t __attribute__((may_alias, aligned(1))) half;
typedef uint16_t __attribute__((may_alias, aligned(1))) quarter;

/* No more than sixteen bytes: all are read before any is written. */
static inline void move_short(unsigned char *to, const unsigned char *from,
			      size_t n)
{
	if (n >= 8) {
		uint64_t first = *(word *)from, last = *(word *)(from + n - 8);

		*(word *)to = first;
		*(word *)(to + n - 8) = last;
	} else if (n >= 4) {
		uint32_t first = *(half *)from, last = *(half *)(from + n - 4);

		*(half *)to = first;
		*(half *)(to + n - 4) = last;
	} else if (n >= 2) {
		uint16_t first = *(quarter *)from;
		uint16_t last = *(quarter *)(from + n - 2);

		*(quarter *)to = first;
		*(quarter *)(to + n - 2) = last;
	} else if (n) {
		*to = *from;
	}
}

static inline void move_up(unsigned char *to, const unsigned char *from,
			   size_t n)
{
	if (n >= LONG) {
		block_copy(to, from, n);
		return;
	}
	for (; n > 16; n -= 8, to += 8, from += 8)
		*(word *)to = *(word *)from;
	move_short(to, from, n);
}

void *memcpy(void *to, const void *from, size_t n)
{
	move_up(to, from, n);
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	if ((uintptr_t)to - (uintptr_t)from >= n) {
		move_up(to, from, n);
		return to;
	}
	for (; n > 16; n -= 8)
		*(word *)(t + n - 8) = *(word *)(f + n - 8);
	move_short(t, f, n);
	return to;
}

void *memset(void *to, int c, size_t n)
{
	block_set(to, c, n);
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *p = a, *q = b;

	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

size_t strlen(const char *s)
{
	const char *end = s;

	while (*end)
		end++;
	return end - s;
}

char *strcpy(char *to, const char *from)
{
	memcpy(to, from, strlen(from) + 1);
	return to;
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return *(unsigned char *)a - *(unsigned char *)b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n && *a && *a == *b; a++, b++, n--)
		;
	return n ? *(unsigned char *)a - *(unsigned char *)b : 0;
}
