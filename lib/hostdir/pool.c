// SPDX-License-Identifier: GPL-2.0-only
/*
 * The threads that serve the requests of a host directory.
 *
 * Each takes requests from the rings itself, under a lock for which the kernel
 * never waits: its kick only calls a thread, unless the lock is free and what
 * is wanted can be had at once, which is then done in the kick.  One that takes
 * a request calls another if there are more.  A thread that raises the
 * interrupt may be kept by the kernel, whose virtual CPU it takes if no other
 * thread has it; the next request finds another one.
 */
#include <linux/securebits.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "hostdir.h"

/* Take a request from whichever ring has one; its head, or -1. */
static int take(struct hostdir *h, struct lkl_virtq **q)
{
	int i, head;

	for (i = 0; i < QUEUES; i++) {
		*q = &h->virtqs[i];
		do {
			head = lkl_virtq_pop(*q);
			if (head >= 0)
				return head;
		} while (lkl_virtq_enable_kick(*q));
	}
	return -1;
}

static void call(struct hostdir *h)
{
	__atomic_fetch_add(&h->calls, 1, __ATOMIC_SEQ_CST);
	lkl_vdev_host->wake(&h->calls, 1);
}

static bool more(struct hostdir *h)
{
	bool some = false;
	int i;

	for (i = 0; i < QUEUES; i++)
		some |= lkl_virtq_enable_kick(&h->virtqs[i]);
	return some;
}

/*
 * Serve a request, if the rings may be looked at and have one.  The rings are
 * as they are until @running has been lowered.
 */
static bool serve_one(struct hostdir *h, struct request *r)
{
	struct lkl_virtq *q;
	bool raise = false;
	int head = -1, irq;
	long len;

	__atomic_fetch_add(&h->running, 1, __ATOMIC_SEQ_CST);
	irq = h->vdev.dev.irq;
	if (!__atomic_load_n(&h->quiet, __ATOMIC_SEQ_CST)) {
		lock(&h->ring);
		head = take(h, &q);
		if (head >= 0 && more(h))
			call(h);
		unlock(&h->ring);
	}
	if (head >= 0) {
		len = hostdir_serve(r, q, head);
		lock(&h->ring);
		if (len >= 0) {
			lkl_virtq_push(q, head, len);
			raise = lkl_virtq_mark(q);
		}
		unlock(&h->ring);
	}
	__atomic_fetch_sub(&h->running, 1, __ATOMIC_SEQ_CST);
	if (raise)
		lkl_trigger_irq(irq);
	return head >= 0;
}

/*
 * Files get the modes that the kernel gives them, whatever the process's umask
 * is, and the owners, of whom the host takes no rights away.
 */
static void prepare(struct hostdir *h)
{
	int bits;

	if (!unshare(CLONE_FS))
		umask(0);
	if (!h->privileged)
		return;
	bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	if (bits >= 0)
		prctl(PR_SET_SECUREBITS, bits | SECBIT_NO_SETUID_FIXUP, 0, 0,
		      0);
}

static void thread(void *arg)
{
	struct request *r = arg;
	struct hostdir *h = r->h;

	prepare(h);
	for (;;) {
		int calls = __atomic_load_n(&h->calls, __ATOMIC_SEQ_CST);

		if (serve_one(h, r))
			continue;
		if (__atomic_load_n(&h->stop, __ATOMIC_SEQ_CST))
			return;
		lkl_vdev_host->wait(&h->calls, calls, 0);
	}
}

/* Serve what needs no thread; false if there is more. */
static bool serve_now(struct hostdir *h)
{
	struct lkl_virtq *q = &h->virtqs[REQUESTS];
	bool raise, later = false;
	int head, irq;
	long len;

	if (!try_lock(&h->ring))
		return false;
	__atomic_fetch_add(&h->running, 1, __ATOMIC_SEQ_CST);
	irq = h->vdev.dev.irq;
	do {
		head = lkl_virtq_pop(q);
		if (head < 0)
			continue;
		len = hostdir_serve(h->now, q, head);
		later = len == HOSTDIR_LATER;
		if (later)
			q->next_avail--;
		else if (len >= 0)
			lkl_virtq_push(q, head, len);
	} while (!later && lkl_virtq_enable_kick(q));
	raise = lkl_virtq_mark(q);
	__atomic_fetch_sub(&h->running, 1, __ATOMIC_SEQ_CST);
	unlock(&h->ring);
	if (raise)
		lkl_trigger_irq(irq);
	return !later;
}

/**
 * hostdir_pool_kick() - [kernel] there are requests
 * @h: the directory
 * @queue: in this queue
 */
void hostdir_pool_kick(struct hostdir *h, unsigned int queue)
{
	if (queue != REQUESTS || !serve_now(h))
		call(h);
}

/**
 * hostdir_pool_quiet() - [kernel] let no thread look at the rings
 * @h: the directory
 *
 * Until @quiet is cleared.  What they serve they finish.
 */
void hostdir_pool_quiet(struct hostdir *h)
{
	__atomic_store_n(&h->quiet, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&h->running, __ATOMIC_SEQ_CST))
		lkl_vdev_host->relax();
}

static struct request *new_request(struct hostdir *h, bool now)
{
	struct request *r = malloc(sizeof(*r));

	if (r) {
		r->h = h;
		r->now = now;
	}
	return r;
}

/**
 * hostdir_pool_start() - make the threads
 * @h: the directory
 *
 * Return: whether that was possible; call hostdir_pool_stop() in either case
 */
bool hostdir_pool_start(struct hostdir *h)
{
	int i;

	h->stop = 0;
	h->quiet = 1;
	h->now = new_request(h, true);
	if (!h->now)
		return false;
	for (i = 0; i < THREADS; i++) {
		h->requests[i] = new_request(h, false);
		if (!h->requests[i])
			return false;
		h->threads[i] =
			lkl_vdev_host->thread_create(thread, h->requests[i]);
		if (!h->threads[i])
			return false;
	}
	return true;
}

/**
 * hostdir_pool_stop() - end the threads, once they have served what they have
 * @h: the directory
 */
void hostdir_pool_stop(struct hostdir *h)
{
	int i;

	__atomic_store_n(&h->quiet, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&h->stop, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&h->calls, 1, __ATOMIC_SEQ_CST);
	lkl_vdev_host->wake(&h->calls, THREADS);
	for (i = 0; i < THREADS; i++) {
		if (h->threads[i])
			lkl_vdev_host->thread_join(h->threads[i]);
		h->threads[i] = 0;
		free(h->requests[i]);
		h->requests[i] = NULL;
	}
	free(h->now);
	h->now = NULL;
}
