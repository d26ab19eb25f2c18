// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to a disk: read what the driver wants, and ask the back end for it.
 */
#include "../../host/iov.h"
#include "blk.h"

/*
 * Header, data, one byte of status: the driver may cut that into buffers as it
 * likes.
 */
bool blk_parse(struct lkl_virtq *q, unsigned int head, struct iovec *iov,
	       struct command *cmd)
{
	struct lkl_chain chain = { .iov = iov, .max = MAX_IOV };
	struct iovec *last;
	unsigned int used;

	if (lkl_virtq_chain(q, head, &chain))
		return false;
	last = &iov[chain.out + chain.in - 1];
	if (iov_get(iov, chain.out, &cmd->hdr, sizeof(cmd->hdr)) <
		    sizeof(cmd->hdr) ||
	    !chain.in || !last->iov_len) {
		lkl_virtq_broken(q, "request without header or status");
		return false;
	}
	last->iov_len--;
	cmd->status = (uint8_t *)last->iov_base + last->iov_len;

	if (to_driver(cmd)) {
		cmd->buf = &iov[chain.out];
		cmd->count = chain.in;
		used = iov_skip(cmd->buf, cmd->count, 0);
	} else {
		cmd->buf = iov;
		cmd->count = chain.out;
		used = iov_skip(iov, chain.out, sizeof(cmd->hdr));
	}
	cmd->buf += used;
	cmd->count -= used;
	cmd->bytes = iov_length(cmd->buf, cmd->count);
	return true;
}

static int ask(struct blk *b, struct lkl_blk_req *req)
{
	int status = b->overlay.on ? blk_overlay_request(b, req)
				   : b->ops->request(b->disk, req);

	switch (status) {
	case LKL_DEV_BLK_STATUS_OK:
	case LKL_DEV_BLK_STATUS_UNSUP:
		return status;
	case LKL_DEV_BLK_STATUS_AGAIN:
		if (req->flags & LKL_BLK_REQ_NOWAIT)
			return status;
		break;
	}
	return LKL_DEV_BLK_STATUS_IOERR;
}

static bool may_read(struct blk *b, uint64_t sector, uint64_t count)
{
	return sector <= b->config.capacity &&
	       count <= b->config.capacity - sector;
}

static bool may_write(struct blk *b, uint64_t sector, uint64_t count)
{
	return !(b->limits.flags & LKL_BLK_READ_ONLY) && sector <= b->whole &&
	       count <= b->whole - sector;
}

static int transfer(struct blk *b, struct command *cmd, unsigned int flags)
{
	struct lkl_blk_req req = {
		.type = cmd->hdr.type,
		.prio = cmd->hdr.ioprio,
		.sector = cmd->hdr.sector,
		.buf = cmd->buf,
		.count = cmd->count,
		.flags = flags,
	};

	if (cmd->bytes % SECTOR ||
	    !(cmd->hdr.type == LKL_VIRTIO_BLK_T_OUT ? may_write : may_read)(
		    b, cmd->hdr.sector, cmd->bytes / SECTOR))
		return LKL_DEV_BLK_STATUS_IOERR;
	return cmd->bytes ? ask(b, &req) : LKL_DEV_BLK_STATUS_OK;
}

static int flush(struct blk *b, struct command *cmd)
{
	struct lkl_blk_req req = {
		.type = LKL_DEV_BLK_TYPE_FLUSH,
		.prio = cmd->hdr.ioprio,
	};
	int status = ask(b, &req);

	/* A back end that does not know the word has nothing to flush. */
	return status == LKL_DEV_BLK_STATUS_UNSUP ? LKL_DEV_BLK_STATUS_OK
						  : status;
}

/* Discard and write zeroes: the data is an array of ranges. */
static int ranges(struct blk *b, struct command *cmd)
{
	struct lkl_virtio_blk_discard_write_zeroes range[MAX_RANGES];
	bool zeroes = cmd->hdr.type == LKL_VIRTIO_BLK_T_WRITE_ZEROES;
	unsigned int i;

	if (!cmd->bytes || cmd->bytes % sizeof(*range) ||
	    cmd->bytes > sizeof(range))
		return LKL_DEV_BLK_STATUS_IOERR;
	iov_get(cmd->buf, cmd->count, range, cmd->bytes);

	for (i = 0; i < cmd->bytes / sizeof(*range); i++) {
		struct iovec length = {
			.iov_len = (size_t)range[i].num_sectors * SECTOR,
		};
		struct lkl_blk_req req = {
			.type = cmd->hdr.type,
			.prio = cmd->hdr.ioprio,
			.sector = range[i].sector,
			.buf = &length,
			.count = 1,
		};
		int status;

		if (range[i].flags &
		    ~(zeroes ? LKL_VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0))
			return LKL_DEV_BLK_STATUS_UNSUP;
		if (range[i].flags)
			req.flags = LKL_BLK_REQ_UNMAP;
		if (range[i].num_sectors > MAX_RANGE ||
		    !may_write(b, range[i].sector, range[i].num_sectors))
			return LKL_DEV_BLK_STATUS_IOERR;
		status = ask(b, &req);
		if (status)
			return status;
	}
	return LKL_DEV_BLK_STATUS_OK;
}

int blk_serve(struct blk *b, struct command *cmd, unsigned int flags)
{
	switch (cmd->hdr.type) {
	case LKL_VIRTIO_BLK_T_IN:
	case LKL_VIRTIO_BLK_T_OUT:
		return transfer(b, cmd, flags);
	case LKL_VIRTIO_BLK_T_FLUSH:
		return flush(b, cmd);
	case LKL_VIRTIO_BLK_T_DISCARD:
		if (b->limits.flags & LKL_BLK_DISCARD)
			return ranges(b, cmd);
		break;
	case LKL_VIRTIO_BLK_T_WRITE_ZEROES:
		if (b->limits.flags & LKL_BLK_WRITE_ZEROES)
			return ranges(b, cmd);
		break;
	case LKL_VIRTIO_BLK_T_GET_ID:
		iov_put(cmd->buf, cmd->count, b->vdev.name,
			sizeof(b->vdev.name));
		return LKL_DEV_BLK_STATUS_OK;
	}
	return LKL_DEV_BLK_STATUS_UNSUP;
}
