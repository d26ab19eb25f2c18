// SPDX-License-Identifier: GPL-2.0-only
/*
 * Process groups that own files: their signals go to those processes of the
 * host that are in the group when a signal is sent, whether these use the
 * library or not.
 *
 * As on the host, a process gets the signals of who may send it some.  The
 * process with the kernel sends them, and may have more rights than the one
 * that made the group an owner: so it looks whose each process is, unless it
 * asked for itself or has no rights that others have not.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include <lkl/asm/program.h>

#include "share.h"

/* Is there a process, or a group, of that number? */
static bool is_there(int number)
{
	return own_call3(SYS_kill, -number, 0, 0) != -ESRCH ||
	       own_call3(SYS_kill, number, 0, 0) != -ESRCH;
}

/**
 * groups_own - make a group the owner of a file of the library's
 * @kfd: its number in the library's kernel
 * @group: the group, as this process knows it
 * @user: whose processes may have signals, or LKL_GROUP_ANY
 *
 * Return: 0 or a negative error number
 */
long groups_own(long kfd, int group, unsigned int user)
{
	struct lkl_program_group owner = {
		.fd = kfd,
		.host = group,
		.user = user,
	};

	/* With a filter there is no looking. */
	if (group <= 0 || (!numbers_is_sandboxed() && !is_there(group)))
		return -ESRCH;
	return lkl_kernel_call(lkl_program_set_group, &owner);
}

/**
 * groups_find - the group that owns a file
 * @number: by which the library's kernel knows it
 * @user: is set to whose processes may have signals
 *
 * Return: the group; 0 if it has no processes any more
 */
int groups_find(int number, unsigned int *user)
{
	struct lkl_program_group owner = { .number = number };

	if (lkl_kernel_call(lkl_program_find_group, &owner))
		return 0;
	*user = owner.user;
	return numbers_is_sandboxed() ||
			       own_call3(SYS_kill, -owner.host, 0, 0) != -ESRCH
		       ? owner.host
		       : 0;
}

/* Send it to each process, or to each that may have it. */
static void send_each(int group, bool any, unsigned int user, int sig,
		      const void *info)
{
	long dir = own_call3(SYS_open, "/proc",
			     O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	char buffer[1024];
	long n, at, pid;

	if (dir < 0)
		return;
	while ((n = own_call3(SYS_getdents64, dir, buffer, sizeof(buffer))) > 0)
		for (at = 0; at < n; at += each_length(buffer + at)) {
			pid = each_number(buffer + at);
			if (!pid || own_call3(SYS_getpgid, pid, 0, 0) != group)
				continue;
			if (any || cred_lets_signal(pid, user))
				serve_send(pid, 0, sig, info);
		}
	own_call3(SYS_close, dir, 0, 0);
}

/**
 * groups_signal - the library's kernel sends a group a signal
 * @group: the group
 * @user: whose processes may have it, or LKL_GROUP_ANY
 * @sig: the signal
 * @info: LKL_SIGINFO_SIZE bytes of what comes with it
 */
void groups_signal(int group, unsigned int user, int sig, const void *info)
{
	bool any = user == LKL_GROUP_ANY || !user || !cred_had_rights();

	if (numbers_is_sandboxed())
		return;
	/* -1 would be all processes. */
	if (any && group > 1 && !serve_tells(info))
		own_call3(SYS_kill, -group, sig, 0);
	else
		send_each(group, any, user, sig, info);
}
