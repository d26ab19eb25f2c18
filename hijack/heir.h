/* SPDX-License-Identifier: GPL-2.0-only */
/* What parent and child share when the kernel may go to the child; heir.c tells
 * more. */
#ifndef HIJACK_HEIR_H
#define HIJACK_HEIR_H

#include "child.h"

/* What the parent says, and the child. */
#define KEPT 'k'
#define GIVEN 'g'
#define TAKEN 't'

enum {
	NONE,
	COMES_TO_REST,
	RESTS, /* a fork may follow */
	UNDECIDED, /* there is a child */
	GIVES,
	KEEPS,
	GOES_ON, /* or has never been at rest */
};

/**
 * struct heir - a fork for which the kernel is brought to rest
 *
 * @state: of the above: a futex
 * @tried: the process that has done so; a child may try again
 * @thread: ours
 * @self: what the library knows of it
 * @ends: of a socket between parent and child
 */
extern struct heir {
	uint32_t state;
	long tried;
	lkl_thread_t thread;
	struct lkl_self self;
	long ends[2];
} heir;

/* heir.c */
void heir_say(long fd, char what);
char heir_hear(long fd);

#endif /* HIJACK_HEIR_H */
