/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests to files of the library (aio.c), and how they end (aio-request.c).
 */
#ifndef HIJACK_AIO_H
#define HIJACK_AIO_H

#include "internal.h"

struct aio_request;

/*
 * One that nothing ends yet; NULL if there is no room.  @ctx, @user, @data: how
 * the program tells it from others.
 */
struct aio_request *aio_take(long ctx, long user, uint64_t data);
/* The eventfd that the host polls in its place. */
long aio_event(struct aio_request *r);
/* The host does not. */
void aio_drop(struct aio_request *r);
/* It ends when a file has one of some events. */
void aio_await(struct aio_request *r, long kfd, short events);
/* It ends. */
void aio_done(struct aio_request *r, long res);
/*
 * The program is given an event.  Returns whether it is of one of these, and
 * its result, unless it was cancelled.
 */
bool aio_result(long ctx, long user, uint64_t data, __s64 *res);
/* A context is no more. */
void aio_forget(long ctx);

/* There have been some. */
extern bool aio_used;

static inline bool aio_is_used(void)
{
	return __atomic_load_n(&aio_used, __ATOMIC_ACQUIRE);
}

#endif /* HIJACK_AIO_H */
