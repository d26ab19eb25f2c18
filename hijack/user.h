/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program's memory.
 *
 * A pointer of the program's may be bad, and the program then expects EFAULT.
 * So nothing that it points to is looked at where it is: it is copied, by code
 * that a fault is known to happen in (way/signal.c).  A copy does not
 * change, either, while another thread of the program writes to the memory.
 */
#ifndef HIJACK_USER_H
#define HIJACK_USER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/* Copy what may not be there; returns how many bytes are missing (x86/user.S).
 */
size_t user_copy(void *to, const void *from, size_t len);
extern const char user_copy_start[], user_copy_end[];

/* Copy from the program; returns whether it was there. */
static inline bool user_get(void *to, long from, size_t len)
{
	return __builtin_expect(!user_copy(to, (const void *)from, len), 1);
}

/* And to it. */
static inline bool user_put(long to, const void *from, size_t len)
{
	return __builtin_expect(!user_copy((void *)to, from, len), 1);
}

/**
 * user_string - copy a string of the program's
 * @to: room for @size bytes
 * @from: the program's pointer
 *
 * Return: its length without the 0, -EFAULT, or -ENAMETOOLONG if it does not
 * fit; @to then has @size bytes of it
 */
long user_string(char *to, long from, size_t size);

/**
 * user_count - how many pointers a program has in front of a NULL
 * @from: the program's pointer to them, or 0
 *
 * Return: the number, -EFAULT, or -E2BIG if the host took no such arguments
 */
long user_count(long from);

/* Does a string of the program's, if it is there, begin with @n bytes? */
bool user_begins(const char *string, const char *with, size_t n);

#endif /* HIJACK_USER_H */
