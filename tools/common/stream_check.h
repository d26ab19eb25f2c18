/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records from a producer that nobody trusts.
 */
#ifndef STREAM_CHECK_H
#define STREAM_CHECK_H

#include <stddef.h>

#include "stream.h"

struct stream_check;

/**
 * stream_check_new() - prepare for a stream
 *
 * Return: what stream_check() takes
 */
struct stream_check *stream_check_new(void);

/**
 * stream_check_free() - undo stream_check_new()
 * @c: what that returned, or NULL
 */
void stream_check_free(struct stream_check *c);

/**
 * stream_check_expect() - see stream_expect()
 * @c: what is known of the stream
 * @name: the name
 */
void stream_check_expect(struct stream_check *c, const char *name);

/**
 * stream_check() - copy and check a record
 * @c: what is known of the stream
 * @r: the record, which may change at any time
 * @have: bytes there are, at least one, without a wrap
 *
 * Return: a copy, whose contents may only be what its type allows, but which
 * for DATA and MAP refers to the original; or a record of the type BROKEN, when
 * a message has said so
 */
struct record *stream_check(struct stream_check *c, const struct record *r,
			    size_t have);

/**
 * stream_check_broken() - a record that says that no more comes
 * @c: what is known of the stream
 *
 * Return: the record
 */
struct record *stream_check_broken(struct stream_check *c);

#endif /* STREAM_CHECK_H */
