/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Telling another process by an eventfd that is its own, without waiting for
 * it.
 */
#ifndef LIB_VHOST_BELL_H
#define LIB_VHOST_BELL_H

#include <linux/aio_abi.h>
#include <stdbool.h>

/**
 * struct vhost_bell - what is needed to ring others' eventfds
 * @context: of asynchronous I/O; 0 where the host has none, and then the other
 *	process can make us wait
 * @file: an eventfd of ours
 */
struct vhost_bell {
	aio_context_t context;
	int file;
};

/* @file: an eventfd of ours that does not block, whose counter is cleared */
void vhost_bell_open(struct vhost_bell *b, int file);
void vhost_bell_close(struct vhost_bell *b);

/* Add 1 to an eventfd; from any thread, also in kernel context. */
void vhost_bell_ring(struct vhost_bell *b, int fd);

/* Is it an eventfd?  Anything else may block. */
bool vhost_bell_is(int fd);

#endif /* LIB_VHOST_BELL_H */
