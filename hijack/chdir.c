// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls by which the program goes to a directory (cwd.c), and asks where it is.
 */
#include <fcntl.h>

#include "lookup.h"
#include "user.h"

/* Go to a directory of the library's. */
static long go(char *name)
{
	char host[LOOKUP_NAME];
	size_t len;
	long err = lookup_canonical(name, O_DIRECTORY);

	if (err)
		return err;
	len = lookup_to_program(host, name);
	while (len && host1(SYS_chdir, host)) {
		while (len && host[--len] != '/')
			;
		host[len] = 0;
	}
	if (!len)
		host1(SYS_chdir, "/");
	if (!hijack_in_vfork())
		cwd_library(name);
	return 0;
}

long cwd_chdir(long nr, const long *a)
{
	struct lookup l;
	long ret;

	switch (lookup(&l, AT_FDCWD, a[0], true)) {
	case HOST_NAME:
		ret = host1(nr, l.name);
		break;
	case LIBRARY:
		ret = go(l.name);
		lookup_end(&l);
		return ret;
	default:
		ret = host1(nr, a[0]);
	}
	if (!ret)
		cwd_host();
	return ret;
}

long cwd_fchdir(long nr, const long *a)
{
	struct lookup l;
	long ret;

	if (unlikely(fd_is_lkl(a[0]))) {
		ret = lookup_descriptor(l.name, a[0]);
		return ret ?: go(l.name);
	}
	ret = host1(nr, a[0]);
	if (!ret)
		cwd_host();
	return ret;
}

long cwd_getcwd(long nr, const long *a)
{
	char name[LOOKUP_NAME], host[LOOKUP_NAME];
	size_t size;

	if (likely(!cwd_get(name)) || hijack_in_vfork())
		return host2(nr, a[0], a[1]);
	size = lookup_to_program(host, name) + 1;
	if (size > (unsigned long)a[1])
		return -ERANGE;
	return user_put(a[0], host, size) ? (long)size : -EFAULT;
}
