// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ring of records between one producer and one consumer.
 *
 * @head and @tail count bytes ever written and ever given back; each is
 * changed by one side only.  Waking a sleeper costs more than most records, so
 * it happens once the ring has filled or drained by a fair amount, or at the
 * end.
 *
 * One of the two may be another process, which nobody trusts.  So each side
 * keeps its own place in the ring, and only futexes are in the memory that they
 * share, which hold no pointers.  A consumer that does not trust the producer
 * looks at a copy of each record (stream_check.c); a producer believes nothing
 * but how much room there is, and what is there is only read by the other.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"
#include "stream_check.h"
#include "stream_host.h"
#include "tool.h"

#define RING_SIZE (8ul << 20)
#define RING_ALIGN 64
#define WAKE_CONSUMER (RING_SIZE / 32)
#define WAKE_PRODUCER (RING_SIZE / 2)
#define A_WHILE_MS 100

/* What both sides see. */
struct ring {
	_Alignas(RING_ALIGN) _Atomic size_t head;
	_Alignas(RING_ALIGN) _Atomic size_t tail;
	_Alignas(RING_ALIGN) _Atomic uint32_t consumer_sleeps;
	_Atomic uint32_t producer_sleeps;
	_Atomic bool cancelled;
	_Alignas(RING_ALIGN) char bytes[RING_SIZE];
};

/*
 * @head: the producer's own
 * @tail: the consumer's own
 * @current: size of the record it is at
 * @ended: tells that the process with the other side has ended, or -1
 * @check: what is known of an untrusted stream, or NULL
 */
struct stream {
	struct ring *ring;
	size_t head;
	size_t tail;
	size_t current;
	int ended;
	struct stream_check *check;
};

/* With memory for the ring, or NULL. */
static struct stream *new_stream(void *ring)
{
	struct stream *s = ring ? calloc(1, sizeof(*s)) : NULL;

	if (!s) {
		stream_free_memory(ring, sizeof(*s->ring));
		return NULL;
	}
	s->ended = -1;
	s->ring = ring;
	return s;
}

struct stream *stream_new(void)
{
	return new_stream(stream_memory(sizeof(struct ring), false));
}

struct stream *stream_new_shared(bool trusted)
{
	struct stream *s =
		new_stream(stream_memory(sizeof(struct ring), true));

	if (s && !trusted)
		s->check = stream_check_new();
	return s;
}

struct stream *stream_new_file(bool trusted, int *file)
{
	int fd = stream_file(sizeof(struct ring));
	struct stream *s = fd < 0 ? NULL : stream_of_file(fd);

	if (s && !trusted)
		s->check = stream_check_new();
	*file = fd;
	return s;
}

struct stream *stream_of_file(int file)
{
	return new_stream(stream_file_memory(file, sizeof(struct ring)));
}

void stream_from(struct stream *s, int ended)
{
	s->ended = ended;
	/* the next process that is not trusted has nothing to do with it */
	stream_keep_memory(s->ring, sizeof(*s->ring));
}

void stream_to(struct stream *s, int ended)
{
	s->ended = ended;
}

void stream_expect(struct stream *s, const char *name)
{
	if (s->check)
		stream_check_expect(s->check, name);
}

void stream_free(struct stream *s)
{
	stream_check_free(s->check);
	stream_free_memory(s->ring, sizeof(*s->ring));
	free(s);
}

static void wake(_Atomic uint32_t *sleeps)
{
	*sleeps = 0;
	stream_wake(sleeps);
}

static struct record *at(struct stream *s, size_t pos)
{
	return (struct record *)(s->ring->bytes + pos % RING_SIZE);
}

/* Make the @space bytes at the head visible to the consumer. */
static void publish(struct stream *s, enum record_type type, size_t space)
{
	struct ring *ring = s->ring;
	struct record *r = at(s, s->head);

	r->type = type;
	r->space = space;
	s->head += space;
	ring->head = s->head;
	if (ring->consumer_sleeps &&
	    (s->head - ring->tail >= WAKE_CONSUMER || type == REC_DONE))
		wake(&ring->consumer_sleeps);
}

static size_t space_for(size_t size)
{
	return (sizeof(struct record) + size + RING_ALIGN - 1) & -RING_ALIGN;
}

static bool has_room(const struct stream *s, size_t space)
{
	return RING_SIZE - (s->head - s->ring->tail) >= space;
}

/* Has the process ended that has the other side? */
static bool has_ended(const struct stream *s)
{
	return s->ended >= 0 && stream_ended(s->ended);
}

struct record *stream_reserve(struct stream *s, size_t size)
{
	struct ring *ring = s->ring;
	size_t space = space_for(size);
	size_t to_end = RING_SIZE - s->head % RING_SIZE;
	bool wraps = to_end < space;

	while (!has_room(s, wraps ? to_end + space : space)) {
		if (ring->cancelled || tool_signal || has_ended(s))
			return NULL;
		ring->producer_sleeps = 1;
		if (!has_room(s, wraps ? to_end + space : space) &&
		    !ring->cancelled)
			stream_sleep(&ring->producer_sleeps,
				     s->ended < 0 ? 0 : A_WHILE_MS);
		ring->producer_sleeps = 0;
	}
	if (ring->cancelled || tool_signal)
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
	struct ring *ring = s->ring;

	ring->consumer_sleeps = 1;
	if (ring->head == s->tail)
		stream_sleep(&ring->consumer_sleeps, A_WHILE_MS);
	ring->consumer_sleeps = 0;
}

static void release(struct stream *s, size_t space)
{
	struct ring *ring = s->ring;

	s->tail += space;
	ring->tail = s->tail;
	if (ring->producer_sleeps && ring->head - s->tail <= WAKE_PRODUCER)
		wake(&ring->producer_sleeps);
}

struct record *stream_next(struct stream *s)
{
	size_t head, to_end;
	struct record *r;
	bool ended;

	for (;;) {
		release(s, s->current);
		s->current = 0;
		if (s->ring->head == s->tail)
			sleep_for_record(s);
		/* looked at first: what was sent before counts */
		ended = has_ended(s);
		head = s->ring->head;
		if (head == s->tail)
			return ended ? stream_check_broken(s->check) : NULL;
		r = at(s, s->tail);
		to_end = RING_SIZE - s->tail % RING_SIZE;
		if (s->check) {
			r = stream_check(s->check, r,
					 head - s->tail < to_end
						 ? head - s->tail
						 : to_end);
			if (r->type == REC_BROKEN)
				return r;
		} else if (r->type != REC_PAD) {
			r->bytes = r->data;
		}
		s->current = r->space;
		/* the record it made room for follows at once */
		if (r->type != REC_PAD)
			return r;
	}
}

void stream_cancel(struct stream *s)
{
	s->ring->cancelled = true;
	wake(&s->ring->producer_sleeps);
}
