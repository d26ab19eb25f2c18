// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals about descriptors (O_ASYNC), and the processes that get them.
 *
 * The library's kernel sends them to a process or a thread of its own: the
 * program is process 1.  Those for a process whose kernel is another one's, the
 * process with the kernel sends on (servers.c).
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <lkl/asm/program.h>

#include "share.h"

/*
 * The owner of a file, which its signals are sent to.  Processes and threads
 * are known to the library's kernel when they have made a call.
 */
static int to_kernel(int type, int pid)
{
	struct lkl_program_thread thread = { .host = pid };
	int number = type == F_OWNER_PID ? share_number(pid) : 0;

	if (type == F_OWNER_TID &&
	    !lkl_kernel_call(lkl_program_find_thread, &thread))
		number = thread.kernel;
	/* Others are not there, which the kernel finds out. */
	return number || !pid ? number : INT_MAX;
}

static int to_host(int type, int number)
{
	struct lkl_program_thread thread = { .kernel = number };
	unsigned int user;

	if (type == F_OWNER_PGRP)
		return number ? groups_find(number, &user) : 0;
	if (type != F_OWNER_TID || !number)
		return share_host_pid(number);
	return lkl_kernel_call(lkl_program_find_thread, &thread) ? 0
								 : thread.host;
}

/* As F_GETOWN, and SIOCGPGRP, tell it. */
static int plain_owner(const struct f_owner_ex *owner)
{
	return owner->type == F_OWNER_PGRP ? -owner->pid : owner->pid;
}

/* Whom F_GETOWN_EX tells. */
static long get_owner(long kfd, struct f_owner_ex *owner)
{
	long ret;

	if (lkl_kernel_boots()) {
		ret = lkl3(SYS_fcntl, kfd, F_GETOWN_EX, owner);
		if (!ret)
			owner->pid = to_host(owner->type, owner->pid);
		return ret;
	}
	ret = share_async(kfd, F_GETOWN_EX, 0);
	if (ret < 0)
		return ret;
	owner->type = ret >> 32;
	owner->pid = (int)ret == SHARE_ME ? fd_owner_pid() : (int)ret;
	return 0;
}

/* In a process that has no kernel: itself, one of its threads, or a group. */
static long owner_elsewhere(long kfd, long cmd, long arg)
{
	struct f_owner_ex owner;

	switch (cmd) {
	case F_SETOWN_EX:
		if (!user_get(&owner, arg, sizeof(owner)))
			return -EFAULT;
		if (owner.type == F_OWNER_TID && owner.pid)
			return share_async(kfd, F_SETOWN_EX, owner.pid);
		if (owner.type < F_OWNER_TID || owner.type > F_OWNER_PGRP)
			return -EINVAL;
		if (owner.pid < 0)
			return -ESRCH;
		arg = plain_owner(&owner);
		/* fall through */
	case F_SETOWN:
		if ((int)arg == INT_MIN)
			return -EINVAL;
		if ((int)arg < 0)
			return share_async(kfd, F_SETOWN, (int)arg);
		if ((int)arg && (int)arg != fd_owner_pid())
			return -ESRCH;
		return share_async(kfd, F_SETOWN, !!(int)arg);
	default: /* F_SETSIG */
		return share_async(kfd, cmd, arg);
	}
}

/*
 * The owner of a file as another process knows it, of whom it may be a thread:
 * SHARE_ME, or a number, or 0.
 */
static int to_process(int process, const struct f_owner_ex *owner)
{
	struct lkl_program_thread thread = { .kernel = owner->pid };
	struct lkl_share *files = &share_processes[process].files;

	if (!owner->pid)
		return 0;
	if (owner->type == F_OWNER_TID)
		return lkl_kernel_call(lkl_program_find_thread, &thread)
			       ? 0
			       : serve_thread_of(process, thread.host);
	if (owner->type == F_OWNER_PID &&
	    (owner->pid == files->number ||
	     (owner->pid == 1 && process == share_former)))
		return SHARE_ME;
	return cred_same_pids(files->pid) ? to_host(owner->type, owner->pid)
					  : 0;
}

/*
 * For whom a process that is not trusted asks, when groups are to have signals.
 * It may execute a program of root's meanwhile, and it may have been root.
 */
static long asks_for(int process)
{
	long user = cred_user(share_processes[process].files.pid);

	return user == share_processes[process].user ||
			       (user > 0 && !share_processes[process].user)
		       ? user
		       : -1;
}

static long set_group(int process, long kfd, int group)
{
	long user;

	/* It would be filtered. */
	if (numbers_is_sandboxed() ||
	    !cred_same_pids(share_processes[process].files.pid))
		return -ESRCH;
	user = asks_for(process);
	return user < 0 ? -EPERM : groups_own(kfd, group, user);
}

/* Has another process set the owner, as which it is known to @process? */
static bool is_not_its_own(int process, const struct f_owner_ex *owner, long as)
{
	unsigned int user;

	if (!owner->pid)
		return false;
	switch (owner->type) {
	case F_OWNER_TID:
		return !as;
	case F_OWNER_PID:
		return as != SHARE_ME;
	case F_OWNER_PGRP:
		return groups_find(owner->pid, &user) &&
		       user != asks_for(process);
	}
	return true;
}

static long set_thread(int process, long kfd, int tid)
{
	struct lkl_program_thread thread = { .host = serve_thread(process,
								  tid) };
	struct f_owner_ex owner = { .type = F_OWNER_TID };

	if (!thread.host || lkl_kernel_call(lkl_program_find_thread, &thread))
		return -ESRCH;
	owner.pid = thread.kernel;
	return lkl3(SYS_fcntl, kfd, F_SETOWN_EX, &owner);
}

/**
 * async_serve - SHARE_ASYNC, on the thread that makes another process's calls
 * @process: its number
 * @a: a file, what fcntl() is to do, and its argument
 *
 * Return: as share_async()
 */
long async_serve(int process, const long *a)
{
	int me = share_processes[process].files.number;
	struct lkl_program_async async = { .fd = a[0], .number = a[2] };
	struct f_owner_ex owner;
	int who = a[2];
	long ret;

	switch (a[1]) {
	case F_SETFL:
		return lkl_kernel_call(lkl_program_arm, &async);
	case F_SETOWN:
		if (who < 0)
			return who == INT_MIN ? -EINVAL
					      : set_group(process, a[0], -who);
		return lkl3(SYS_fcntl, a[0], F_SETOWN, who ? me : 0);
	case F_SETOWN_EX:
		return set_thread(process, a[0], a[2]);
	}
	ret = lkl3(SYS_fcntl, a[0], F_GETOWN_EX, &owner);
	if (ret)
		return ret;
	ret = to_process(process, &owner);
	if (a[1] != F_SETSIG)
		return (long)owner.type << 32 | ret;
	/* It would be sent to another process. */
	if (is_not_its_own(process, &owner, ret))
		return -EPERM;
	return lkl3(SYS_fcntl, a[0], F_SETSIG, a[2]);
}

/**
 * async_owner - F_SETOWN and its kind, and F_SETSIG, for a file of the
 *	library's
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

	if (cmd == F_GETOWN || cmd == F_GETOWN_EX) {
		ret = get_owner(kfd, &owner);
		if (ret)
			return ret;
		if (cmd == F_GETOWN)
			return plain_owner(&owner);
		return user_put(arg, &owner, sizeof(owner)) ? 0 : -EFAULT;
	}
	if (!lkl_kernel_boots())
		return owner_elsewhere(kfd, cmd, arg);
	switch (cmd) {
	case F_SETOWN:
		if ((int)arg == INT_MIN)
			return -EINVAL;
		if ((int)arg < 0)
			return groups_own(kfd, -(int)arg, LKL_GROUP_ANY);
		return lkl3(SYS_fcntl, kfd, cmd, to_kernel(F_OWNER_PID, arg));
	case F_SETOWN_EX:
		if (!user_get(&owner, arg, sizeof(owner)))
			return -EFAULT;
		if (owner.type == F_OWNER_PGRP && owner.pid)
			return groups_own(kfd, owner.pid, LKL_GROUP_ANY);
		owner.pid = to_kernel(owner.type, owner.pid);
		return lkl3(SYS_fcntl, kfd, cmd, &owner);
	default: /* F_SETSIG */
		return lkl3(SYS_fcntl, kfd, cmd, arg);
	}
}

/**
 * async_ioctl - the same by FIOSETOWN, FIOGETOWN and their other names
 * @kfd: number of the file in the library's kernel
 * @cmd: the command
 * @arg: its argument
 *
 * Return: as ioctl(), with a negative error number
 */
long async_ioctl(long kfd, unsigned int cmd, long arg)
{
	struct f_owner_ex owner;
	long ret;
	int pid;

	if (cmd == FIOSETOWN || cmd == SIOCSPGRP)
		return user_get(&pid, arg, sizeof(pid))
			       ? async_owner(kfd, F_SETOWN, pid)
			       : -EFAULT;
	ret = get_owner(kfd, &owner);
	if (ret)
		return ret;
	pid = plain_owner(&owner);
	return user_put(arg, &pid, sizeof(pid)) ? 0 : -EFAULT;
}

/**
 * async_arm - O_ASYNC is to be set: signals name the program's descriptor
 * @kfd: number of the file in the library's kernel
 * @fd: the program's
 */
void async_arm(long kfd, long fd)
{
	struct lkl_program_async async = { .fd = kfd, .number = fd };

	if (lkl_kernel_boots())
		lkl_kernel_call(lkl_program_arm, &async);
	else
		share_async(kfd, F_SETFL, fd);
}

/**
 * hijack_see_signal - a signal about a file is to be what the kernel sent
 * @info: what came with it
 *
 * From another process it can come by SI_SIGIO only.
 */
void hijack_see_signal(siginfo_t *info)
{
	static const short bands[] = {
		[POLL_IN] = POLLIN | POLLRDNORM,
		[POLL_OUT] = POLLOUT | POLLWRNORM | POLLWRBAND,
		[POLL_MSG] = POLLIN | POLLRDNORM | POLLMSG,
		[POLL_ERR] = POLLERR,
		[POLL_PRI] = POLLPRI | POLLRDBAND,
		[POLL_HUP] = POLLHUP | POLLERR,
	};
	int code;

	if (info->si_code != SI_SIGIO)
		return;
	for (code = POLL_IN; code <= POLL_HUP; code++)
		if (info->si_band == bands[code])
			info->si_code = code;
}
