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

static struct share_process *process_by_pid(int pid)
{
	int i;

	for (i = 0; i < share_top; i++)
		if (share_processes[i].area &&
		    share_processes[i].files.pid == pid)
			return &share_processes[i];
	return NULL;
}

/**
 * serve_tells - does what comes with a signal tell of a file?
 * @info: LKL_SIGINFO_SIZE bytes of it, or NULL
 */
bool serve_tells(const void *info)
{
	int code = info ? ((const siginfo_t *)info)->si_code : 0;

	return code >= POLL_IN && code <= POLL_HUP;
}

/**
 * serve_send - send a signal about a file to a process of the host
 * @pid: the process
 * @tid: its thread, or 0
 * @sig: the signal
 * @info: LKL_SIGINFO_SIZE bytes of what comes with it, or NULL
 */
void serve_send(int pid, int tid, int sig, const void *info)
{
	siginfo_t all = { 0 };
	long err = -EINVAL;

	if (serve_tells(info)) {
		copy(&all, info, LKL_SIGINFO_SIZE);
		all.si_code = SI_SIGIO;
		err = tid ? own_call4(SYS_rt_tgsigqueueinfo, pid, tid, sig,
				      &all)
			  : own_call3(SYS_rt_sigqueueinfo, pid, sig, &all);
	}
	if (err && tid)
		own_call3(SYS_tgkill, pid, tid, sig);
	else if (err)
		own_call3(SYS_kill, pid, sig, 0);
}

/**
 * serve_signal - the library's kernel sends a signal about a file
 * @tid: number of the thread that it is for, or of a process, negative; 0 is
 *	process 1
 * @sig: the signal
 * @info: LKL_SIGINFO_SIZE bytes of what comes with it, or NULL
 *
 * Return: whether that is a server, or a process with some: then the process or
 *	its thread has the signal
 */
bool serve_signal(int tid, int sig, const void *info)
{
	struct server *s = tid > 0 ? server_by_tid(tid) : NULL;
	struct share_process *p;
	int thread = 0;

	if (s)
		p = &share_processes[s->process];
	else if (tid < 0)
		p = tid > INT_MIN ? process_by_pid(-tid) : NULL;
	else if (share_apart)
		/* Of its threads it has but the first one, by the same number.
		 */
		p = share_former >= 0 ? &share_processes[share_former] : NULL;
	else
		return false;
	/*
	 * It could be a program with more rights by now, or another process.
	 * With a filter there is no looking.
	 */
	if (!p || p->files.pid <= 0 || p->gone || numbers_is_sandboxed() ||
	    !cred_is_of_user(p->files.pid, p->user))
		return true;
	if (s)
		thread =
			__atomic_load_n(&server_link(s)->tid, __ATOMIC_RELAXED);
	serve_send(p->files.pid, thread > 0 ? thread : 0, sig, info);
	return true;
}

/**
 * serve_thread - who makes the calls of another process's thread
 * @process: number of the process
 * @tid: number of the thread, as it says
 *
 * Return: number of a thread of this process, or 0
 */
int serve_thread(int process, int tid)
{
	unsigned int i;

	for (i = 0; i < servers_top && tid > 0; i++)
		if (__atomic_load_n(&servers[i].runs, __ATOMIC_SEQ_CST) &&
		    servers[i].process == process &&
		    server_link(&servers[i])->tid == tid)
			return servers[i].tid;
	return 0;
}

/**
 * serve_thread_of - the other way round
 * @process: number of the process
 * @tid: number of a thread of this process
 *
 * Return: number of a thread of that process, as it says, or 0
 */
int serve_thread_of(int process, int tid)
{
	struct server *s = server_by_tid(tid);

	return s && s->process == process ? server_link(s)->tid : 0;
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
