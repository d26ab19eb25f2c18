/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process that was forked (child.c) and the one that has the kernel
 * (owner.c) share.
 *
 * Each process has an area of memory in common with the owner, and with nobody
 * else.  A link in it carries the calls of one thread: it has a futex that both
 * sides wait on, the call, and a window for all that its arguments point to.
 * Besides each process has a socket, by which the owner learns of its end, and
 * of what a thread cannot say that waits for a call.
 *
 * The owner trusts nothing in the area: it takes numbers out of it, each once,
 * and no pointers: what a call's argument points to is said by its place in the
 * window (confine.c).
 */
#ifndef HIJACK_SHARE_H
#define HIJACK_SHARE_H

#include <limits.h>
#include <linux/futex.h>
#include <sys/socket.h>

#include <lkl/asm/share.h>

#include "internal.h"

/* How many there can be at a time; of links and epolls, in one process. */
#define SHARE_PROCESSES 1024
#define SHARE_LINKS 1024
#define SHARE_EPOLLS 1024

/* The data of a call, and before it what else its arguments point to. */
#define SHARE_DATA (128 * 1024)
#define SHARE_HEAD (16 * 1024)
#define SHARE_WINDOW (SHARE_HEAD + SHARE_DATA)

/* Calls that are no system calls. */
enum {
	SHARE_WATCH =
		-1, /* arg[0]: SHARE_START or SHARE_STOP; how many files */
	/* arg[0]: SHARE_START or SHARE_STOP; index, file; events, for once */
	SHARE_EPOLL = -2,
	SHARE_END = -3, /* the thread ends */
	SHARE_INODE = -4, /* arg[0]: a socket; the host's, whose inode it has */
	SHARE_PARK = -5, /* arg[0]: a file to hold; a token */
	SHARE_CLAIM = -6, /* arg[0]: a token, to have such a file */
	SHARE_NETNS = -7, /* arg[0]: SHARE_NEW or SHARE_FOLLOW */
	SHARE_ASYNC = -8, /* arg[0]: a file; F_SETOWN and so on, its argument */
	SHARE_COPIED =
		-9, /* arg[0]: a file; all of MSG_ZEROCOPY has been sent */
	SHARE_LAST = SHARE_COPIED,
};

/* What SHARE_ASYNC says instead of the asking process's number. */
#define SHARE_ME INT_MAX

/*
 * The next process gets a new namespace; new threads begin where this one is;
 * open that of another process.
 */
enum { SHARE_NEW, SHARE_FOLLOW, SHARE_OTHER };

enum { SHARE_START, SHARE_STOP };

/* By what the keeper knows what it hears from, beside processes (owner.c). */
enum {
	SHARE_LISTENER = SHARE_PROCESSES,
	SHARE_CANDIDATE, /* and more of them */
	SHARE_CANDIDATES = 16,
	SHARE_PARCEL = SHARE_CANDIDATE + SHARE_CANDIDATES, /* and so on */
	SHARE_PARCELS = 1024,
	SHARE_LEAVE = SHARE_PARCEL + SHARE_PARCELS,
};

/* Nothing is at the beginning of the window: 0 is NULL. */
#define SHARE_FIRST 16

/* No socket has a longer address, and no message more control data. */
#define SHARE_NAME 256
#define SHARE_CONTROL (SHARE_HEAD - 1024)

/**
 * struct share_head - what a message has beside its data, in the window
 * @name_len: length of @name; 0 without one
 * @control_len: length of @control; 0 without any
 * @flags: as recvmsg() tells them
 */
struct share_head {
	unsigned int name_len, control_len, flags;
	char name[SHARE_NAME];
	char control[SHARE_CONTROL] __attribute__((aligned(16)));
};

_Static_assert(sizeof(struct share_head) <= SHARE_HEAD - SHARE_FIRST,
	       "the head has no room");

/**
 * struct share_link - the calls of one thread
 *
 * @word: 0 until there is a server; then its thread's number, with
 *	FUTEX_WAITERS while it has a call to make.  The host replaces it by
 *	FUTEX_OWNER_DIED when the server ends, as it does with robust mutexes.
 *	When the kernel moves to another process, that has another server; in
 *	between it is 0, or FUTEX_WAITERS alone
 * @used: a thread has it
 * @tid: number of the thread, from its first call on
 * @nr: system call, or SHARE_*
 * @arg: its arguments; instead of a pointer, a place in the window, or 0
 * @ret: result
 * @raised: a signal that the call has raised beside its error, or 0
 * @number: of the call, for
 * @interrupt: the number of one that is to end with -EINTR
 */
struct share_link {
	uint32_t word;
	int used, tid;
	long nr, arg[6], ret;
	int raised;
	unsigned int number, interrupt;
};

/**
 * struct epoll - an epoll of the host, and its shadow
 * @watch: on the shadow
 * @file: for @watch
 * @users: descriptors that stand for it, and threads that sleep in it, which
 *	are counted a second time in the upper half; 0 is a free slot
 * @state: EPOLL_*
 * @event: the eventfd
 * @bell: the same, in the process that has the kernel; in an area: whether
 *	that has it, or -1 as long as it is not known
 * @self: a descriptor of ours for the epoll
 * @tag: what the host's epoll knows @event by
 * @rung: the event has been written to, and has not been read yet
 * @nested: it is waited for as a file
 * @streak: times that the host's files were not looked at
 * @awake: the last look at the shadow found something
 * @process: it is in the area
 * @forked: other processes have it, too, and it is not known whether they sleep
 * @borrowed: it was made by another process, which has the watch
 * @stand_in: in the area, for one that is older than that: the owner always
 *	rings its eventfd; NULL for others
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
	struct epoll *stand_in;
};

/* What nobody guesses. */
struct share_token {
	uint64_t half[2];
};

/**
 * struct share_message - what a process says by its socket, and is answered
 *
 * @what: SHARE_*
 * @index: of the link or epoll; of the process that SHARE_READY is about; with
 *	SHARE_FORK and SHARE_ADOPT as @from
 * @from: with SHARE_OPEN, 0 or the link + 1 of a thread in whose network
 *	namespace it begins
 * @token: with SHARE_JOIN, the family's secret; with SHARE_CARRIER, the
 * parcel's
 */
struct share_message {
	enum {
		SHARE_OPEN, /* serve this link; with its eventfd */
		SHARE_INTERRUPT, /* end this link's call */
		SHARE_BELL, /* have this epoll's eventfd */
		SHARE_FORK, /* have another process; with its socket */
		SHARE_JOIN, /* be of the family (family.c) */
		SHARE_READY, /* it is there; with its area */
		SHARE_CRED, /* this process is somebody else now */
		SHARE_WAITS, /* @index: it waits for a process, or not any more
			      */
		SHARE_CARRIER, /* have the other end of this parcel's carrier */
		SHARE_ADOPT, /* this process has executed another program */
		SHARE_BYE, /* it ends, and so does a kernel without a program */
	} what;
	int index, from;
	struct share_token token;
};

/**
 * struct share - the area of a process
 *
 * @adopted: the program before it is forgotten
 * @creds: how often the owner has read its credentials
 * @apart: the owner runs no program
 * @epolls_top: there have been no epolls beyond
 */
struct share {
	uint32_t adopted, creds, apart;
	unsigned int epolls_top;
	struct share_link link[SHARE_LINKS];
	struct epoll epoll[SHARE_EPOLLS];
	char data[SHARE_LINKS][SHARE_WINDOW] __attribute__((aligned(4096)));
};

/* This process's, if it is another's child, and the descriptor of it. */
extern struct share *share;
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

/* child.c: held while descriptors are open that a child is not to inherit */
void share_lock(void);
void share_unlock(void);

/* message.c */
long share_send(long socket, int what, int index, long fd);
long share_send_message(long socket, struct share_message *message, long fd);
long share_receive(long socket, struct share_message *message, long *fd,
		   struct ucred *who, int flags);
struct share *share_map(long fd);

/* epoll.c, epoll-fork.c */
void wait_notify(struct lkl_watch *watch);
void epoll_ring(struct epoll *e, int event);
void wait_alone(void);

/* serve.c, servers.c: the owner's threads that make calls */
void serve_link(int process, unsigned int index, long bell,
		const struct ucred *who, unsigned int from);
void *serve_netns(int process, unsigned int from);
void serve_follow(int process, unsigned int from);
long serve_open_netns(long pid);
void serve_end(int process);
bool serve_interrupt(bool *used);
bool serve_raise(int tid, int sig);
bool serve_signal(int tid, int sig, const void *info);
bool serve_tells(const void *info);
void serve_send(int pid, int tid, int sig, const void *info);
int serve_thread(int process, int tid);
int serve_thread_of(int process, int tid);
void serve_leave(void);
void serve_return(bool able);

/* inode.c: SHARE_INODE */
long inode_name(int pid, const long *a);

/* groups.c: process groups that own files */
long groups_own(long kfd, int group, unsigned int user);
int groups_find(int number, unsigned int *user);
void groups_signal(int group, unsigned int user, int sig, const void *info);

/* async.c: SHARE_ASYNC */
long async_serve(int process, const long *a);

/* bells.c */
void bells_add(int process, unsigned int index, long fd);
long bells_watch(int process, const long *a);
void bells_end(int process);

/* owner.c */
int share_take_process(long fd, int from, void *ns);
void share_admit(long fd, int pid);
bool share_serves(void);
bool share_used(bool forked);
bool share_has_forked(void);
bool share_is_last(int index);
long share_hear_from(long fd, unsigned int id);
void share_hear_no_more(long fd);
struct share_process;
void owner_free_process(struct share_process *p);
void owner_no_more_joined(struct share_process *p);
void owner_waits(struct share_process *p, bool does, int pid);
void owner_look_at(struct share_process *p, int pid);
int share_number(int pid);
int share_host_pid(int number);

/* There have been no processes beyond. */
extern int share_top;
/* How many have joined: a futex. */
extern uint32_t share_joined;
/* How many have left: a futex. */
extern uint32_t share_left;
/* This process has a kernel, and runs no program. */
extern bool share_apart;
/*
 * Then, number of the process that process 1 of the kernel has become, which
 * has executed another program; or -1.
 */
extern int share_former;
/* What the keeper waits for; -1 before there is one. */
extern long share_events;

/* keeper.c */
void share_forked(void);
bool keeper_leave(void);
bool keeper_return(void);

/* outlive.c: the kernel goes on when its program ends */
bool outlive(void);
void outlive_exec(void);
void outlive_program(void);
void outlive_inherit(int advice);
void outlive_serve(void);

/* heir.c: the program forks and ends at once */
void heir_none(void);
bool heir_begun(void);
void heir_forked(struct hijack_thread *t, long pid);
void heir_settle(void);
bool heir_pass(void);

/* admit.c: relatives that want to use this process's kernel */
void admit_hear(unsigned int id);

/* family.c */
bool family_knows(const struct share_token *secret);

/**
 * struct share_process - a process as the owner knows it
 *
 * @fd: our end of its socket, + 1; 0 when there is none
 * @gone: it has ended, but not all of its servers
 * @waits: it waits for the end of another one
 * @joined: neither it nor a process that forked it was forked by this one
 * @files: its process of the library's kernel
 * @user: whose it was, as the host said when it last had a link
 * @creds: how often that has changed
 * @area: its area
 */
struct share_process {
	long fd;
	bool gone, joined, waits;
	struct lkl_share files;
	unsigned int user, creds;
	struct share *area;
};

extern struct share_process share_processes[SHARE_PROCESSES];

#endif /* HIJACK_SHARE_H */
