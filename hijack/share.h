/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process that was forked (child.c) and the one that has the kernel
 * (owner.c) share.
 *
 * All is in one area of memory, which is at the same address in all of them.  A
 * link carries the calls of one thread: it has a futex that both sides wait on,
 * the call, and room for the data. Besides each process has a socket, by which
 * the owner learns of its end, and of what a thread cannot say that waits for a
 * call.
 */
#ifndef HIJACK_SHARE_H
#define HIJACK_SHARE_H

#include <linux/futex.h>

#include "internal.h"

/* How many there can be at a time. */
#define SHARE_PROCESSES 1024
#define SHARE_LINKS 1024
#define SHARE_EPOLLS 1024

/* The data of a call, and before it what else its arguments point to. */
#define SHARE_DATA (128 * 1024)
#define SHARE_HEAD (16 * 1024)

/* Calls that are no system calls. */
enum {
	SHARE_WATCH =
		-1, /* arg[0]: start, always, or stop; arg[1]: the watch */
	SHARE_FORGET = -2, /* close a descriptor of the owner's */
	SHARE_END = -3, /* the thread ends */
};

/**
 * struct share_link - the calls of one thread
 *
 * @word: 0 until there is a server; then its thread's number, with
 *	FUTEX_WAITERS while it has a call to make.  The host replaces it by
 *	FUTEX_OWNER_DIED when the server ends, as it does with robust mutexes
 * @robust: by which it finds @word
 * @process: whose it is, + 1; 0 is free
 * @nr: system call, or SHARE_*
 * @arg: its arguments
 * @ret: result
 * @number: of the call, for
 * @interrupt: the number of one that is to end with -EINTR
 * @gone: the process has ended
 * @bell: the owner's descriptor of the thread's eventfd
 * @handle: the server, for lkl_share_interrupt()
 * @watch: of the thread's poll()
 */
struct share_link {
	uint32_t word;
	int process;
	void *robust;
	long nr, arg[6], ret;
	unsigned int number, interrupt;
	int gone;
	int bell;
	long handle;
	struct lkl_watch watch;
};

/**
 * struct epoll - an epoll of the host, and its shadow
 * @watch: on the shadow
 * @file: for @watch
 * @users: descriptors that stand for it, and threads that sleep in it, which
 *	are counted a second time in the upper half; 0 is a free slot
 * @state: EPOLL_*
 * @event: the eventfd
 * @bell: the same, in the process that has the kernel
 * @self: a descriptor of ours for the epoll
 * @tag: what the host's epoll knows @event by
 * @rung: the event has been written to, and nobody has noticed yet
 * @nested: it is waited for as a file
 * @streak: times that the host's files were not looked at
 * @awake: the last look at the shadow found something
 * @process: whose it is in the shared memory
 * @forked: other processes have it, too, and it is not known whether they sleep
 * @borrowed: it was made by another process, which has the watch
 */
struct epoll {
	struct lkl_watch watch;
	struct lkl_watch_file file;
	uint64_t users;
	int state;
	int event;
	int bell;
	int self;
	unsigned long tag;
	int rung;
	int nested;
	int streak;
	int awake;
	int process;
	bool forked, borrowed;
};

/* States of a process. */
enum { SHARE_FREE, SHARE_NEW, SHARE_READY, SHARE_FAILED, SHARE_GONE };

/**
 * struct share_message - what a process says by its socket
 *
 * @what: SHARE_*
 * @index: of the link, epoll or process
 */
struct share_message {
	enum {
		SHARE_OPEN, /* serve this link; with its eventfd */
		SHARE_INTERRUPT, /* end this link's call */
		SHARE_BELL, /* have this epoll's eventfd */
		SHARE_FORK, /* have another process; with its socket */
		SHARE_ADOPT, /* this process has executed another program */
	} what;
	int index;
};

struct share {
	int process[SHARE_PROCESSES];
	struct share_link link[SHARE_LINKS];
	struct epoll epoll[SHARE_EPOLLS];
	unsigned int epolls_top; /* there have been none beyond */
	char data[SHARE_LINKS][SHARE_HEAD + SHARE_DATA]
		__attribute__((aligned(4096)));
};

#define SHARE_BASE ((struct share *)0x10f000000000)

extern struct share *share;
/* Descriptor of the memory. */
extern long share_fd;

/* A futex of several processes; no signal of the program ends it. */
static inline void share_wake(void *word)
{
	raw_syscall(SYS_futex, (long)word, FUTEX_WAKE, 1, 0, 0, 0);
}

static inline void share_wait(void *word, uint32_t val,
			      const struct timespec *time)
{
	raw_syscall(SYS_futex, (long)word, FUTEX_WAIT, val, (long)time, 0, 0);
}

static inline void share_free_link(struct share_link *link)
{
	link->gone = 0;
	link->word = 0;
	__atomic_store_n(&link->process, 0, __ATOMIC_SEQ_CST);
}

/* child.c */
void share_lock(void);
void share_unlock(void);

/* epoll.c, epoll-fork.c */
void wait_notify(struct lkl_watch *watch);
void wait_set_bell(int index, long bell);
void wait_process_gone(int process, bool alone);

/* owner.c */
long share_map(void);
int share_take_process(int index, long fd, int from);
void share_close_processes(void);

#endif /* HIJACK_SHARE_H */
