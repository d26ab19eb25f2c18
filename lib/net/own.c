// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors that a wire gets while the program runs. An intercepted program
 * may close all that it finds, and expects the lowest numbers for its own.
 */
#include <errno.h>
#include <unistd.h>

#include "../net.h"

int (*lkl_net_own)(int fd);
void (*lkl_net_forget)(int fd);

int lkl_net_keep(int fd)
{
	if (fd < 0 || !lkl_net_own)
		return fd;
	fd = lkl_net_own(fd);
	if (fd < 0)
		errno = -fd;
	return fd;
}

void lkl_net_close(int fd)
{
	if (lkl_net_forget)
		lkl_net_forget(fd);
	else
		close(fd);
}
