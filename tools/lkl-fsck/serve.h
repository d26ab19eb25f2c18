/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two processes say to each other: see view.h.
 */
#ifndef FSCK_SERVE_H
#define FSCK_SERVE_H

#include "../common/image.h"

/* Each has one answer, with a status. */
enum {
	/* name of the file; @number: read-only; a mounted /dev/fuse */
	ASK_SHOW = 1,
	ASK_HIDE,
	/* the answer's @number: there was something to replay */
	ASK_REPLAY,
	/* @number: from where; a uint32_t: how much; the answer has it */
	ASK_READ,
	/* the answer's @number: whether it has changed */
	ASK_CHANGED,
	ASK_COMMIT,
};

/**
 * struct device_side - what the process with the kernel knows
 *
 * @socket: to the other process
 * @opening: what the user is told that is waited for, until it is ready
 */
struct device_side {
	int socket;
	const char *opening;
};

/**
 * device_side_run() - do what the other process asks for, to its end
 * @side: what is known
 * @img: the attached image
 *
 * Return: exit status
 */
int device_side_run(const struct device_side *side, struct image *img);

#endif /* FSCK_SERVE_H */
