// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is written to a disk while the kernel is frozen: kept in memory, so that
 * the disk is in the remembered state all the time.
 *
 * There is room for all of the disk, of which the host provides what is used. A
 * byte for each block of 4096 bytes tells which of its sectors are here. Blocks
 * with any are in a list: it tells what to forget at a reset, and what to write
 * to the disk when the state is forgotten.
 *
 * Requests may run in kernel context, and several at a time; the driver does
 * not make two at a time for the same sectors.
 */
#include <stdlib.h>
#include <string.h>

#include <lkl/asm/errno.h>
#include "../../host/host.h"
#include "../../host/iov.h"
#include "blk.h"

#define BLOCK 4096
#define SECTORS (BLOCK / SECTOR)
/* Blocks whose memory is kept for what is written after a reset. */
#define KEEP_BLOCKS 16384
/* The longest write to the disk, in bytes. */
#define WRITE_MAX (1U << 20)

int blk_overlay_begin(struct blk *b)
{
	struct overlay *o = &b->overlay;

	o->blocks = b->config.capacity / SECTORS + 1;
	o->data = host_map_zeroed(o->blocks * BLOCK);
	o->have = host_map_zeroed(o->blocks);
	o->list = host_map_zeroed(o->blocks * sizeof(*o->list));
	if (!o->data || !o->have || !o->list)
		return -LKL_ENOMEM;
	o->on = true;
	return 0;
}

void blk_overlay_reset(struct blk *b)
{
	struct overlay *o = &b->overlay;

	if (o->count > KEEP_BLOCKS)
		host_zero_again(o->data, o->blocks * BLOCK);
	while (o->count)
		o->have[o->list[--o->count]] = 0;
}

void blk_overlay_end(struct blk *b)
{
	struct overlay *o = &b->overlay;

	host_unmap_zeroed(o->data, o->blocks * BLOCK);
	host_unmap_zeroed(o->have, o->blocks);
	host_unmap_zeroed(o->list, o->blocks * sizeof(*o->list));
	*o = (struct overlay){ 0 };
}

static bool has(const struct overlay *o, uint64_t sector)
{
	uint8_t bits =
		__atomic_load_n(&o->have[sector / SECTORS], __ATOMIC_ACQUIRE);

	return bits >> sector % SECTORS & 1;
}

/* Where a run of sectors ends that are all here, or all not. */
static uint64_t run_end(const struct overlay *o, uint64_t sector, uint64_t end)
{
	bool here = has(o, sector);

	do
		sector++;
	while (sector < end && has(o, sector) == here);
	return sector;
}

static void add(struct overlay *o, uint64_t sector, uint64_t end)
{
	while (sector < end) {
		uint64_t block = sector / SECTORS;
		uint64_t next = (block + 1) * SECTORS;
		uint8_t bits = 0xff << sector % SECTORS;

		if (next > end) {
			bits &= 0xff >> (next - end);
			next = end;
		}
		if (!__atomic_fetch_or(&o->have[block], bits, __ATOMIC_RELEASE))
			o->list[__atomic_fetch_add(&o->count, 1,
						   __ATOMIC_RELAXED)] = block;
		sector = next;
	}
}

/* Ask the back end for the first @len bytes of a request, and take them off. */
static int ask_part(struct blk *b, struct lkl_blk_req *req, size_t len)
{
	struct lkl_blk_req part = *req;
	struct iovec *last = req->buf, rest;
	int status;

	for (rest.iov_len = len; rest.iov_len > last->iov_len; last++)
		rest.iov_len -= last->iov_len;
	len = rest.iov_len;
	/* The back end may change what it is given. */
	rest.iov_base = (char *)last->iov_base + len;
	rest.iov_len = last->iov_len - len;
	last->iov_len = len;
	part.count = last - part.buf + 1;
	req->count -= last - req->buf;
	req->buf = last;
	status = b->ops->request(b->disk, &part);
	*last = rest;
	return status;
}

static int read_sectors(struct blk *b, struct lkl_blk_req *req, uint64_t end)
{
	struct overlay *o = &b->overlay;
	uint64_t sector = req->sector, next;
	int status = LKL_DEV_BLK_STATUS_OK;

	next = run_end(o, sector, end);
	if (next == end && !has(o, sector))
		return b->ops->request(b->disk, req);
	for (; sector < end && !status; sector = next) {
		size_t len;

		next = run_end(o, sector, end);
		len = (next - sector) * SECTOR;
		req->sector = sector;
		if (has(o, sector)) {
			unsigned int used;

			iov_put(req->buf, req->count, o->data + sector * SECTOR,
				len);
			used = iov_skip(req->buf, req->count, len);
			req->buf += used;
			req->count -= used;
		} else {
			status = ask_part(b, req, len);
		}
	}
	return status;
}

static void write_sectors(struct overlay *o, struct lkl_blk_req *req,
			  uint64_t end)
{
	iov_get(req->buf, req->count, o->data + req->sector * SECTOR,
		(end - req->sector) * SECTOR);
	add(o, req->sector, end);
}

static void zero_sectors(struct overlay *o, uint64_t sector, uint64_t end)
{
	uint64_t first = (sector + SECTORS - 1) / SECTORS * SECTORS;
	uint64_t last = end / SECTORS * SECTORS;
	char *data = o->data;

	if (first < last) {
		host_zero_again(data + first * SECTOR, (last - first) * SECTOR);
		memset(data + sector * SECTOR, 0, (first - sector) * SECTOR);
		memset(data + last * SECTOR, 0, (end - last) * SECTOR);
	} else {
		memset(data + sector * SECTOR, 0, (end - sector) * SECTOR);
	}
	add(o, sector, end);
}

int blk_overlay_request(struct blk *b, struct lkl_blk_req *req)
{
	struct overlay *o = &b->overlay;
	uint64_t end = req->sector;

	if (req->buf)
		end += iov_length(req->buf, req->count) / SECTOR;
	switch (req->type) {
	case LKL_DEV_BLK_TYPE_READ:
		return read_sectors(b, req, end);
	case LKL_DEV_BLK_TYPE_WRITE:
		write_sectors(o, req, end);
		return LKL_DEV_BLK_STATUS_OK;
	case LKL_DEV_BLK_TYPE_FLUSH:
	case LKL_DEV_BLK_TYPE_FLUSH_OUT:
		return LKL_DEV_BLK_STATUS_OK;
	case LKL_DEV_BLK_TYPE_DISCARD:
	case LKL_DEV_BLK_TYPE_WRITE_ZEROES:
		zero_sectors(o, req->sector, end);
		return LKL_DEV_BLK_STATUS_OK;
	}
	return LKL_DEV_BLK_STATUS_UNSUP;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int write_back(struct blk *b, uint64_t sector, uint64_t end)
{
	while (sector < end) {
		uint64_t n = end - sector;
		struct iovec iov = { b->overlay.data + sector * SECTOR, 0 };
		struct lkl_blk_req req = {
			.type = LKL_DEV_BLK_TYPE_WRITE,
			.sector = sector,
			.buf = &iov,
			.count = 1,
		};

		if (n > WRITE_MAX / SECTOR)
			n = WRITE_MAX / SECTOR;
		iov.iov_len = n * SECTOR;
		if (b->ops->request(b->disk, &req))
			return -LKL_EIO;
		sector += n;
	}
	return 0;
}

int blk_overlay_settle(struct blk *b)
{
	struct lkl_blk_req flush = { .type = LKL_DEV_BLK_TYPE_FLUSH };
	struct overlay *o = &b->overlay;
	unsigned int i = 0;
	int err = 0;

	if (!o->count)
		return 0;
	qsort(o->list, o->count, sizeof(*o->list), compare);
	while (i < o->count && !err) {
		uint64_t sector = (uint64_t)o->list[i] * SECTORS, end, next;

		for (end = sector; i < o->count; i++, end += SECTORS)
			if ((uint64_t)o->list[i] * SECTORS != end)
				break;
		for (; sector < end && !err; sector = next) {
			next = run_end(o, sector, end);
			if (has(o, sector))
				err = write_back(b, sector, next);
		}
	}
	/* A back end that does not know the word has nothing to flush. */
	if (!err &&
	    b->ops->request(b->disk, &flush) == LKL_DEV_BLK_STATUS_IOERR)
		err = -LKL_EIO;
	return err;
}
