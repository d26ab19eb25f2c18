// SPDX-License-Identifier: GPL-2.0-only
/*
 * The side of the process that has its family's kernel, for relatives that want
 * to use it (family.c).
 *
 * Anybody can connect.  A process that has connected is a candidate until the
 * first message, which must have the family's secret.  Candidates that say
 * nothing make room for others.
 */
#include <sys/socket.h>

#include "child.h"

/* Their sockets, + 1; 0 is none.  The last one came to the place before @next.
 */
static long candidates[SHARE_CANDIDATES];
static unsigned int next;

/* Where they connect, or -1, and whether they may. */
static long listener = -1;
static bool open;

static void forget(unsigned int i)
{
	if (candidates[i])
		fd_forget(candidates[i] - 1);
	candidates[i] = 0;
}

static void let_in(void)
{
	long fd;

	/* A fork now would take the descriptor along. */
	share_lock();
	fd = open ? fd_own(host4(SYS_accept4, listener, 0, 0, SOCK_CLOEXEC))
		  : -1;
	if (fd >= 0) {
		forget(next);
		if (share_hear_from(fd, SHARE_CANDIDATE + next)) {
			fd_forget(fd);
		} else {
			candidates[next] = fd + 1;
			next = (next + 1) % SHARE_CANDIDATES;
		}
	}
	share_unlock();
}

static void look_at(unsigned int i)
{
	struct share_message message;
	long fd = candidates[i] - 1, area, err;
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);

	err = share_receive(fd, &message, &area, NULL, MSG_DONTWAIT);
	if (area >= 0)
		fd_forget(area);
	if (err == -EAGAIN || err == -EINTR)
		return;
	if (err || message.what != SHARE_JOIN ||
	    !family_knows(&message.token)) {
		forget(i);
		return;
	}
	candidates[i] = 0;
	share_hear_no_more(fd);
	host6(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &cred, &len, 0);
	share_admit(fd, cred.pid);
}

/**
 * admit_hear - a candidate has said something, or there is a new one
 * @id: SHARE_LISTENER or a candidate
 */
void admit_hear(unsigned int id)
{
	if (id == SHARE_LISTENER) {
		let_in();
		return;
	}
	share_lock();
	if (candidates[id - SHARE_CANDIDATE])
		look_at(id - SHARE_CANDIDATE);
	share_unlock();
}

/**
 * admit_begin - relatives may join
 * @fd: where they connect; closed on failure
 */
void admit_begin(long fd)
{
	share_lock();
	open = !share_hear_from(fd, SHARE_LISTENER);
	if (open)
		listener = fd;
	else
		fd_forget(fd);
	share_unlock();
}

/**
 * admit_end - no process joins any more, unless one has joined
 * @forked: or one that was forked uses the kernel
 *
 * One that tries waits until admit_close(), or the end of the process.
 *
 * Return: whether that is so
 */
bool admit_end(bool forked)
{
	unsigned int i;
	bool unused;

	share_lock();
	unused = !share_used(forked);
	if (unused && open)
		share_hear_no_more(listener);
	open &= !unused;
	for (i = 0; unused && i < SHARE_CANDIDATES; i++)
		forget(i);
	share_unlock();
	return unused;
}

/**
 * admit_close - there is no kernel any more that could be joined
 *
 * In a forked child, too: it is its parent's.
 */
void admit_close(void)
{
	unsigned int i;

	if (listener >= 0)
		fd_forget(listener);
	listener = -1;
	open = false;
	for (i = 0; i < SHARE_CANDIDATES; i++)
		forget(i);
}
