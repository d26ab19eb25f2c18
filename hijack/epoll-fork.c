// SPDX-License-Identifier: GPL-2.0-only
/*
 * Epolls after a fork: the processes have one of the host in common, and its
 * shadow.
 */
#include "wait.h"

/**
 * wait_fork - there will be another process with the same epolls
 */
void wait_fork(void)
{
	unsigned int i;

	for (i = 0; i < epolls_top; i++)
		epolls[i].forked = epolls[i].users;
	for (i = 0; share_process() >= 0 && i < share->epolls_top; i++)
		if (share->epoll[i].process == share_process() + 1)
			share->epoll[i].forked = true;
}

/*
 * What a child makes of its parent's epoll: one with a shadow is used as it is,
 * from a slot that is not in the shared memory; one without may get a shadow
 * and needs a slot there.
 */
static uint32_t epoll_inherit(uint32_t word)
{
	struct epoll *e = to_epoll(word), *slots = share->epoll, *mine = NULL;
	bool shadow = e->state == EPOLL_SHADOW;
	unsigned int i, n = share->epolls_top;
	int process = share_process() + 1;

	if (shadow) {
		if (!e->process) {
			e->borrowed = true;
			return word;
		}
		slots = epolls;
		n = epolls_top;
		process = 0;
	}
	for (i = 0; i < n && !mine; i++)
		if (slots[i].users && slots[i].process == process &&
		    slots[i].tag == e->tag)
			mine = &slots[i];
	if (mine) {
		mine->users++;
		return epoll_word(mine);
	}
	mine = shadow ? epoll_take(epolls, EPOLLS, &epolls_top)
		      : epoll_take_own();
	if (!mine)
		return 0;
	if (shadow) {
		*mine = *e;
		mine->users = 1;
		mine->process = 0;
		mine->borrowed = true;
	}
	mine->tag = e->tag;
	mine->nested = e->nested;
	epolls_nested += mine->nested;
	return epoll_word(mine);
}

/* Threads of the parent's sleep in it, none of the child's. */
static void forget_sleepers(struct epoll *e)
{
	e->borrowed |= epoll_has_shadow(e);
	epoll_leave(e, epoll_sleepers(e) * EPOLL_SLEEPER);
}

/**
 * wait_forked - in a child: what waits is the parent's
 */
void wait_forked(void)
{
	struct hijack_thread *t = hijack_thread();
	unsigned int i;

	for (i = 0; i < epolls_top; i++)
		if (epoll_sleepers(&epolls[i]))
			forget_sleepers(&epolls[i]);
	fd_forked();
	t->sleep = NULL;
	t->watching = 0;
	if (t->eventfd)
		fd_forget(t->eventfd - 1);
	t->eventfd = 0;
	if (share_process() >= 0)
		fd_change_epolls(epoll_inherit);
}

/**
 * wait_set_bell - the process that has the kernel knows an epoll's eventfd now
 * @index: number of the epoll in the shared memory
 * @bell: its descriptor, or a negative error number
 */
void wait_set_bell(int index, long bell)
{
	int *at = &share->epoll[index].bell;

	__atomic_store_n(at, bell < 0 ? 0 : bell, __ATOMIC_SEQ_CST);
	share_wake(at);
}

/**
 * wait_process_gone - another process has ended, and its epolls with it
 * @process: which
 * @alone: it was the last
 */
void wait_process_gone(int process, bool alone)
{
	unsigned int i;

	for (i = 0; alone && i < epolls_top; i++) {
		struct epoll *e = &epolls[i];

		if (!e->forked)
			continue;
		e->forked = false;
		/* Who has missed an event meanwhile has not noticed. */
		__atomic_store_n(&e->rung, 0, __ATOMIC_SEQ_CST);
		if (e->state == EPOLL_SHADOW)
			event_ring(e->event);
	}

	for (i = 0; i < share->epolls_top; i++) {
		struct epoll *e = &share->epoll[i];

		if (e->process != process + 1)
			continue;
		e->watch.count = 0;
		if (e->state != EPOLL_PLAIN)
			lkl_kernel_call(lkl_watch_stop, &e->watch);
		if (e->state != EPOLL_PLAIN && e->bell > 0)
			fd_forget(e->bell);
		/* It was counted there. */
		e->nested = 0;
		epoll_clear(e);
		__atomic_store_n(&e->users, 0, __ATOMIC_RELEASE);
	}
}
