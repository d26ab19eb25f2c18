// SPDX-License-Identifier: GPL-2.0-only
/*
 * What passes between libfuse and the host's kernel: see wire.h.
 *
 * With HANDLE_KILLPRIV_V2 the host's kernel leaves it to us to clear
 * set-user-ID bits and capabilities when contents change.  It says with each
 * request whether the caller may keep them, and saves a request for the
 * capabilities before each write.
 */
#include <linux/fuse.h>
#include <sys/uio.h>
#include <unistd.h>

#include "wire.h"

/* The request that the thread has read last. */
static __thread struct {
	uint32_t opcode;
	uint64_t unique;
	bool told;
	bool clears;
} last;

/* Flags of the protocol that the host's kernel knows. */
static uint32_t offered;

union request {
	struct fuse_in_header header;
	struct {
		struct fuse_in_header header;
		struct fuse_init_in in;
	} init;
	struct {
		struct fuse_in_header header;
		struct fuse_write_in in;
	} write;
	struct {
		struct fuse_in_header header;
		struct fuse_setattr_in in;
	} setattr;
};

static void look(const union request *r)
{
	last.opcode = r->header.opcode;
	last.unique = r->header.unique;
	last.told = false;
	switch (last.opcode) {
	case FUSE_INIT:
		offered = r->init.in.flags;
		break;
	case FUSE_WRITE:
		last.told = offered & FUSE_HANDLE_KILLPRIV_V2;
		last.clears = r->write.in.write_flags & FUSE_WRITE_KILL_SUIDGID;
		break;
	case FUSE_SETATTR:
		last.told = offered & FUSE_HANDLE_KILLPRIV_V2;
		last.clears = r->setattr.in.valid & FATTR_KILL_SUIDGID;
		break;
	}
}

static ssize_t wire_read(int fd, void *buf, size_t size, void *data)
{
	ssize_t n = read(fd, buf, size);

	(void)data;
	if (n >= (ssize_t)sizeof(struct fuse_in_header))
		look(buf);
	return n;
}

static ssize_t wire_writev(int fd, struct iovec *iov, int count, void *data)
{
	const struct fuse_out_header *header = iov->iov_base;
	struct fuse_init_out *out;

	(void)data;
	if (last.opcode == FUSE_INIT && header->unique == last.unique &&
	    !header->error && count == 2) {
		out = iov[1].iov_base;
		out->flags |= offered & FUSE_HANDLE_KILLPRIV_V2;
	}
	return writev(fd, iov, count);
}

bool wire_clears_ids(fuse_req_t req)
{
	return last.told ? last.clears : fuse_req_ctx(req)->uid != 0;
}

int wire_start(struct fuse_session *se, int fd)
{
	static const struct fuse_custom_io io = {
		.read = wire_read,
		.writev = wire_writev,
	};

	return fuse_session_custom_io(se, &io, fd);
}
