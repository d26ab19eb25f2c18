// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel in a process of its own.
 *
 * The process that has the kernel cannot enter a new user namespace, as it has
 * more than one thread.  A program that enters a new network or user namespace
 * often executes another one next: unshare(1), for one.  So, if it has nothing
 * in its kernel yet, that ends, and another one boots in a process that does
 * nothing else; the program joins that as a relative does (family.c).
 *
 * The process is forked twice: so the program has no child that it does not
 * know of.  It ends when no process uses its kernel any more.
 */
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lkl.h>

#include "child.h"

/* Be that process.  @end is closed at the other side when the program is there.
 */
static void run(long end)
{
	char byte = 0;

	outlive_program();
	hijack_boot();
	fd_close_range(SYS_close_range, (long[6]){ 0, ~0U });
	if (lkl_kernel_boots()) {
		own_call3(SYS_write, end, &byte, 1);
		own_call3(SYS_read, end, &byte, 1);
		fd_forget(end);
		hijack_syscall(SYS_exit_group, (long[6]){ 0 });
	}
	own_call3(SYS_exit_group, 0, 0, 0);
}

/**
 * apart_begin - have the kernel be in a process of its own, if it can be
 *
 * Uses libc.
 */
void apart_begin(void)
{
	int ends[2];
	long pid;
	char byte;

	if (share_process() >= 0 || hijack_has_sockets() || !own_is_single())
		return;
	hijack_before_fork();
	/* Somebody uses it. */
	if (lkl_kernel_boots() ||
	    host4(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return;
	/* There may be a call after this that only one thread can make. */
	share_leave();
	ends[0] = fd_own(ends[0]);
	ends[1] = fd_own(ends[1]);
	hijack_fork_begin(false);
	pid = raw_syscall(SYS_clone, 0, 0, 0, 0, 0, 0);
	hijack_fork_end(pid);
	if (!pid) {
		fd_forget(ends[0]);
		if (!_Fork())
			run(ends[1]);
		own_call3(SYS_exit_group, 0, 0, 0);
	}
	fd_forget(ends[1]);
	if (pid > 0) {
		own_call4(SYS_wait4, pid, 0, __WALL, 0);
		own_call3(SYS_read, ends[0], &byte, 1);
		hijack_need();
	}
	fd_forget(ends[0]);
}
