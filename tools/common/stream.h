/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A tree of files as a stream of records.
 *
 * One thread walks the source and produces records, another consumes them and
 * writes the target, so that reading one world overlaps with writing the
 * other.  Records go through a ring of a few MiB, so file contents are copied
 * out of one world's page cache and into the other's and never in between.
 *
 * An object comes as OPEN, XATTR*, then for files MAP* and DATA*, for
 * directories the objects inside, and CLOSE.  ENTER opens a directory that is
 * only on the way to others and stays as it is if it is there.  A further name
 * of a file already sent is a single LINK.  REMOVE and EMPTY say that something
 * in the target, or all that is in a directory, is to go.  DONE ends the
 * stream.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdint.h>
#include <sys/stat.h>

#include "fs.h"

/* Bytes of file contents in one DATA record at most. */
#define STREAM_CHUNK (1 << 20)

enum record_type {
	REC_PAD, /* fills the end of the ring; consumers never see it */
	REC_OPEN,
	REC_ENTER,
	REC_XATTR,
	REC_MAP,
	REC_DATA,
	REC_CLOSE,
	REC_LINK,
	REC_REMOVE, /* what layers say; never from stream_new_shared() */
	REC_EMPTY,
	REC_DONE,
	REC_BROKEN, /* no more comes; only from stream_new_shared() */
};

/**
 * struct record - one step of a stream
 *
 * @type: what it is
 * @space: bytes the record takes in the ring
 * @size: bytes of @data
 * @name_size: bytes of the string at the start of @data, with its 0
 * @failed: CLOSE: the object could not be read to its end
 * @off: DATA: where the contents go; CLOSE: size of the file
 * @st: OPEN, ENTER and LINK: everything the source's stat() said
 * @bytes: consumer: DATA, MAP: what is in @data; use this, not that
 * @data: OPEN, ENTER: name in the directory, then target of a symbolic link;
 *	XATTR: name, then value; MAP: where the file has data, struct extent; DATA:
 *	contents; LINK: name, then path of the first link from where the stream
 *	began; REMOVE, EMPTY: path from there
 */
struct record {
	uint32_t type;
	uint32_t space;
	uint32_t size;
	uint32_t name_size;
	bool failed;
	uint64_t off;
	struct stat st;
	const char *bytes;
	_Alignas(64) char data[];
};

/* A part of a file that is not a hole. */
struct extent {
	uint64_t off;
	uint64_t size;
};

struct stream;

/**
 * stream_new() - make an empty stream
 *
 * Return: the stream, or NULL when there is no memory
 */
struct stream *stream_new(void);

/**
 * stream_new_shared() - make an empty stream between this process and another
 * @trusted: the consumer trusts the producer
 *
 * The other is forked afterwards.  A producer that is not trusted ends the
 * stream with what it must not send: the consumer gets a record of the type
 * BROKEN.
 *
 * Return: the stream, or NULL when there is no memory
 */
struct stream *stream_new_shared(bool trusted);

/**
 * stream_new_file() - make a stream for a process that is there already
 * @trusted: as of stream_new_shared()
 * @file: descriptor for it, which gives it to stream_of_file(); to be closed
 *
 * Return: the stream, or NULL when there is no memory
 */
struct stream *stream_new_file(bool trusted, int *file);

/**
 * stream_of_file() - the other end of a stream
 * @file: what stream_new_file() has returned in the other process
 *
 * Return: the stream, or NULL when there is no memory
 */
struct stream *stream_of_file(int file);

/**
 * stream_from() - consumer: tell who the producer is
 * @s: a stream of stream_new_shared()
 * @ended: descriptor that becomes readable when the producer has ended
 */
void stream_from(struct stream *s, int ended);

/**
 * stream_to() - producer: tell who the consumer is
 * @s: a stream of stream_new_shared()
 * @ended: descriptor that becomes readable when the consumer has ended, which
 *	ends the stream
 */
void stream_to(struct stream *s, int ended);

/**
 * stream_expect() - consumer: name what may come
 * @s: a stream whose producer is not trusted
 * @name: name of something that the stream may begin with, or "."
 *
 * Without a call nothing is said about these names.
 */
void stream_expect(struct stream *s, const char *name);

/**
 * stream_free() - free a stream
 * @s: the stream, which no thread uses any more
 */
void stream_free(struct stream *s);

/**
 * stream_reserve() - producer: get room for a record
 * @s: the stream
 * @size: bytes of data it may need, at most STREAM_CHUNK
 *
 * Return: a record with all but data cleared, or NULL when the consumer or
 * a signal wants the producer to stop
 */
struct record *stream_reserve(struct stream *s, size_t size);

/**
 * stream_commit() - producer: send the record reserved last
 * @s: the stream
 * @type: what it is
 * @size: bytes of data it needs after all
 */
void stream_commit(struct stream *s, enum record_type type, size_t size);

/**
 * stream_named() - producer: send a record with a name and something else
 * @s: the stream
 * @type: OPEN, ENTER, LINK or XATTR
 * @st: what stat() said, or NULL
 * @name: the name
 * @rest: what follows it
 * @size: size of @rest
 *
 * Return: false when the producer should stop
 */
bool stream_named(struct stream *s, enum record_type type,
		  const struct stat *st, const char *name, const void *rest,
		  size_t size);

/**
 * stream_close() - producer: send a CLOSE
 * @s: the stream
 * @size: size of the file
 * @failed: it is incomplete
 *
 * Return: false when the producer should stop
 */
bool stream_close(struct stream *s, off_t size, bool failed);

/**
 * stream_next() - consumer: get the next record and give back the one before
 * @s: the stream
 *
 * Return: the record, or NULL when none came within 100 ms
 */
struct record *stream_next(struct stream *s);

/**
 * stream_cancel() - consumer: let the producer stop; read no more records
 * @s: the stream
 */
void stream_cancel(struct stream *s);

#endif /* STREAM_H */
