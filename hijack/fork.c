// SPDX-License-Identifier: GPL-2.0-only
/*
 * Forks of a process with sockets: how the child comes to use its parent's
 * kernel.
 */
#include <sys/socket.h>

#include "child.h"

static void fork_begin(struct hijack_thread *t)
{
	int ends[2], i, none = SHARE_FREE;
	long err;

	err = host4(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
		    ends);
	if (err)
		return;
	ends[0] = fd_own(ends[0]);
	ends[1] = fd_own(ends[1]);
	for (i = 0; i < SHARE_PROCESSES; i++, none = SHARE_FREE)
		if (__atomic_compare_exchange_n(
			    &share->process[i], &none, SHARE_NEW, false,
			    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			break;
	if (i == SHARE_PROCESSES) {
		fd_forget(ends[0]);
		err = -ENFILE;
	} else if (child_number < 0) {
		err = share_take_process(i, ends[0], -1);
	} else {
		err = child_say(SHARE_FORK, i, ends[0]);
		fd_forget(ends[0]);
		if (!err && (!child_await(&share->process[i], SHARE_NEW) ||
			     share->process[i] != SHARE_READY))
			err = -ENETDOWN;
	}
	if (!err) {
		t->fork_process = i;
		t->fork_control = ends[1];
		return;
	}
	fd_forget(ends[1]);
	if (i < SHARE_PROCESSES)
		__atomic_store_n(&share->process[i], SHARE_FREE,
				 __ATOMIC_SEQ_CST);
}

void hijack_fork_begin(void)
{
	struct hijack_thread *t = hijack_thread();

	share_lock();
	t->fork_process = -1;
	if (share && (child_number >= 0 || lkl_kernel_boots()))
		fork_begin(t);
	if (t->fork_process >= 0)
		wait_fork();
}

void hijack_fork_end(long pid)
{
	struct hijack_thread *t = hijack_thread();

	if (pid) {
		if (t->fork_process >= 0)
			fd_forget(t->fork_control);
		share_unlock();
		return;
	}
	share_unlock();
	if (child_number >= 0)
		fd_forget(child_control);
	else if (share)
		share_close_processes();
	child_begin(t->fork_process, t->fork_control);
	t->link = NULL;
	wait_forked();
	copy_forget();
}
