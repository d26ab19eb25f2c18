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
/* Time that is left; NULL without a limit. */
struct timespec *time_left(const struct deadline *d, struct timespec *left);

static inline bool bad_time(const struct timespec *t)
{
	return t && (t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec > 999999999);
}

/*
 * Copy a time, or a signal mask; returns whether it is there, and right, or
 * NULL.
 */
static inline bool get_time(struct timespec *time, long user)
{
	return !user ||
	       (user_get(time, user, sizeof(*time)) && !bad_time(time));
}

static inline bool get_mask(unsigned long *mask, long user, long size)
{
	return !user || (size == MASK_SIZE && user_get(mask, user, MASK_SIZE));
}

/* The kernel tells how much of the time is left, unless that is constant. */
static inline void put_left(long user, const struct deadline *deadline)
{
	struct timespec left;

	if (user && time_left(deadline, &left))
		user_put(user, &left, sizeof(left));
}

/*
 * poll() of files of both sides (poll.c)
 */

/* What it needs room for: @n descriptors, and what is made of them. */
size_t poll_size(unsigned long n);
/* So much is on the stack, if it suffices; else there is a mapping, or NULL. */
#define POLL_STACK 4096
void *poll_room(void *stack, size_t size);
void poll_done(void *room, size_t size);
/* @fds are the first of that room. */
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

static inline struct epoll *to_epoll_of(struct share *area, uint32_t word)
{
	unsigned int n = fd_number(word);

	return likely(n < EPOLLS) ? &epolls[n] : &area->epoll[n - EPOLLS];
}

static inline struct epoll *to_epoll(uint32_t word)
{
	return to_epoll_of(share, word);
}

/* A sleeping thread in an epoll's @users. */
#define EPOLL_SLEEPER (1ULL << 32 | 1)

static inline bool epoll_has_shadow(struct epoll *e)
{
	return __atomic_load_n(&e->state, __ATOMIC_ACQUIRE) == EPOLL_SHADOW;
}

static inline unsigned int epoll_sleepers(struct epoll *e)
{
	return __atomic_load_n(&e->users, __ATOMIC_SEQ_CST) >> 32;
}

/* A free slot, with a reference; NULL if there is none. */
struct epoll *epoll_take(struct epoll *slots, unsigned int n,
			 unsigned int *top);
/* One of this process's. */
struct epoll *epoll_take_own(void);
/* Have a slot as it was before it was ever used, but for @users. */
void epoll_clear(struct epoll *e);
/* A descriptor (1) or a thread (EPOLL_SLEEPER) leaves; the last one closes. */
void epoll_leave(struct epoll *e, uint64_t user);
uint32_t epoll_word(struct epoll *e);
/* Somebody waits for the epoll itself: its event must tell the truth. */
void epoll_nest(uint32_t word);
/* How many there are of those, or more. */
extern unsigned int epolls_nested;
/* Have it, @fd or a duplicate, end a wait when the process that has the kernel
 * ends. */
void epoll_hear_end(struct epoll *e, long fd);
/* Have the events of nested epolls tell the truth now. */
void epoll_refresh(void);
/* Does the shadow have something? */
bool epoll_is_ready(struct epoll *e);

#endif /* HIJACK_WAIT_H */
