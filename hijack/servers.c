// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which threads make calls of other processes, and what reaches these beside
 * the results: signals, and their end.
 */
#include <linux/futex.h>
#include <signal.h>

#include <lkl/asm/program.h>
#include <lkl_host.h>

#include "server.h"

struct server servers[SHARE_LINKS];

unsigned int servers_top;

/**
 * server_find - the server of a link
 * @process: number of the process
 * @index: of the link
 *
 * Return: the server, or NULL
 */
struct server *server_find(int process, unsigned int index)
{
	unsigned int i;

	for (i = 0; i < servers_top; i++)
		if (__atomic_load_n(&servers[i].runs, __ATOMIC_SEQ_CST) &&
		    servers[i].process == process && servers[i].index == index)
			return &servers[i];
	return NULL;
}

/**
 * server_by_tid - the server that is a thread
 * @tid: number of the thread
 *
 * Return: the server, or NULL
 */
struct server *server_by_tid(int tid)
{
	unsigned int i;

	for (i = 0; i < servers_top; i++)
		if (__atomic_load_n(&servers[i].runs, __ATOMIC_SEQ_CST) &&
		    __atomic_load_n(&servers[i].tid, __ATOMIC_SEQ_CST) == tid)
			return &servers[i];
	return NULL;
}

/**
 * serve_raise - a call has raised a signal beside its error
 * @tid: number of the thread that makes it
 * @sig: the signal
 *
 * Return: whether that is a server, whose process gets it with the result
 */
bool serve_raise(int tid, int sig)
{
	struct server *s = server_by_tid(tid);

	if (s)
		s->raised = sig;
	return s;
}

/**
 * serve_signal - the library's kernel sends a signal about a file
 * @tid: number of the thread that it is for
 * @sig: the signal
 * @info: LKL_SIGINFO_SIZE bytes of what comes with it, or NULL
 *
 * Return: whether that is a server: then its process has the signal
 */
bool serve_signal(int tid, int sig, const void *info)
{
	struct server *s = server_by_tid(tid);
	siginfo_t all = { 0 };
	long err = -EINVAL;

	if (!s)
		return false;
	/*
	 * It could be a program with more rights by now, or another process.
	 * With a filter there is no looking.
	 */
	if (s->pid <= 0 || s->gone || numbers_is_sandboxed() ||
	    !cred_is_of_user(s->pid, s->user))
		return true;
	if (info)
		copy(&all, info, LKL_SIGINFO_SIZE);
	if (all.si_code >= POLL_IN && all.si_code <= POLL_HUP) {
		all.si_code = SI_SIGIO;
		err = own_call3(SYS_rt_sigqueueinfo, s->pid, sig, &all);
	}
	if (err)
		own_call3(SYS_kill, s->pid, sig, 0);
	return true;
}

/**
 * serve_interrupt - interrupt all servers that are to be
 * @used: is set to whether each process has servers
 *
 * Return: whether one has not left its call yet
 */
bool serve_interrupt(bool *used)
{
	bool more = false;
	unsigned int i;

	for (i = 0; i < servers_top; i++) {
		struct server *s = &servers[i];
		struct share_link *link;

		if (!__atomic_load_n(&s->runs, __ATOMIC_SEQ_CST))
			continue;
		used[s->process] = true;
		link = server_link(s);
		if (!s->gone &&
		    (!(__atomic_load_n(&link->word, __ATOMIC_SEQ_CST) &
		       FUTEX_WAITERS) ||
		     link->interrupt != link->number))
			continue;
		more = true;
		lkl_kernel_call(lkl_share_interrupt, &s->kernel);
	}
	return more;
}
