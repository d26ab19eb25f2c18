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

/* In a child: the area that its parent has, if that is a child, too. */
static struct share *parents;

/*
 * What a child makes of its parent's epoll: one with a shadow is used as it is,
 * from a slot that is not in the shared memory; one without may get a shadow
 * and needs a slot there.
 */
static uint32_t epoll_inherit(uint32_t word)
{
	struct epoll *e = to_epoll_of(parents, word), *mine = NULL;
	struct epoll *slots = share->epoll;
	bool shadow = e->state == EPOLL_SHADOW;
	unsigned int i, n = share->epolls_top;
	int process = share_process() + 1;

	if (shadow) {
		epoll_hear_end(e, e->self);
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
 * @old: the parent's area, or NULL
 */
void wait_forked(struct share *old)
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
	parents = old;
	if (share_process() >= 0)
		fd_change_epolls(epoll_inherit);
}

/* Does a descriptor of ours belong to an epoll of the array? */
static bool uses(struct epoll *e, unsigned int n, long fd)
{
	for (; n; n--, e++)
		if (e->users && epoll_has_shadow(e) &&
		    (e->event == fd || e->self == fd))
			return true;
	return false;
}

/**
 * wait_uses - is a descriptor of ours in use for an epoll?
 * @fd: the descriptor
 */
bool wait_uses(long fd)
{
	return uses(epolls, epolls_top, fd) ||
	       (share && uses(share->epoll, share->epolls_top, fd));
}

/**
 * wait_has_shadows - is there an epoll with files of the library?
 */
bool wait_has_shadows(void)
{
	unsigned int i;

	for (i = 0; i < epolls_top; i++)
		if (epolls[i].users && epoll_has_shadow(&epolls[i]))
			return true;
	for (i = 0; share && i < share->epolls_top; i++)
		if (share->epoll[i].process == share_process() + 1 &&
		    epoll_has_shadow(&share->epoll[i]))
			return true;
	return false;
}

/**
 * wait_alone - no other process uses this one's epolls any more
 */
void wait_alone(void)
{
	unsigned int i;

	for (i = 0; i < epolls_top; i++) {
		struct epoll *e = &epolls[i];

		if (!e->forked)
			continue;
		e->forked = false;
		/* A thread that has missed an event looks again. */
		__atomic_store_n(&e->rung, 0, __ATOMIC_SEQ_CST);
		if (e->state == EPOLL_SHADOW)
			event_ring(e->event);
	}
}

/**
 * wait_is_forked - do other processes have an epoll, too?
 * @word: its word
 */
bool wait_is_forked(uint32_t word)
{
	return to_epoll(word)->forked;
}
