/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of a disk: requests (blk/request.c), the threads that serve them
 * (blk/pool.c), and the virtio device (blk.c), which says how they belong
 * together.
 */
#ifndef BLK_H
#define BLK_H

#include <lkl_host.h>
#include <lkl/linux/virtio_blk.h>
#include "../virtio.h"

#define QUEUES 1
#define QUEUE_SIZE 128
/* Elements of a request; two are for its header and status. */
#define MAX_IOV 256
#define MAX_THREADS 17
/* Ranges of a discard request, and the longest of them in sectors. */
#define MAX_RANGES 32
#define MAX_RANGE (1U << 22)
#define SECTOR 512

enum { NARROW, WIDE, LANES };

/* A request on its way; one for each descriptor that can be the head of one. */
struct blk_req {
	struct blk_req *next;
	struct lkl_virtq *q;
	unsigned int head;
	uint32_t len;
	bool busy;
};

/*
 * A queue of requests for many producers and consumers.  A cell's sequence
 * tells whether the position that maps to it can be filled (equal) or taken
 * (one more).  It has room for all requests there are.
 */
struct fifo {
	unsigned int in;
	unsigned int out;
	struct {
		unsigned int sequence;
		struct blk_req *req;
	} cells[QUEUES * QUEUE_SIZE];
};

/*
 * @running: threads that serve a request of this lane
 * @limit: how many may
 */
struct lane {
	struct fifo todo;
	int running;
	int limit;
};

/*
 * @done: served, but not in the used ring yet
 * @iov: for use in kernel context
 */
struct blk_queue {
	struct blk_req reqs[QUEUE_SIZE];
	struct blk_req *done;
	struct iovec iov[MAX_IOV];
};

/*
 * @on: it is in use
 * @blocks: number of blocks of the disk
 * @data: what was written, where it is on the disk
 * @have: for each block, which sectors that is
 * @list: blocks that have any
 * @count: number of those
 */
struct overlay {
	bool on;
	uint64_t blocks;
	char *data;
	uint8_t *have;
	uint32_t *list;
	unsigned int count;
};

/*
 * @whole: sectors that the image has all of.  What would be written to a
 *	partial one behind them would make the image larger
 * @overlay: what was written since the kernel is frozen
 * @idle: number of threads that wait, or are about to, and were not called
 * @calls: number of threads that were called and have not come yet; what idle
 *	ones wait on
 */
struct blk {
	struct lkl_vdev vdev;
	struct lkl_disk disk;
	struct lkl_dev_blk_ops *ops;
	struct lkl_blk_limits limits;
	struct lkl_virtio_blk_config config;
	struct lkl_virtq virtqs[QUEUES];
	struct blk_queue queues[QUEUES];
	struct lane lanes[LANES];
	uint64_t whole;
	struct overlay overlay;
	int idle;
	int calls;
	int stop;
	int nthreads;
	int max_threads;
	lkl_thread_t threads[MAX_THREADS];
};

/* A request as the driver put it. */
struct command {
	struct lkl_virtio_blk_outhdr hdr;
	struct iovec *buf;
	unsigned int count;
	size_t bytes;
	uint8_t *status;
};

static inline bool to_driver(const struct command *cmd)
{
	return cmd->hdr.type == LKL_VIRTIO_BLK_T_IN ||
	       cmd->hdr.type == LKL_VIRTIO_BLK_T_GET_ID;
}

/* What a request has written, for the used ring. */
static inline uint32_t written(const struct command *cmd)
{
	return (to_driver(cmd) && !*cmd->status ? cmd->bytes : 0) + 1;
}

/**
 * blk_parse() - find out what a request wants
 * @q: the ring
 * @head: its head
 * @iov: room for MAX_IOV elements, which @cmd uses
 * @cmd: filled in
 *
 * Return: false when it is nonsense, and the device broken now
 */
bool blk_parse(struct lkl_virtq *q, unsigned int head, struct iovec *iov,
	       struct command *cmd);

/**
 * blk_serve() - do what a request wants
 * @b: the disk
 * @cmd: the request, whose buffers are consumed
 * @flags: LKL_BLK_REQ_NOWAIT or 0
 *
 * Return: LKL_DEV_BLK_STATUS_*
 */
int blk_serve(struct blk *b, struct command *cmd, unsigned int flags);

/**
 * blk_pool_start() - make the first threads
 * @b: the disk
 *
 * Return: whether that was possible; call blk_pool_stop() in either case
 */
bool blk_pool_start(struct blk *b);

/**
 * blk_pool_stop() - end all threads, once they have served what there is
 * @b: the disk
 */
void blk_pool_stop(struct blk *b);

/**
 * blk_pool_put() - leave a request to the threads; blk_pool_call() must follow
 * @b: the disk
 * @lane: NARROW or WIDE
 * @req: the request
 */
void blk_pool_put(struct blk *b, int lane, struct blk_req *req);

/**
 * blk_pool_call() - call threads for what was put
 * @b: the disk
 */
void blk_pool_call(struct blk *b);

/**
 * blk_pool_quiet() - are all requests done that were put?
 * @b: the disk
 */
bool blk_pool_quiet(struct blk *b);

/**
 * blk_overlay_begin() - from now on nothing is written to the back end
 * @b: the disk
 *
 * Return: 0 or -LKL_ENOMEM; blk_overlay_end() must follow in either case
 */
int blk_overlay_begin(struct blk *b);

/**
 * blk_overlay_request() - do what a request wants
 * @b: the disk
 * @req: the request, whose buffers are consumed
 *
 * Return: LKL_DEV_BLK_STATUS_*
 */
int blk_overlay_request(struct blk *b, struct lkl_blk_req *req);

/**
 * blk_overlay_reset() - forget what was written
 * @b: the disk
 *
 * For this and the next two no request is on its way.
 */
void blk_overlay_reset(struct blk *b);

/**
 * blk_overlay_settle() - write to the back end what was written
 * @b: the disk
 *
 * Return: 0 or -LKL_EIO
 */
int blk_overlay_settle(struct blk *b);

/**
 * blk_overlay_end() - the back end is written to again
 * @b: the disk
 */
void blk_overlay_end(struct blk *b);

#endif /* BLK_H */
