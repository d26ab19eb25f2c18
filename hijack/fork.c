// SPDX-License-Identifier: GPL-2.0-only
/*
 * Forks of a process that has a kernel, or uses another's: the child goes on
 * using it, as a process of its own (share.h).
 */
#include <lkl/asm/netns.h>

#include "child.h"

/* There will be no process that gets a new namespace. */
static long refuse(struct hijack_thread *t, long err)
{
	if (t->fork_netns)
		lkl_kernel_call(lkl_netns_put, t->fork_netns);
	t->fork_netns = NULL;
	t->fork_new = false;
	return err;
}

long hijack_fork_begin(bool shares)
{
	struct hijack_thread *t = hijack_thread();
	long err;

	if (heir_begun()) {
		share_lock();
		wait_fork();
		return 0;
	}
	heir_settle();
	err = netns_begin();
	if (err)
		return refuse(t, err);
	if (t->vforks)
		hijack_fork_end(1);
	share_lock();
	t->fork_process = -1;
	t->fork_kernel = lkl_kernel_boots();
	if ((child_number >= 0 || (share_serves() && t->fork_kernel)) &&
	    !fork_new_process(t))
		wait_fork();
	if (t->fork_new && t->fork_process < 0) {
		share_unlock();
		return refuse(t, -EAGAIN);
	}
	if (!shares)
		return 0;
	/* It executes a program, and what we have open is closed then. */
	share_unlock();
	t->notes = 0;
	t->vforks = t->fork_process >= 0;
	return 0;
}

void hijack_fork_end(long pid)
{
	struct hijack_thread *t = hijack_thread();

	if (t->vforks)
		t->vforks = false;
	else
		share_unlock();
	if (heir_begun()) {
		heir_forked(t, pid);
		return;
	}
	if (pid && t->fork_process >= 0) {
		fd_forget(t->fork_control);
		fd_forget(t->fork_area);
	}
	if (!pid) {
		/* Before a child of its own asks that has its memory. */
		hijack_in_vfork();
		heir_none();
		share_forked();
		aio_forked();
		if (t->fork_kernel || t->fork_process >= 0 || child_number >= 0)
			fork_become_child(t);
	}
	t->fork_new = false;
}
