// SPDX-License-Identifier: GPL-2.0-only
/*
 * Telling another process by an eventfd that is its own.
 *
 * It can fill the counter and have the file block, and then write() would sleep
 * for as long as it likes, in the middle of the kernel.  What the host does by
 * itself to an eventfd when asynchronous I/O is complete never sleeps.  So that
 * is asked for: a read without a buffer, which fails at once.
 */
#include <errno.h>
#include <linux/aio_abi.h>
#include <stdio.h>
#include <string.h>

#include "bell.h"
#include "tools.h"

/* Results to have at most before they are thrown away. */
#define RESULTS 64

static long submit(struct vhost_bell *b, int fd)
{
	struct iocb request = { .aio_lio_opcode = IOCB_CMD_PREAD,
				.aio_fildes = b->file,
				.aio_flags = IOCB_FLAG_RESFD,
				.aio_resfd = fd };
	struct iocb *list = &request;
	struct io_event events[RESULTS];
	struct timespec now = { 0 };
	long ret;
	int i;

	/* A host without memory says EAGAIN, too. */
	for (i = 0; i < 4; i++) {
		ret = raw_syscall(SYS_io_submit, b->context, 1, (long)&list, 0,
				  0, 0);
		if (ret != -EAGAIN)
			break;
		raw_syscall(SYS_io_getevents, b->context, 1, RESULTS,
			    (long)events, (long)&now, 0);
	}
	return ret;
}

void vhost_bell_open(struct vhost_bell *b, int file)
{
	b->file = file;
	b->context = 0;
	if (syscall(SYS_io_setup, RESULTS, &b->context)) {
		b->context = 0;
		return;
	}
	/* Old hosts cannot read an eventfd so. */
	if (submit(b, file) != 1)
		vhost_bell_close(b);
	clear_bell(file);
}

void vhost_bell_close(struct vhost_bell *b)
{
	if (b->context)
		syscall(SYS_io_destroy, b->context);
	b->context = 0;
}

void vhost_bell_ring(struct vhost_bell *b, int fd)
{
	if (!b->context || submit(b, fd) != 1)
		ring_bell(fd, 1);
}

bool vhost_bell_is(int fd)
{
	char name[32], what[32];
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = readlink(name, what, sizeof(what));
	return n == 20 && !memcmp(what, "anon_inode:[eventfd]", 20);
}
