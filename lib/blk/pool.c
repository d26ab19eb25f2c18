// SPDX-License-Identifier: GPL-2.0-only
/*
 * The threads of a disk, and the queues from which they take requests.
 */
#include "blk.h"

static void fifo_init(struct fifo *f)
{
	unsigned int i;

	f->in = 0;
	f->out = 0;
	for (i = 0; i < QUEUES * QUEUE_SIZE; i++)
		f->cells[i].sequence = i;
}

static void fifo_put(struct fifo *f, struct blk_req *req)
{
	unsigned int pos, i;

	pos = __atomic_fetch_add(&f->in, 1, __ATOMIC_RELAXED);
	i = pos % (QUEUES * QUEUE_SIZE);
	/* Not free only if a thread was stopped in the middle of taking it. */
	while (__atomic_load_n(&f->cells[i].sequence, __ATOMIC_ACQUIRE) != pos)
		lkl_vdev_host->relax();
	f->cells[i].req = req;
	__atomic_store_n(&f->cells[i].sequence, pos + 1, __ATOMIC_RELEASE);
}

static struct blk_req *fifo_get(struct fifo *f)
{
	unsigned int pos = __atomic_load_n(&f->out, __ATOMIC_RELAXED);

	for (;;) {
		unsigned int i = pos % (QUEUES * QUEUE_SIZE);
		unsigned int sequence = __atomic_load_n(&f->cells[i].sequence,
							__ATOMIC_ACQUIRE);
		struct blk_req *req;

		if (sequence == pos)
			return NULL;
		if (sequence != pos + 1) {
			pos = __atomic_load_n(&f->out, __ATOMIC_RELAXED);
			continue;
		}
		if (!__atomic_compare_exchange_n(&f->out, &pos, pos + 1, false,
						 __ATOMIC_RELAXED,
						 __ATOMIC_RELAXED))
			continue;
		req = f->cells[i].req;
		__atomic_store_n(&f->cells[i].sequence,
				 pos + QUEUES * QUEUE_SIZE, __ATOMIC_RELEASE);
		return req;
	}
}

static unsigned int fifo_len(struct fifo *f)
{
	unsigned int out = __atomic_load_n(&f->out, __ATOMIC_SEQ_CST);

	return __atomic_load_n(&f->in, __ATOMIC_SEQ_CST) - out;
}

static bool fifo_empty(struct fifo *f)
{
	return !fifo_len(f);
}

/*
 * Let up to @n idle threads look at the lanes.  They note that they are idle
 * before they look a last time, we look at that after putting something into a
 * lane: one of both sees the other.
 *
 * A thread that is called is no longer idle, though it may take a while to
 * come. It does not matter which one comes.
 */
static void call_threads(struct blk *b, int n)
{
	int idle;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	idle = __atomic_load_n(&b->idle, __ATOMIC_RELAXED);
	do {
		if (n > idle)
			n = idle;
		if (n <= 0)
			return;
	} while (!__atomic_compare_exchange_n(&b->idle, &idle, idle - n, true,
					      __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
	__atomic_fetch_add(&b->calls, n, __ATOMIC_SEQ_CST);
	lkl_vdev_host->wake(&b->calls, n);
}

/* Decrement unless it is 0. */
static bool take_one(int *count)
{
	int n = __atomic_load_n(count, __ATOMIC_SEQ_CST);

	while (n &&
	       !__atomic_compare_exchange_n(count, &n, n - 1, true,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	return n;
}

/* Take a request for which there is a place. */
static struct blk_req *take(struct blk *b, struct lane **from)
{
	int i;

	for (i = LANES - 1; i >= 0; i--) {
		struct lane *lane = &b->lanes[i];

		while (!fifo_empty(&lane->todo)) {
			int n = __atomic_load_n(&lane->running,
						__ATOMIC_RELAXED);
			struct blk_req *req;

			if (n >= lane->limit)
				break;
			if (!__atomic_compare_exchange_n(
				    &lane->running, &n, n + 1, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
				continue;
			req = fifo_get(&lane->todo);
			if (req) {
				*from = lane;
				return req;
			}
			/* Then look again: our place kept others out. */
			__atomic_fetch_sub(&lane->running, 1, __ATOMIC_SEQ_CST);
		}
	}
	return NULL;
}

/* Returns NULL when it is time to end. */
static struct blk_req *next_request(struct blk *b, struct lane **from)
{
	for (;;) {
		struct blk_req *req = take(b, from);

		if (req)
			return req;
		if (__atomic_load_n(&b->stop, __ATOMIC_SEQ_CST))
			return NULL;
		__atomic_fetch_add(&b->idle, 1, __ATOMIC_SEQ_CST);
		req = take(b, from);
		if (req && take_one(&b->idle))
			return req;
		/* Or another thread has called this one already. */
		while (!take_one(&b->calls))
			lkl_vdev_host->wait(&b->calls, 0, 0);
		if (req)
			return req;
	}
}

static void LKL_DOOR thread(void *arg);

static bool new_thread(struct blk *b)
{
	int n = __atomic_load_n(&b->nthreads, __ATOMIC_SEQ_CST);

	do {
		if (n == b->max_threads)
			return false;
	} while (!__atomic_compare_exchange_n(&b->nthreads, &n, n + 1, false,
					      __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	b->threads[n] = lkl_vdev_host->thread_create(thread, b);
	return b->threads[n];
}

static void run(struct blk *b, struct lane *lane, struct blk_req *req,
		struct iovec *iov)
{
	struct lkl_virtq *q = req->q;
	struct blk_queue *queue = &b->queues[q->index];
	int irq = b->vdev.dev.irq;
	struct command cmd;
	bool raise = false;

	if (blk_parse(q, req->head, iov, &cmd)) {
		*cmd.status = blk_serve(b, &cmd, 0);
		req->len = written(&cmd);
		req->next = __atomic_load_n(&queue->done, __ATOMIC_RELAXED);
		while (!__atomic_compare_exchange_n(&queue->done, &req->next,
						    req, true, __ATOMIC_RELEASE,
						    __ATOMIC_RELAXED))
			;
		raise = lkl_vdev_mark(&b->vdev, 1ULL << q->index);
	}
	/* Once we have left the lane the device may be reset. */
	__atomic_fetch_sub(&lane->running, 1, __ATOMIC_SEQ_CST);
	if (!raise)
		return;
	if (!fifo_empty(&lane->todo)) {
		/* We go on with that if another thread runs the kernel. */
		if (lkl_kernel_pass_irq(irq))
			return;
		call_threads(b, 1);
	}
	lkl_trigger_irq(irq);
}

/* With much on its stack, which gcc does not take beside LKL_DOOR. */
static __attribute__((noinline)) void serve_all(struct blk *b)
{
	struct iovec iov[MAX_IOV];
	struct blk_req *req;
	struct lane *lane;

	while ((req = next_request(b, &lane))) {
		if (lane == &b->lanes[WIDE] && !fifo_empty(&lane->todo) &&
		    !__atomic_load_n(&b->idle, __ATOMIC_RELAXED))
			new_thread(b);
		run(b, lane, req, iov);
	}
}

static void LKL_DOOR thread(void *arg)
{
	serve_all(arg);
}

void blk_pool_put(struct blk *b, int lane, struct blk_req *req)
{
	fifo_put(&b->lanes[lane].todo, req);
}

void blk_pool_call(struct blk *b)
{
	int i, n = 0;

	/* As many threads as there are places, less those on their way. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (i = 0; i < LANES; i++) {
		struct lane *lane = &b->lanes[i];
		int places = lane->limit -
			     __atomic_load_n(&lane->running, __ATOMIC_RELAXED);
		int todo = fifo_len(&lane->todo);

		n += todo < places ? todo : places;
	}
	call_threads(b, n - __atomic_load_n(&b->calls, __ATOMIC_RELAXED));
}

bool blk_pool_quiet(struct blk *b)
{
	int i;

	for (i = 0; i < LANES; i++) {
		/* In this order: a thread is counted before it takes a request.
		 */
		if (!fifo_empty(&b->lanes[i].todo) ||
		    __atomic_load_n(&b->lanes[i].running, __ATOMIC_SEQ_CST))
			return false;
	}
	return true;
}

bool blk_pool_start(struct blk *b)
{
	/* Copying takes a processor each, and the kernel needs one. */
	int i, cpus = lkl_vdev_host->cpus() - 1;

	b->stop = 0;
	b->calls = 0;
	b->idle = 0;
	b->nthreads = 0;
	for (i = 0; i < LANES; i++) {
		fifo_init(&b->lanes[i].todo);
		b->lanes[i].running = 0;
	}
	b->lanes[NARROW].limit = 1;
	b->lanes[WIDE].limit = b->limits.parallel;
	if (b->limits.flags & LKL_BLK_MEMORY && cpus < b->lanes[WIDE].limit)
		b->lanes[WIDE].limit = cpus > 1 ? cpus : 1;
	return new_thread(b) && new_thread(b);
}

void blk_pool_stop(struct blk *b)
{
	int t;

	__atomic_store_n(&b->stop, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&b->calls, MAX_THREADS, __ATOMIC_SEQ_CST);
	lkl_vdev_host->wake(&b->calls, MAX_THREADS);
	for (t = 0; t < __atomic_load_n(&b->nthreads, __ATOMIC_SEQ_CST); t++) {
		if (b->threads[t])
			lkl_vdev_host->thread_join(b->threads[t]);
	}
}
