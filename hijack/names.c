// SPDX-License-Identifier: GPL-2.0-only
/*
 * What files of the library are called: there, and for the program, which knows
 * them by the host's number of the process.
 */
#include <fcntl.h>
#include <unistd.h>

#include "lookup.h"

const char *lookup_skip_number(const char *p)
{
	const char *start = p;

	while (*p >= '0' && *p <= '9')
		p++;
	return p > start ? p : NULL;
}

size_t lookup_put_number(char *to, long n)
{
	char digits[20];
	size_t len = 0, i;

	do {
		digits[len++] = '0' + n % 10;
		n /= 10;
	} while (n);
	for (i = 0; i < len; i++)
		to[i] = digits[len - 1 - i];
	return len;
}

/*
 * Names in the library: what a descriptor there is open on is told with the
 * numbers of a process and its threads, where LOOKUP_SELF is what stays true. A
 * descriptor may be inherited from another process of the library's.
 */
static void from_canonical(char *name)
{
	const char *p;
	size_t len;

	if (!lookup_below(name, "/proc") || !name[5])
		return;
	p = lookup_skip_number(name + sizeof("/proc/") - 1);
	if (!p || (*p && *p != '/'))
		return;
	if (lookup_below(p, "/task") && p[5])
		p = lookup_skip_number(p + 6) ?: p;
	len = strlen(p);
	if (sizeof(LOOKUP_SELF) + len > LOOKUP_NAME)
		return;
	memmove(name + sizeof(LOOKUP_SELF) - 1, p, len + 1);
	memcpy(name, LOOKUP_SELF, sizeof(LOOKUP_SELF) - 1);
}

size_t lookup_to_program(char *to, const char *name)
{
	size_t len = 0, n;

	if (lookup_below(name, LOOKUP_SELF)) {
		memcpy(to, "/proc/", 6);
		len = 6 + lookup_put_number(to + 6, host0(SYS_getpid));
		name += sizeof(LOOKUP_SELF) - 1;
	}
	n = strlen(name);
	if (len + n >= LOOKUP_NAME)
		n = LOOKUP_NAME - 1 - len;
	memcpy(to + len, name, n);
	to[len + n] = 0;
	return len + n;
}

size_t lookup_to_shown(char *to, const char *name)
{
	char own[LOOKUP_NAME];

	memcpy(own, name, strlen(name) + 1);
	from_canonical(own);
	return lookup_to_program(to, own);
}

/* What a descriptor is called in the library. */
size_t lookup_put_descriptor(char *name, long kfd)
{
	size_t len = sizeof(LOOKUP_SELF "/fd/") - 1;

	memcpy(name, LOOKUP_SELF "/fd/", len);
	len += lookup_put_number(name + len, kfd);
	name[len] = 0;
	return len;
}

static long read_descriptor(char *name, long kfd)
{
	char link[sizeof(LOOKUP_SELF) + 24];
	long n;

	lookup_put_descriptor(link, kfd);
	n = lkl3(SYS_readlink, link, name, LOOKUP_NAME - 1);
	if (n < 0)
		return n;
	name[n] = 0;
	from_canonical(name);
	return 0;
}

long lookup_canonical(char *name, int flags)
{
	long fd, err;

	fd = lkl_any(SYS_openat, LKL_AT_FDCWD, (long)name,
		     O_PATH | O_CLOEXEC | flags, 0, 0);
	if (fd < 0)
		return fd;
	err = read_descriptor(name, fd);
	lkl1(SYS_close, fd);
	return err;
}

long lookup_descriptor(char *name, long fd)
{
	long err = read_descriptor(name, fd_number(fd_word(fd)));

	/* A socket's is no name. */
	return err ?: name[0] == '/' ? 0 : -ENOTDIR;
}
