// SPDX-License-Identifier: GPL-2.0-only
/*
 * The FUSE protocol: which handler serves a request, and what it is given.
 *
 * Nothing the kernel writes is trusted to be complete: arguments are copied
 * once, and shorter ones than a handler reads are an error.
 */
#include <stdint.h>
#include <string.h>

#include <lkl/asm/errno.h>
#include "../../host/iov.h"
#include "hostdir.h"

static long hostdir_init(struct request *r)
{
	const struct lkl_fuse_init_in *in = (void *)r->args;
	struct lkl_fuse_init_out *out = (void *)r->reply;
	const uint64_t flags =
		LKL_FUSE_ASYNC_READ | LKL_FUSE_BIG_WRITES |
		LKL_FUSE_AUTO_INVAL_DATA | LKL_FUSE_DO_READDIRPLUS |
		LKL_FUSE_READDIRPLUS_AUTO | LKL_FUSE_ASYNC_DIO |
		LKL_FUSE_PARALLEL_DIROPS | LKL_FUSE_MAX_PAGES |
		LKL_FUSE_INIT_EXT | LKL_FUSE_DIRECT_IO_ALLOW_MMAP;

	if (in->major != LKL_FUSE_KERNEL_VERSION)
		return -LKL_EPROTO;
	*out = (struct lkl_fuse_init_out){
		.major = LKL_FUSE_KERNEL_VERSION,
		.minor = LKL_FUSE_KERNEL_MINOR_VERSION,
		.max_readahead = in->max_readahead,
		.flags = (uint32_t)flags & (in->flags | LKL_FUSE_INIT_EXT),
		.flags2 = flags >> 32,
		.max_background = 64,
		.congestion_threshold = 48,
		.max_write = MAX_DATA,
		.time_gran = 1,
		.max_pages = MAX_PAGES,
	};
	return sizeof(*out);
}

/* The file system has been unmounted. */
static long hostdir_destroy(struct request *r)
{
	handles_clear(r->h);
	nodes_clear(r->h);
	return 0;
}

static long hostdir_forget(struct request *r)
{
	const struct lkl_fuse_forget_in *in = (void *)r->args;

	nodes_forget(r->h, r->hdr.nodeid, in->nlookup);
	return 0;
}

/* It changes something on the host. */
#define CHANGES 1
/* The reply is in the buffers already. */
#define IN_PLACE 2
#define NO_REPLY 4
/* It may be served in the middle of the kernel, see struct request. */
#define NOW 8

/**
 * struct handler - what serves a request
 * @serve: returns the length of the reply, or a negative error number
 * @least: what @serve reads of the arguments in any case
 * @flags: CHANGES, ...
 */
struct handler {
	long (*serve)(struct request *r);
	size_t least;
	unsigned int flags;
};

#define IN(type) sizeof(struct lkl_fuse_##type##_in)

static const struct handler handlers[] = {
	[LKL_FUSE_INIT] = { hostdir_init, IN(init), 0 },
	[LKL_FUSE_DESTROY] = { hostdir_destroy, 0, 0 },
	[LKL_FUSE_FORGET] = { hostdir_forget, IN(forget), NO_REPLY },
	[LKL_FUSE_LOOKUP] = { hostdir_lookup, 1, 0 },
	[LKL_FUSE_GETATTR] = { hostdir_getattr, 0, 0 },
	[LKL_FUSE_SETATTR] = { hostdir_setattr, IN(setattr), CHANGES },
	[LKL_FUSE_READLINK] = { hostdir_readlink, 0, 0 },
	[LKL_FUSE_SYMLINK] = { hostdir_symlink, 3, CHANGES },
	[LKL_FUSE_MKNOD] = { hostdir_mknod, IN(mknod), CHANGES },
	[LKL_FUSE_MKDIR] = { hostdir_mkdir, IN(mkdir), CHANGES },
	[LKL_FUSE_UNLINK] = { hostdir_unlink, 1, CHANGES },
	[LKL_FUSE_RMDIR] = { hostdir_rmdir, 1, CHANGES },
	[LKL_FUSE_RENAME] = { hostdir_rename, IN(rename), CHANGES },
	[LKL_FUSE_RENAME2] = { hostdir_rename2, IN(rename2), CHANGES },
	[LKL_FUSE_LINK] = { hostdir_link, IN(link), CHANGES },
	[LKL_FUSE_CREATE] = { hostdir_create, IN(create), CHANGES },
	[LKL_FUSE_OPEN] = { hostdir_open, IN(open), 0 },
	[LKL_FUSE_RELEASE] = { hostdir_release, IN(release), 0 },
	[LKL_FUSE_READ] = { hostdir_read, IN(read), IN_PLACE | NOW },
	[LKL_FUSE_WRITE] = { hostdir_write, IN(write), CHANGES },
	[LKL_FUSE_FSYNC] = { hostdir_fsync, IN(fsync), 0 },
	[LKL_FUSE_FALLOCATE] = { hostdir_fallocate, IN(fallocate), CHANGES },
	[LKL_FUSE_LSEEK] = { hostdir_lseek, IN(lseek), 0 },
	[LKL_FUSE_COPY_FILE_RANGE] = { hostdir_copy_file_range,
				       IN(copy_file_range), CHANGES },
	[LKL_FUSE_STATFS] = { hostdir_statfs, 0, 0 },
	[LKL_FUSE_SETXATTR] = { hostdir_setxattr,
				LKL_FUSE_COMPAT_SETXATTR_IN_SIZE + 2, CHANGES },
	[LKL_FUSE_GETXATTR] = { hostdir_getxattr, IN(getxattr) + 2, 0 },
	[LKL_FUSE_LISTXATTR] = { hostdir_listxattr, IN(getxattr), 0 },
	[LKL_FUSE_REMOVEXATTR] = { hostdir_removexattr, 2, CHANGES },
	[LKL_FUSE_OPENDIR] = { hostdir_opendir, IN(open), 0 },
	[LKL_FUSE_READDIR] = { hostdir_readdir, IN(read), 0 },
	[LKL_FUSE_READDIRPLUS] = { hostdir_readdirplus, IN(read), 0 },
	[LKL_FUSE_RELEASEDIR] = { hostdir_release, IN(release), 0 },
	[LKL_FUSE_FSYNCDIR] = { hostdir_fsync, IN(fsync), 0 },
};

static const struct handler *handler_of(uint32_t opcode)
{
	const struct handler *handler = NULL;

	if (opcode < sizeof(handlers) / sizeof(*handlers))
		handler = &handlers[opcode];
	return handler && handler->serve ? handler : NULL;
}

static long run(struct request *r, const struct handler *handler)
{
	size_t max = MAX_ARGS;
	unsigned int used;

	if (!handler)
		return -LKL_ENOSYS;
	/* What else there is, is data. */
	if (r->hdr.opcode == LKL_FUSE_WRITE)
		max = handler->least;
	r->len = iov_get(r->out, r->out_count, r->args, max);
	r->args[r->len] = 0;
	used = iov_skip(r->out, r->out_count, r->len);
	r->out += used;
	r->out_count -= used;
	if (r->len < handler->least)
		return -LKL_EINVAL;
	if (r->hdr.opcode != LKL_FUSE_WRITE && iov_length(r->out, r->out_count))
		return -LKL_E2BIG;
	if (handler->flags & CHANGES && r->h->readonly)
		return -LKL_EROFS;
	return handler->serve(r);
}

/* Read the header, and find what is behind those of request and reply. */
static bool take(struct request *r, struct lkl_virtq *q, unsigned int head)
{
	struct lkl_chain chain = { .iov = r->iov, .max = MAX_IOV };
	size_t header = sizeof(struct lkl_fuse_out_header);
	unsigned int used;

	if (lkl_virtq_chain(q, head, &chain))
		return false;
	r->out = r->iov;
	r->out_count = chain.out;
	r->in = r->iov + chain.out;
	r->in_count = chain.in;
	if (iov_get(r->out, r->out_count, &r->hdr, sizeof(r->hdr)) <
	    sizeof(r->hdr)) {
		lkl_virtq_broken(q, "request without header");
		return false;
	}
	used = iov_skip(r->out, r->out_count, sizeof(r->hdr));
	r->out += used;
	r->out_count -= used;
	r->room = iov_length(r->in, r->in_count);
	r->room = r->room > header ? r->room - header : 0;
	return true;
}

long hostdir_serve(struct request *r, struct lkl_virtq *q, unsigned int head)
{
	struct lkl_fuse_out_header out = { .len = sizeof(out) };
	const struct handler *handler;
	struct iovec *first, header;
	unsigned int used, count;
	long ret;

	if (!take(r, q, head))
		return -1;
	handler = handler_of(r->hdr.opcode);
	if (r->now && !(handler && handler->flags & NOW))
		return HOSTDIR_LATER;
	if (handler && handler->flags & NO_REPLY) {
		run(r, handler);
		return 0;
	}
	if (!r->in_count || r->in->iov_len < sizeof(out)) {
		lkl_virtq_broken(q, "request without room for a reply");
		return -1;
	}
	first = r->in;
	count = r->in_count;
	header = *first;
	used = iov_skip(r->in, r->in_count, sizeof(out));
	r->in += used;
	r->in_count -= used;

	ret = run(r, handler);
	if (r->now && ret == -LKL_EAGAIN)
		return HOSTDIR_LATER;
	if (ret > (long)r->room)
		ret = -LKL_EIO;
	if (ret > 0 && !(handler->flags & IN_PLACE)) {
		used = first + count - r->in;
		iov_put(r->in, used, r->reply, ret);
	}
	out.unique = r->hdr.unique;
	out.error = ret < 0 ? ret : 0;
	out.len += ret > 0 ? ret : 0;
	memcpy(header.iov_base, &out, sizeof(out));
	return out.len;
}
