/* SPDX-License-Identifier: GPL-2.0-only */
/* What the host is by Linux, beside what it is by POSIX. */
#ifndef LKL_LINUX_H
#define LKL_LINUX_H

#include <sys/syscall.h>

#include "../posix/posix.h"
#include "x86/syscall.h"

/* The kernel's size of a signal mask. */
#define SIGNAL_SIZE 8

/* The operation relax of the host. */
static inline void linux_relax(void)
{
	raw_syscall(__NR_sched_yield, 0, 0, 0, 0, 0, 0);
}

/**
 * struct linux_ram - the RAM of the library's kernel
 * @addr: where it is mapped
 * @size: how much there is; 0 while no kernel runs
 * @fd: memory file that it is, which cannot shrink
 */
extern struct linux_ram {
	unsigned long addr;
	unsigned long size;
	int fd;
} linux_ram;

/*
 * Would the host put what has no address among what the library's kernel has, if
 * that had its RAM at @addr?
 */
bool linux_maps_near(unsigned long addr);

/* Where it has its RAM then is higher by a multiple of this: asm/layout.h */
#define LINUX_NEXT_RAM 0x080000000000UL

/* A memory file of @size bytes, which others map and need to keep its size; its
 * descriptor or a negative error number. */
int linux_memory(const char *name, unsigned long size);

/* The operations cpus and processors of the host. */
int linux_cpus(void);
int linux_processors(void);

/* The operation wipe_on_fork of the host. */
int linux_wipe_on_fork(void *addr, unsigned long size);

/**
 * linux_inherit - have a forked process inherit the kernel's memory, or not
 * @inherit: which
 */
void linux_inherit(bool inherit);

/* The same for what host_wiped_memory() has returned. */
void linux_inherit_wiped(void *p, bool inherit);

/* Be as in a forked process, which does not. */
void linux_wipe(void);

/* The host kernel's struct sigaction. */
struct host_sigaction {
	unsigned long handler;
	unsigned long flags;
	void *restorer;
	unsigned long mask;
};

/**
 * struct listen_source - what a listener receives from
 * @fd: descriptor that is readable when there is something
 * @edge: it tells of what is new, and remains readable; for eventfds, which
 *	then need not be read
 * @failed: the host says that it is in an error, or has hung up
 * @look: is there something?  Without a call of the host; NULL if only that
 *	knows.  If @again, it will be asked again, and @fd need not become readable
 *	until it was asked without, or all was received
 * @receive: receives it; runs on the path of a system call, and never twice at
 *	once
 */
struct listen_source {
	int fd;
	bool edge;
	bool failed;
	bool (*look)(struct listen_source *source, bool again);
	void (*receive)(struct listen_source *source);
};

/**
 * listen_add - have listeners receive, too
 * @source: the source; a thread that watches the descriptor itself, with
 *	EPOLLEXCLUSIVE, must begin after this
 *
 * Return: whether they can
 */
bool listen_add(struct listen_source *source);

/**
 * listen_pause - in receive(): do not watch the source before listen_resume()
 * @source: it remains readable, and another thread has to receive
 */
void listen_pause(struct listen_source *source);
void listen_resume(struct listen_source *source);

/* The end of that: receive() does not run any more. */
void listen_remove(struct listen_source *source);

/* The kernel goes on in this process: its parent's listener is not here. */
void listen_forked(void);

/* Operations of the host; the last wakes a listener that waits for @word. */
int listen_begin(void);
int listen_wait(int *word, int val, unsigned long long deadline,
		struct lkl_signals *signals);
bool listen_wake(int *word);

/**
 * lkl_listen_begin - become the listener before a wait in an epoll
 * @epoll: the epoll, in which nothing is ready yet that the thread waits for
 *
 * Return: whether that is so; then lkl_listen_end() must follow
 */
bool lkl_listen_begin(int epoll);

/* Receive what there is, if no thread listens. */
void lkl_listen_now(void);

/**
 * lkl_listen_wait - wait until the epoll has something, or something was
 * received
 * @time: for how long at most, or NULL
 *
 * Return: 1 in the first case, else 0, or a negative error number
 */
long lkl_listen_wait(const struct timespec *time);

/* How listeners sleep: a system call of the host, raw_syscall() by default. */
extern long (*lkl_listen_syscall)(long nr, long a, long b, long c, long d,
				  long e, long f);

/* Receive what there is, and let others listen. */
void lkl_listen_end(void);

/* An epoll is going to be closed. */
void lkl_listen_forget(int epoll);

/* Operation of the host. */
long linux_gettid(void);

#endif /* LKL_LINUX_H */
