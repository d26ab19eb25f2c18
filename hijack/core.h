/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The core of the interception: what becomes of a program's system calls.
 *
 * A way in (preload.c, run/) brings the program's system calls here; the core
 * decides for each whether it is the library's or the host's, and makes it.
 * What a way in does:
 *
 *   hijack_start()   before the program's first instruction: reads the
 *                    configuration, boots, configures; all or nothing
 *   hijack_syscall() for each system call of the program, but those that return
 *                    on another stack, twice on one, or not at all: clone(),
 *                    clone3(), vfork() and rt_sigreturn() the way in makes
 * itself host_syscall()   is the way in's own: all host calls that the core
 * makes for the program go through it
 *
 * hijack_syscall() and what it calls use no errno, no malloc and no lock that
 * the program could hold, and can be called from a signal handler.  Each thread
 * that calls it has thread-local storage of the core's C library: the program's
 * own where that is the same, else the way in sees to it.
 */
#ifndef HIJACK_CORE_H
#define HIJACK_CORE_H

#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>

/**
 * hijack_start - make everything ready for the program
 * @name: what messages begin with, as "lkl-run"
 *
 * Uses libc, on the thread that will run the program.  Creates the library's
 * threads.  On failure one line is on stderr, and the program must not start.
 *
 * Return: 0 or a negative error number
 */
int hijack_start(const char *name);

/**
 * hijack_boot - have a kernel, in the middle of a call
 *
 * The way in sets it, before hijack_start(), to a function that saves what the
 * program's registers have and calls hijack_boot_now().
 *
 * Return: 0 or a negative error number
 */
extern int (*hijack_boot)(void);

/*
 * Have the kernel be in a process of its own, if it can be, in the middle of a
 * call, as with hijack_boot(); what the way in calls there.
 */
extern void (*hijack_apart)(void);
void apart_begin(void);
int hijack_boot_now(void);

/**
 * hijack_syscall - make one system call of the program
 * @nr: number, as in the program's RAX
 * @arg: RDI, RSI, RDX, R10, R8, R9
 *
 * Return: what belongs into RAX: a value or a negative error number
 */
long hijack_syscall(long nr, const long arg[6]);

/* What a program's handler is told of a signal about a file. */
void hijack_see_signal(siginfo_t *info);

/*
 * Does the call end with EINTR after any handler, whatever SA_RESTART says?
 * See signal(7).
 */
static inline bool hijack_never_restarts(long nr)
{
	switch (nr) {
	case SYS_poll:
	case SYS_ppoll:
	case SYS_select:
	case SYS_pselect6:
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
	case SYS_pause:
	case SYS_rt_sigsuspend:
	case SYS_rt_sigtimedwait:
	case SYS_msgsnd:
	case SYS_msgrcv:
	case SYS_semop:
	case SYS_semtimedop:
	case SYS_io_getevents:
		return true;
	default:
		return false;
	}
}

/**
 * host_syscall - make a system call of the host
 *
 * As syscall(), but returns negative error numbers, and clobbers nothing but
 * what a system call does.
 */
long host_syscall(long nr, long a, long b, long c, long d, long e, long f);

/**
 * host_wait_syscall - make a system call of the host that may sleep
 *
 * As host_syscall(), but with -EINTR if a signal waits for the end of the
 * program's call, as it may do when it came in a call of the library.
 */
long host_wait_syscall(long nr, long a, long b, long c, long d, long e, long f);

/**
 * hijack_thread_exit - the calling thread of the program ends
 *
 * The core itself notices an exit(); this is for a way in that does not let it
 * see that.
 */
void hijack_thread_exit(void);

/* Has the program ever had sockets of the library, or has it files of its? */
bool hijack_has_sockets(void);

/*
 * Is this the child of a vfork()?  It shares its parent's memory, and so all
 * our tables, but has descriptors and signal handlers of its own.
 */
bool hijack_in_vfork(void);

/**
 * hijack_before_fork - the program is about to make a process, not a thread
 *
 * A program that has no descriptor of the library's kernel by then is taken for
 * a launcher, like a shell: its kernel and its devices make room for those of
 * the programs it starts.  If it comes to need a kernel, it boots again.
 *
 * Uses libc.
 */
void hijack_before_fork(void);

/**
 * hijack_fork_netns - the process that is made next gets a new network
 * namespace
 *
 * hijack_fork_begin() follows on the same thread.  The host's call must not be
 * told to make a namespace of its network.
 *
 * Return: 0 or a negative error number
 */
long hijack_fork_netns(void);

/**
 * hijack_fork_begin - a process is made now
 * @shares: which has the program's memory, until it executes something, and the
 *	calling thread sleeps until then
 *
 * If there is a kernel, the process will go on using it, by this one.
 * hijack_fork_end() follows on the same thread, in both processes; after one
 * that shares the memory in this one only, at the latest with the thread's next
 * call.
 *
 * Return: 0; a negative error number if the process would not have the network
 * namespace that it is to have: then it must not be made, and hijack_fork_end()
 * must not follow
 */
long hijack_fork_begin(bool shares);

/**
 * hijack_fork_end - it has been made
 * @pid: what the host's call returned
 */
void hijack_fork_end(long pid);

/**
 * hijack_vfork_syscall - make a call of a process that shares the program's
 *	memory
 * @nr: number
 * @arg: arguments
 *
 * All its calls are the host's, but its descriptors are looked after.
 * hijack_syscall() comes here by itself.
 */
long hijack_vfork_syscall(long nr, const long arg[6]);

/**
 * hijack_heir_begin - a program without other threads forks now, and may end
 *	next: be ready to give the kernel to the child
 *
 * hijack_fork_begin() follows on the same thread, for a copy of the process,
 * and after hijack_fork_end() one of the other two.  Signals are blocked
 * meanwhile.  All of them use libc: the program's calls in between do not.
 */
void hijack_heir_begin(void);

/* In the parent, or when the fork has failed. */
void hijack_heir_parent(void);

/* In the child: waits until it is known whether it has the kernel. */
void hijack_heir_child(void);

/**
 * hijack_exec_size - how many strings a program's environment will have
 * @given: how many it is to have
 *
 * Return: the number, with the NULL behind them
 */
long hijack_exec_size(long given);

/**
 * hijack_exec_begin - the program is about to execute another one
 * @known: it is a program; else the host will most likely refuse it
 * @args: the program's pointer to its arguments
 * @env: its pointer to the environment that it is to have
 * @given: the number of strings in that
 * @to: the environment that it gets: room for hijack_exec_size() pointers
 * @text: HIJACK_EXEC_TEXT bytes
 *
 * The new program has the same configuration; if this one uses another's
 * kernel, or is the child of a vfork() of one that has a kernel, so does the
 * new one. It begins with hijack_start().
 *
 * Return: the number of strings, or a negative error number.  If the host's
 * call fails, hijack_exec_end() is to be called
 */
long hijack_exec_begin(bool known, long args, long env, long given, char **to,
		       char *text);
void hijack_exec_end(void);
#define HIJACK_EXEC_TEXT 8192

/* Is the call one that no program may make? */
bool hijack_is_refused(long nr);

/* The library's wait operation, for threads of the program. */
int hijack_wait(int *word, int val, unsigned long long deadline);

/* Say that a program is not executed, as it would be on the host's network. */
void hijack_refuse(const char *path, const char *why);

/*
 * The program's filters for system calls (filter.c).  Once hijack_filtered is
 * true a way in has each call judged before it does anything else about it.
 */
extern bool hijack_filtered;

/**
 * struct hijack_judgement - what becomes of a call
 *
 * @verdict: it is made; returns @value; is the host's, which asks another
 *	process about it; raises SIGSYS with @value; or ends the thread, in the
 *	mode with four calls by SIGKILL, or the process
 */
struct hijack_judgement {
	enum {
		HIJACK_PASS,
		HIJACK_RETURN,
		HIJACK_ASK,
		HIJACK_TRAP,
		HIJACK_KILL_STRICT,
		HIJACK_KILL_THREAD,
		HIJACK_KILL_PROCESS,
	} verdict;
	long value;
};

/**
 * hijack_judge - have the calling thread's filters judge a call
 * @nr: number
 * @arg: arguments
 * @ip: address behind the program's instruction
 */
struct hijack_judgement hijack_judge(long nr, const long arg[6],
				     unsigned long ip);

/* The calling thread's filters, for hijack_filter_inherit(). */
const void *hijack_filter(void);

/**
 * hijack_filter_inherit - give filters to a new thread
 * @thread_pointer: where its thread-local storage is
 * @filter: those of the thread that makes it
 */
void hijack_filter_inherit(void *thread_pointer, const void *filter);

/**
 * struct hijack_netns - the network namespace that a new thread begins in
 * @ns: reference to it
 * @link: the thread's link, if another process has the kernel
 * @eventfd: what wakes it, + 1
 */
struct hijack_netns {
	void *ns;
	struct share_link *link;
	int eventfd;
};

/**
 * hijack_netns_pass - the calling thread makes another one
 * @n: what to give to that
 *
 * Return: 0 or a negative error number, and then the thread must not be made
 */
long hijack_netns_pass(struct hijack_netns *n);

/**
 * hijack_netns_inherit - give it to the new thread
 * @thread_pointer: where its thread-local storage is
 * @n: what hijack_netns_pass() has made ready
 */
void hijack_netns_inherit(void *thread_pointer, const struct hijack_netns *n);

/* The thread has not been made. */
void hijack_netns_drop(const struct hijack_netns *n);

/* A signal has come by which the thread is to do something (each.c). */
bool hijack_each_signal(int sig, const siginfo_t *info);

/* Do so; on the thread's own stack and thread-local storage. */
void hijack_each_take(void);

/*
 * Have threads of the program do something: all but the calling one, which is
 * between each_begin(), what that returned, and each_end().  each_other()
 * returns 0 or the first error of @fn, and the thread it is of.
 */
long each_begin(void);
long each_other(long dir, long (*fn)(void *arg), void *arg, long *failed);
void each_end(long dir);
/* Of an entry that getdents64() has made: its length, and the number it names. */
long each_length(const char *entry);
long each_number(const char *entry);

/**
 * struct hijack_code - what the host is to do about calls from some place
 *
 * @start: the lowest address behind an instruction
 * @end: behind the highest
 * @kind: the calls that the library needs are let through; all are, as
 *	something else sees to them; they are made to ask another process; or to
 *	end the thread or the process
 */
struct hijack_code {
	unsigned long start, end;
	enum {
		HIJACK_CODE_OURS,
		HIJACK_CODE_ALL,
		HIJACK_CODE_ASK,
		HIJACK_CODE_KILL_THREAD,
		HIJACK_CODE_KILL_PROCESS,
	} kind;
};

#define HIJACK_CODES 16

/**
 * hijack_codes - what code calls come from; the way in's own
 * @code: where to put it: room for HIJACK_CODES.  The first that fits counts
 *
 * Return: the number
 */
int hijack_codes(struct hijack_code *code);

/* The signal by which the library's own threads follow the program (own.c). */
#define HIJACK_OWN_SIGNAL 33
bool hijack_own_signal(int sig, const siginfo_t *info);

#endif /* HIJACK_CORE_H */
