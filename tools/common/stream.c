// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ring of records between one producer and one consumer.
 *
 * @head and @tail count bytes ever written and ever given back; each is
 * changed by one side only, and the lock is taken only to sleep.  Waking a
 * sleeper costs more than most records, so it happens once the ring has filled
 * or drained by a fair amount, or at the end.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "stream.h"
#include "tool.h"

#define RING_SIZE (8ul << 20)
#define RING_ALIGN 64
#define WAKE_CONSUMER (RING_SIZE / 32)
#define WAKE_PRODUCER (RING_SIZE / 2)

struct stream {
	_Alignas(RING_ALIGN) _Atomic size_t head;
	_Alignas(RING_ALIGN) _Atomic size_t tail;
	size_t current; /* size of the record the consumer is at */

	_Alignas(RING_ALIGN) pthread_mutex_t lock;
	pthread_cond_t filled;
	pthread_cond_t drained;
	_Atomic bool consumer_sleeps;
	_Atomic bool producer_sleeps;
	_Atomic bool cancelled;

	_Alignas(RING_ALIGN) char ring[RING_SIZE];
};

struct stream *stream_new(void)
{
	pthread_condattr_t attr;
	struct stream *s;

	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->filled, &attr);
	pthread_cond_init(&s->drained, &attr);
	pthread_condattr_destroy(&attr);
	return s;
}

void stream_free(struct stream *s)
{
	pthread_cond_destroy(&s->drained);
	pthread_cond_destroy(&s->filled);
	pthread_mutex_destroy(&s->lock);
	munmap(s, sizeof(*s));
}

static void wake(struct stream *s, _Atomic bool *sleeps, pthread_cond_t *cond)
{
	pthread_mutex_lock(&s->lock);
	*sleeps = false;
	pthread_cond_signal(cond);
	pthread_mutex_unlock(&s->lock);
}

static struct record *at(struct stream *s, size_t pos)
{
	return (struct record *)(s->ring + pos % RING_SIZE);
}

/* Make the @space bytes at the head visible to the consumer. */
static void publish(struct stream *s, enum record_type type, size_t space)
{
	struct record *r = at(s, s->head);

	r->type = type;
	r->space = space;
	s->head += space;
	if (s->consumer_sleeps &&
	    (s->head - s->tail >= WAKE_CONSUMER || type == REC_DONE))
		wake(s, &s->consumer_sleeps, &s->filled);
}

static size_t space_for(size_t size)
{
	return (sizeof(struct record) + size + RING_ALIGN - 1) & -RING_ALIGN;
}

static bool has_room(struct stream *s, size_t space)
{
	return RING_SIZE - (s->head - s->tail) >= space;
}

struct record *stream_reserve(struct stream *s, size_t size)
{
	size_t space = space_for(size);
	size_t to_end = RING_SIZE - s->head % RING_SIZE;
	bool wraps = to_end < space;

	while (!has_room(s, wraps ? to_end + space : space)) {
		if (s->cancelled)
			return NULL;
		pthread_mutex_lock(&s->lock);
		s->producer_sleeps = true;
		if (!has_room(s, wraps ? to_end + space : space) &&
		    !s->cancelled)
			pthread_cond_wait(&s->drained, &s->lock);
		s->producer_sleeps = false;
		pthread_mutex_unlock(&s->lock);
	}
	if (s->cancelled || tool_signal)
		return NULL;
	if (wraps)
		publish(s, REC_PAD, to_end);
	memset(at(s, s->head), 0, sizeof(struct record));
	return at(s, s->head);
}

void stream_commit(struct stream *s, enum record_type type, size_t size)
{
	at(s, s->head)->size = size;
	publish(s, type, space_for(size));
}

bool stream_named(struct stream *s, enum record_type type,
		  const struct stat *st, const char *name, const void *rest,
		  size_t size)
{
	size_t len = strlen(name) + 1;
	struct record *r = stream_reserve(s, len + size);

	if (!r)
		return false;
	if (st)
		r->st = *st;
	r->name_size = len;
	memcpy(r->data, name, len);
	memcpy(r->data + len, rest, size);
	stream_commit(s, type, len + size);
	return true;
}

bool stream_close(struct stream *s, off_t size, bool failed)
{
	struct record *r = stream_reserve(s, 0);

	if (!r)
		return false;
	r->off = size;
	r->failed = failed;
	stream_commit(s, REC_CLOSE, 0);
	return true;
}

static void sleep_for_record(struct stream *s)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += 100000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&s->lock);
	s->consumer_sleeps = true;
	if (s->head == s->tail)
		pthread_cond_timedwait(&s->filled, &s->lock, &until);
	s->consumer_sleeps = false;
	pthread_mutex_unlock(&s->lock);
}

static void release(struct stream *s, size_t space)
{
	s->tail += space;
	if (s->producer_sleeps && s->head - s->tail <= WAKE_PRODUCER)
		wake(s, &s->producer_sleeps, &s->drained);
}

struct record *stream_next(struct stream *s)
{
	struct record *r;

	release(s, s->current);
	s->current = 0;
	if (s->head == s->tail)
		sleep_for_record(s);
	if (s->head == s->tail)
		return NULL;
	r = at(s, s->tail);
	if (r->type == REC_PAD) {
		/* the record it made room for follows at once */
		release(s, r->space);
		return stream_next(s);
	}
	s->current = r->space;
	return r;
}

void stream_cancel(struct stream *s)
{
	s->cancelled = true;
	wake(s, &s->producer_sleeps, &s->drained);
}
