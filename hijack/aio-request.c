// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to files of the library, which the host knows as requests to poll an
 * eventfd (aio.c).
 *
 * To poll a file, its wait queue is watched, by the process that has the
 * kernel. A watch holds on to the file, as a request does: the program may
 * close it.
 *
 * A request is free again when the program has taken its event by a call.  If
 * the program takes events out of the ring itself, nobody says so: then the
 * requests that have ended are used again one after the other.
 */
#include <linux/aio_abi.h>
#include <poll.h>

#include "aio.h"
#include "wait.h"

/*
 * Nobody has it; the thread that submits it has it; the same, but the host's
 * has been cancelled; it is submitted.
 */
enum { FREE, TAKEN, CANCELLED, SUBMITTED };

/**
 * struct aio_request - a request
 * @state: one of the above
 * @ctx: context,
 * @user: address of the program's structure,
 * @data: and what is in that: how it is found
 * @event: the eventfd, + 1; 0 is none
 * @res: its result, if it is not to poll
 * @watch: on the file, if the kernel is here
 * @file: for @watch
 * @boot: number of the kernel
 * @bell: on the file, if it is not; else NULL
 */
static struct aio_request {
	int state;
	long ctx, user;
	uint64_t data;
	long event, res;
	struct lkl_watch watch;
	struct lkl_watch_file file;
	unsigned int boot;
	struct epoll *bell;
} requests[4096];

/* There have been none beyond; where to look for a free one. */
static unsigned int top, next;

bool aio_used;

static bool change(struct aio_request *r, int from, int to)
{
	return __atomic_compare_exchange_n(&r->state, &from, to, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* What the file was ready for, or 0. */
static short ready_for(const struct aio_request *r)
{
	return __atomic_load_n(r->bell ? &r->bell->file.revents
				       : &r->file.revents,
			       __ATOMIC_ACQUIRE);
}

static bool has_ended(const struct aio_request *r)
{
	return !r->file.events || ready_for(r);
}

static void stop(struct aio_request *r)
{
	if (r->bell) {
		watch_call(lkl_watch_stop, &r->bell->watch);
		epoll_leave(r->bell, 1);
	} else if (r->watch.entries && r->boot == lkl_kernel_boots()) {
		r->watch.count = 0;
		lkl_kernel_call(lkl_watch_stop, &r->watch);
	}
	if (r->event)
		fd_forget(r->event - 1);
	r->event = 0;
}

void aio_drop(struct aio_request *r)
{
	stop(r);
	/* Nobody finds it, until the next one is in its place. */
	__atomic_store_n(&r->user, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&r->state, FREE, __ATOMIC_RELEASE);
}

/* Have one that is free, or the oldest that has ended. */
static struct aio_request *find_free(void)
{
	const unsigned int all = array_size(requests);
	unsigned int i;

	for (i = 0; i < all; i++)
		if (requests[i].state == FREE &&
		    change(&requests[i], FREE, TAKEN))
			return &requests[i];
	for (i = 0; i < all; i++) {
		struct aio_request *r =
			&requests[__atomic_fetch_add(&next, 1,
						     __ATOMIC_RELAXED) %
				  all];

		if (!has_ended(r) || !change(r, SUBMITTED, TAKEN))
			continue;
		stop(r);
		r->user = 0;
		return r;
	}
	return NULL;
}

struct aio_request *aio_take(long ctx, long user, uint64_t data)
{
	struct aio_request *r = find_free();
	unsigned int n, old = top;
	long event;

	if (!r)
		return NULL;
	event = event_new();
	if (event < 0) {
		__atomic_store_n(&r->state, FREE, __ATOMIC_RELEASE);
		return NULL;
	}
	r->ctx = ctx;
	r->data = data;
	r->event = event + 1;
	r->file = (struct lkl_watch_file){ 0 };
	r->watch = (struct lkl_watch){ 0 };
	r->bell = NULL;
	__atomic_store_n(&r->user, user, __ATOMIC_RELEASE);
	n = r - requests + 1;
	while (n > old &&
	       !__atomic_compare_exchange_n(&top, &old, n, false,
					    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		;
	__atomic_store_n(&aio_used, true, __ATOMIC_RELEASE);
	return r;
}

long aio_event(struct aio_request *r)
{
	return r->event - 1;
}

/* It has been submitted, unless its event has been taken by now. */
static void submitted(struct aio_request *r)
{
	if (!change(r, TAKEN, SUBMITTED))
		aio_drop(r);
}

void aio_done(struct aio_request *r, long res)
{
	r->res = res;
	event_ring(r->event - 1);
	submitted(r);
}

static void notify(struct lkl_watch *watch)
{
	struct aio_request *r =
		(void *)((char *)watch - offsetof(struct aio_request, watch));

	event_ring(r->event - 1);
}

/* Watch the file, or return what it is ready for. */
static long watch_here(struct aio_request *r)
{
	r->boot = lkl_kernel_boots();
	r->watch = (struct lkl_watch){ .notify = notify,
				       .files = &r->file,
				       .count = 1 };
	return lkl_kernel_call(lkl_watch_once, &r->watch);
}

static long watch_there(struct aio_request *r)
{
	struct epoll *e =
		epoll_take(share->epoll, SHARE_EPOLLS, &share->epolls_top);
	long ret;

	if (!e)
		return -EMFILE;
	e->forked = true;
	e->event = r->event - 1;
	e->file = r->file;
	e->bell = -1;
	ret = share_give_bell(e - share->epoll);
	if (ret) {
		epoll_leave(e, 1);
		return ret;
	}
	r->bell = e;
	return watch_call(lkl_watch_once, &e->watch);
}

void aio_await(struct aio_request *r, long kfd, short events)
{
	long ret;

	/* These are always told. */
	r->file =
		(struct lkl_watch_file){ .fd = kfd,
					 .events = events | POLLERR | POLLHUP };
	ret = share_process() < 0 ? watch_here(r) : watch_there(r);
	if (ret) {
		*(r->bell ? &r->bell->file.revents : &r->file.revents) =
			ret < 0 ? POLLERR : ret;
		event_ring(r->event - 1);
	}
	submitted(r);
}

/* Is it this one? */
static bool is_it(const struct aio_request *r, long ctx, long user,
		  uint64_t data)
{
	return __atomic_load_n(&r->user, __ATOMIC_ACQUIRE) == user &&
	       r->ctx == ctx && r->data == data;
}

bool aio_result(long ctx, long user, uint64_t data, __s64 *res)
{
	unsigned int i;

	for (i = 0; i < top; i++) {
		struct aio_request *r = &requests[i];

		if (!is_it(r, ctx, user, data))
			continue;
		/* The thread that submits it has not come to the end of that.
		 */
		while (!change(r, SUBMITTED, TAKEN)) {
			if (!*res && change(r, TAKEN, CANCELLED))
				return true;
			own_call3(SYS_sched_yield, 0, 0, 0);
		}
		if (*res)
			*res = r->file.events ? ready_for(r) : r->res;
		aio_drop(r);
		return true;
	}
	return false;
}

void aio_forget(long ctx)
{
	unsigned int i;

	for (i = 0; i < top; i++) {
		struct aio_request *r = &requests[i];

		if (!__atomic_load_n(&r->user, __ATOMIC_ACQUIRE) ||
		    r->ctx != ctx)
			continue;
		if (change(r, SUBMITTED, TAKEN))
			aio_drop(r);
		else
			change(r, TAKEN, CANCELLED);
	}
}

/**
 * aio_leave - the program has ended, and its kernel goes on
 */
void aio_leave(void)
{
	unsigned int i;

	for (i = 0; i < top; i++)
		if (requests[i].state != FREE)
			aio_drop(&requests[i]);
}

/**
 * aio_forked - in a forked child: requests and contexts are the parent's
 */
void aio_forked(void)
{
	unsigned int i;

	for (i = 0; i < top; i++)
		requests[i].state = FREE;
	top = 0;
	aio_used = false;
}
