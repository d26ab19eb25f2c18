/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files have in common that wait: wait.c, poll.c, select.c, epoll*.c.
 */
#ifndef HIJACK_WAIT_H
#define HIJACK_WAIT_H

#include <poll.h>
#include <sys/epoll.h>
#include <time.h>

#include "share.h"

/* The kernel's size of a signal mask. */
#define MASK_SIZE 8

/*
 * Events: eventfds that wake a thread which sleeps in the host (wait.c)
 */

/* A new one, or a negative error number. */
long event_new(void);
/* Wake. */
void event_ring(int fd);
/* Forget that it was rung. */
void event_quiet(int fd);

/* Run one of a watch's functions (asm/watch.h). */
long watch_call(long (*fn)(void *), struct lkl_watch *watch);

/*
 * A deadline from a time to wait, none if that is negative.  0 is "do not
 * wait", and also the deadline of a caller that does not know any.
 */
struct deadline {
	bool forever;
	unsigned long long at;
};

struct deadline deadline_in(const struct timespec *time);
/* Time that is left; NULL for ever. */
struct timespec *time_left(const struct deadline *d, struct timespec *left);

static inline bool bad_time(const struct timespec *t)
{
	return t && (t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec > 999999999);
}

/* The kernel tells how much of the time is left. */
static inline void store_left(struct timespec *time,
			      const struct deadline *deadline)
{
	if (time)
		time_left(deadline, time);
}

/* poll() of files of both sides (poll.c). */
long poll_both(struct pollfd *fds, unsigned long n, const struct timespec *time,
	       const void *mask);

/*
 * Epolls (epoll.c)
 */

/* States of a shadow. */
enum { EPOLL_PLAIN, EPOLL_CHANGING, EPOLL_SHADOW };

#define EPOLLS 4096

/* Those of forked processes come after them, in the shared memory. */
extern struct epoll epolls[EPOLLS];
/* There have been none beyond. */
extern unsigned int epolls_top;

static inline struct epoll *to_epoll(uint32_t word)
{
	unsigned int n = fd_number(word);

	return likely(n < EPOLLS) ? &epolls[n] : &share->epoll[n - EPOLLS];
}

/* A free slot, with a reference; NULL if there is none. */
struct epoll *epoll_take(struct epoll *slots, unsigned int n,
			 unsigned int *top);
/* One of this process's. */
struct epoll *epoll_take_own(void);
void epoll_free(struct epoll *e);
uint32_t epoll_word(struct epoll *e);
/* Somebody waits for the epoll itself: its event must tell the truth. */
void epoll_nest(uint32_t word);
/* Does the shadow have something? */
bool epoll_is_ready(struct epoll *e);
/* Wake one of the threads that sleep in it. */
void epoll_ring(struct epoll *e, int event);

#endif /* HIJACK_WAIT_H */
