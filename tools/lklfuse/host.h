/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host's kernel and the supervisor are told and asked, beside answers.
 */
#ifndef HOST_H
#define HOST_H

#include "lklfuse.h"

/**
 * struct host_job - something to be done outside of the serving threads
 *
 * @next: in the queue
 * @run: does it, and frees the job
 */
struct host_job {
	struct host_job *next;
	void (*run)(struct host_job *job);
};

/**
 * host_start() - start the thread that does jobs
 *
 * Return: 0 or a negative error number
 */
int host_start(void);

/**
 * host_end() - finish all jobs
 */
void host_end(void);

/**
 * host_later() - queue a job
 * @job: the job
 *
 * A serving thread must not take contents out of the host's cache: that waits
 * for pages which the host's kernel may be reading, by requests that this or
 * the other serving threads would have to serve.
 */
void host_later(struct host_job *job);

/**
 * host_drop() - have the host's kernel write and forget contents of a file
 * @ino: the file
 * @off: where they begin
 * @len: their length, 0 for all that follows
 *
 * Only jobs may call it.
 */
void host_drop(fuse_ino_t ino, off_t off, off_t len);

/**
 * host_drop_attr() - have the host's kernel forget the attributes of a file
 * @ino: the file
 */
void host_drop_attr(fuse_ino_t ino);

/**
 * host_in_group() - is a caller in a group?
 * @req: the caller's request
 * @gid: group in the image
 */
bool host_in_group(fuse_req_t req, gid_t gid);

#endif /* HOST_H */
