/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What passes between libfuse and the host's kernel.
 *
 * libfuse knows an older protocol than the host's kernel may speak, and hides
 * parts of it.  What we need of that is read, and written, here, on the way.
 */
#ifndef WIRE_H
#define WIRE_H

#include "lklfuse.h"

/**
 * wire_start() - connect a session with the host's kernel
 * @se: the session
 * @fd: descriptor of /dev/fuse, which belongs to the session then
 *
 * Return: 0 or a negative error number
 */
int wire_start(struct fuse_session *se, int fd);

/**
 * wire_clears_ids() - does a change of contents clear set-user-ID bits?
 * @req: the request, which the calling thread has read
 *
 * Return: whether the caller may not have a file keep its set-user-ID and
 * set-group-ID bits, and its capabilities
 */
bool wire_clears_ids(fuse_req_t req);

#endif /* WIRE_H */
