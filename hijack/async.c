// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals about descriptors (O_ASYNC), and the processes that get them.
 */
#include <fcntl.h>
#include <limits.h>

#include <lkl/asm/program.h>

#include "internal.h"
#include "user.h"

/*
 * The owner of a file, which its signals are sent to.  The program is process 1
 * of the library's kernel; its threads are known there when they have made a
 * call.
 */
static int to_kernel(int type, int pid)
{
	struct lkl_program_thread thread = { .host = pid };

	if (type == F_OWNER_TID &&
	    !lkl_kernel_call(lkl_program_find_thread, &thread))
		return thread.kernel;
	/* Others are not there, which the kernel finds out. */
	return type == F_OWNER_PID && pid == fd_owner_pid() ? 1
	       : pid					    ? INT_MAX
							    : 0;
}

static int to_host(int type, int pid)
{
	struct lkl_program_thread thread = { .kernel = pid };

	if (type == F_OWNER_TID && pid &&
	    !lkl_kernel_call(lkl_program_find_thread, &thread))
		return thread.host;
	return pid ? fd_owner_pid() : 0;
}

/**
 * async_owner - F_SETOWN and its kind, for a file of the library's
 * @kfd: its number there
 * @cmd: what fcntl() is to do
 * @arg: its argument
 *
 * Return: as fcntl(), with a negative error number
 */
long async_owner(long kfd, long cmd, long arg)
{
	struct f_owner_ex owner;
	long ret;

	switch (cmd) {
	case F_SETOWN:
		/* The library knows no process but this. */
		if ((int)arg < 0)
			return -EINVAL;
		return lkl3(SYS_fcntl, kfd, cmd, to_kernel(F_OWNER_PID, arg));
	case F_GETOWN:
		ret = lkl3(SYS_fcntl, kfd, cmd, arg);
		return ret < 0 ? ret : to_host(F_OWNER_PID, ret);
	case F_SETOWN_EX:
		if (!user_get(&owner, arg, sizeof(owner)))
			return -EFAULT;
		if (owner.type == F_OWNER_PGRP)
			return -EINVAL;
		owner.pid = to_kernel(owner.type, owner.pid);
		return lkl3(SYS_fcntl, kfd, cmd, &owner);
	default: /* F_GETOWN_EX */
		ret = lkl3(SYS_fcntl, kfd, cmd, &owner);
		if (ret)
			return ret;
		owner.pid = to_host(owner.type, owner.pid);
		return user_put(arg, &owner, sizeof(owner)) ? 0 : -EFAULT;
	}
}
