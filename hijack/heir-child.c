// SPDX-License-Identifier: GPL-2.0-only
/* The child of a program that may end next: it has the kernel, or uses it
 * (heir.c). */
#include <sys/mman.h>

#include "../lib/move.h"
#include "heir.h"

/**
 * heir_none - in a child for which the kernel was not brought to rest
 */
void heir_none(void)
{
	heir.state = NONE;
	heir.thread = 0;
	hijack_thread()->undecided = false;
}

/* The process that this one would have been. */
static void forget_process(struct hijack_thread *t)
{
	struct share_process *p = &share_processes[t->fork_process];

	share_hear_no_more(p->fd - 1);
	fd_forget(p->fd - 1);
	p->fd = 0;
	fd_forget(t->fork_control);
	fd_forget(t->fork_area);
	owner_free_process(p);
	wait_alone();
}

/* As any child: the kernel is the parent's. */
static void use_parents(struct hijack_thread *t)
{
	int i;

	for (i = 0; i < share_top; i++)
		if (share_processes[i].area)
			host2(SYS_munmap, share_processes[i].area,
			      sizeof(struct share));
	lkl_move_left();
	share_forked();
	aio_forked();
	fork_become_child(t);
}

/* Have the kernel; @parent says that it is about to end. */
static void take(struct hijack_thread *t, bool parent)
{
	numbers_forked();
	outlive_inherit(MADV_DONTFORK);
	if (lkl_move_there(true)) {
		hijack_say("a forked process cannot have the network: ",
			   "no threads");
		own_call3(SYS_exit_group, 1, 0, 0);
	}
	/* Its threads could take what comes for ours. */
	if (parent) {
		heir_say(heir.ends[1], TAKEN);
		heir_hear(heir.ends[1]);
	}
	fd_forget(heir.ends[1]);
	lkl_move_end();
	lkl_thread_replace(lkl_thread_leave());
	if (heir.self.task && heir.self.boot == lkl_kernel_boots())
		lkl_task_exit(heir.self.task, heir.self.boot);
	forget_process(t);
	outlive_serve();
	/* A child has none of the host's either. */
	aio_leave();
	aio_forked();
}

void hijack_heir_child(void)
{
	struct hijack_thread *t = hijack_thread();
	bool own = t->own;
	char said;

	if (!heir_begun())
		return;
	heir.state = NONE;
	heir.thread = 0;
	t->own = true;
	fd_forget(heir.ends[0]);
	said = heir_hear(heir.ends[1]);
	if (said == KEPT)
		use_parents(t);
	else
		take(t, said);
	t->own = own;
}
