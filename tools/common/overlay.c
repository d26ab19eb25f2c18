// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk in memory that starts as another one.
 *
 * A read-only mount of a file system that was not unmounted cleanly wants to
 * replay its journal: it does so here, and the image stays as it is.  The
 * memory has the size of the disk, but only what was written takes any; a bit
 * for each sector says which those are.  The library makes one request at a
 * time.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "overlay.h"

#define SECTOR 512
/* Sectors that are compared and written at a time. */
#define RUN 2048

struct overlay {
	struct lkl_disk below;
	struct lkl_dev_blk_ops *ops;
	unsigned long long size;
	unsigned char *data;
	unsigned char *written;
	size_t written_size;
};

static int overlay_capacity(struct lkl_disk disk, unsigned long long *size)
{
	*size = ((struct overlay *)disk.handle)->size;
	return 0;
}

/* Blocks as they are below, and none of its other abilities. */
static int overlay_limits(struct lkl_disk disk, struct lkl_blk_limits *limits)
{
	struct overlay *o = disk.handle;
	struct lkl_blk_limits below = *limits;
	int err = 0;

	if (o->ops->get_limits)
		err = o->ops->get_limits(o->below, &below);
	limits->block_size = below.block_size;
	limits->physical_size = below.physical_size;
	limits->discard_size = below.discard_size;
	return err;
}

static bool is_written(const struct overlay *o, unsigned long long sector)
{
	return o->written[sector / 8] & 1 << sector % 8;
}

static int transfer(struct overlay *o, int type, unsigned long long sector,
		    void *buf, size_t len)
{
	struct iovec iov = { buf, len };
	struct lkl_blk_req req = {
		.type = type,
		.sector = sector,
		.buf = &iov,
		.count = 1,
	};

	return o->ops->request(o->below, &req);
}

/* Runs of sectors that were written, and of those that were not. */
static int overlay_read(struct overlay *o, unsigned long long sector, char *buf,
			size_t len)
{
	int status = LKL_DEV_BLK_STATUS_OK;

	while (len && status == LKL_DEV_BLK_STATUS_OK) {
		bool ours = is_written(o, sector);
		size_t n = SECTOR;

		while (n < len && is_written(o, sector + n / SECTOR) == ours)
			n += SECTOR;
		if (n > len)
			n = len;
		if (ours)
			memcpy(buf, o->data + sector * SECTOR, n);
		else
			status = transfer(o, LKL_DEV_BLK_TYPE_READ, sector, buf,
					  n);
		buf += n;
		len -= n;
		sector += n / SECTOR;
	}
	return status;
}

static void overlay_write(struct overlay *o, unsigned long long sector,
			  const char *buf, size_t len)
{
	memcpy(o->data + sector * SECTOR, buf, len);
	for (; len; len -= SECTOR, sector++)
		o->written[sector / 8] |= 1 << sector % 8;
}

static int overlay_request(struct lkl_disk disk, struct lkl_blk_req *req)
{
	struct overlay *o = disk.handle;
	unsigned long long sector = req->sector;
	int status = LKL_DEV_BLK_STATUS_OK;

	if (req->type == LKL_DEV_BLK_TYPE_FLUSH ||
	    req->type == LKL_DEV_BLK_TYPE_FLUSH_OUT)
		return LKL_DEV_BLK_STATUS_OK;
	if (req->type != LKL_DEV_BLK_TYPE_READ &&
	    req->type != LKL_DEV_BLK_TYPE_WRITE)
		return LKL_DEV_BLK_STATUS_UNSUP;
	for (int i = 0; i < req->count && status == LKL_DEV_BLK_STATUS_OK;
	     i++) {
		struct iovec *v = &req->buf[i];

		if (req->type == LKL_DEV_BLK_TYPE_READ)
			status = overlay_read(o, sector, v->iov_base,
					      v->iov_len);
		else
			overlay_write(o, sector, v->iov_base, v->iov_len);
		sector += v->iov_len / SECTOR;
	}
	return status;
}

static struct lkl_dev_blk_ops overlay_ops = {
	.get_capacity = overlay_capacity,
	.request = overlay_request,
	.get_limits = overlay_limits,
};

static void *reserve(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

struct overlay *overlay_new(struct lkl_disk *disk)
{
	struct overlay *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->below = *disk;
	o->ops = disk->ops ? disk->ops : &lkl_dev_blk_ops;
	if (!o->ops->get_capacity(o->below, &o->size)) {
		o->written_size = o->size / SECTOR / 8 + 1;
		o->data = reserve(o->size + SECTOR);
		o->written = reserve(o->written_size);
	}
	if (!o->data || !o->written) {
		overlay_free(o);
		return NULL;
	}
	*disk = (struct lkl_disk){ .handle = o, .ops = &overlay_ops };
	return o;
}

/* The first run of sectors from @sector on that were written; its length. */
static size_t next_run(const struct overlay *o, unsigned long long *sector)
{
	unsigned long long end = o->size / SECTOR, s = *sector;
	size_t n = 0;

	while (s < end && !is_written(o, s))
		s += s % 8 || o->written[s / 8] ? 1 : 8;
	*sector = s;
	while (n < RUN && s + n < end && is_written(o, s + n))
		n++;
	return n;
}

/*
 * Write what the disk had before @end again.  What does not succeed here was
 * not written before either.
 */
static void restore(struct overlay *o, unsigned long long end)
{
	unsigned long long sector = 0;
	size_t n;

	while ((n = next_run(o, &sector)) && sector < end) {
		transfer(o, LKL_DEV_BLK_TYPE_WRITE, sector,
			 o->data + sector * SECTOR, n * SECTOR);
		sector += n;
	}
}

/*
 * Go through what was written; with @write have the disk become like it, or
 * stay as it was: what it had takes the place of what was written.
 */
static int compare(struct overlay *o, bool write)
{
	char *buf = malloc(RUN * SECTOR);
	unsigned long long sector = 0;
	int ret = buf ? 0 : -EIO;
	size_t n;

	while (ret >= 0 && (n = next_run(o, &sector))) {
		unsigned char *ours = o->data + sector * SECTOR;

		if (transfer(o, LKL_DEV_BLK_TYPE_READ, sector, buf, n * SECTOR))
			ret = -EIO;
		if (ret < 0)
			break;
		if (memcmp(buf, ours, n * SECTOR))
			ret = 1;
		if (ret > 0 && !write)
			break;
		if (ret > 0) {
			ret = transfer(o, LKL_DEV_BLK_TYPE_WRITE, sector, ours,
				       n * SECTOR)
				      ? -EIO
				      : 0;
			memcpy(ours, buf, n * SECTOR);
		}
		sector += n;
	}
	free(buf);
	if (write && ret < 0)
		restore(o, sector);
	return ret;
}

int overlay_changed(struct overlay *o)
{
	return compare(o, false);
}

int overlay_commit(struct overlay *o)
{
	struct lkl_blk_req flush = { .type = LKL_DEV_BLK_TYPE_FLUSH };
	int err = compare(o, true);

	if (!err &&
	    o->ops->request(o->below, &flush) == LKL_DEV_BLK_STATUS_IOERR)
		err = -EIO;
	return err;
}

void overlay_free(struct overlay *o)
{
	if (!o)
		return;
	if (o->data)
		munmap(o->data, o->size + SECTOR);
	if (o->written)
		munmap(o->written, o->written_size);
	free(o);
}
