/* SPDX-License-Identifier: GPL-2.0-only */
/* The threads that make calls of other processes; serve.c tells more. */
#ifndef HIJACK_SERVER_H
#define HIJACK_SERVER_H

#include <linux/futex.h>

#include "child.h"

/**
 * struct server - a thread, and the link it serves
 * @handle: the thread, until it has been joined
 * @runs: it has not ended
 * @ending: it is about to, and does nothing for the link any more
 * @left: it has left
 * @tid: number of it
 * @raised: a signal that its call has raised, or 0
 * @process: the process that has the link
 * @index: which, of that process
 * @window: of the link
 * @gone: the process has ended
 * @bell: its thread's eventfd
 * @number: of the call that is being made
 * @creds: how often the process had changed its credentials when it was told
 * @watch: of the thread's poll()
 * @watching: it is in use
 * @files: for @watch; MAX_FILES, or NULL
 * @kernel: as the library's kernel knows the thread
 * @next: network namespace for a process that the thread forks, or NULL
 * @robust: the host finds the link's futex by it when the thread ends
 */
struct server {
	lkl_thread_t handle;
	bool runs, ending, left;
	int tid, raised;
	int process;
	unsigned int index;
	char *window;
	int gone;
	long bell;
	unsigned int number;
	unsigned int creds;
	struct lkl_watch watch;
	bool watching;
	struct lkl_watch_file *files;
	struct lkl_share_thread kernel;
	void *next;
	struct robust_list_head robust;
};

extern struct server servers[SHARE_LINKS];

/* There have been none beyond. */
extern unsigned int servers_top;

static inline struct share_link *server_link(const struct server *s)
{
	return &share_processes[s->process].area->link[s->index];
}

/* The process that it is a server of, as the host says, or 0. */
static inline int server_pid(const struct server *s)
{
	return share_processes[s->process].files.pid;
}

/* servers.c */
struct server *server_find(int process, unsigned int index);
struct server *server_by_tid(int tid);

/* serve-netns.c */
long serve_set_netns(struct server *s, const long *a);
void *serve_netns_of(int process, unsigned int from);

#endif /* HIJACK_SERVER_H */
