// SPDX-License-Identifier: GPL-2.0-only
/* Limits of the process that the kernel's memory may run into. */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <lkl_host.h>

#include "posix.h"

/*
 * RAM is a file, whose size may be limited.  The limit is the user's for the
 * files that a program writes; where it can be lifted for a moment, it is.
 */
int posix_set_size(int fd, unsigned long size)
{
	struct rlimit limit, more;
	int err = 0;

	if (getrlimit(RLIMIT_FSIZE, &limit))
		return -errno;
	more = limit;
	more.rlim_cur = size;
	if (limit.rlim_cur < size) {
		if (more.rlim_max < size)
			more.rlim_max = size;
		/* Beyond it there would be SIGXFSZ. */
		if (setrlimit(RLIMIT_FSIZE, &more))
			return -EFBIG;
	}
	if (ftruncate(fd, size))
		err = -errno;
	if (limit.rlim_cur < size)
		setrlimit(RLIMIT_FSIZE, &limit);
	return err;
}

/* A number alone would not tell the user which limit is in the way. */
void posix_say_limit(const struct lkl_host_operations *ops, int resource,
		     const char *what, unsigned long need)
{
	struct rlimit limit;
	char text[160];
	int n;

	if (!ops->print || getrlimit(resource, &limit) ||
	    limit.rlim_cur == RLIM_INFINITY)
		return;
	n = snprintf(text, sizeof(text),
		     "lkl: the limit of %s is %lu KiB, the kernel needs %lu "
		     "KiB more\n",
		     what, (unsigned long)limit.rlim_cur >> 10, need >> 10);
	ops->print(text, n);
}
