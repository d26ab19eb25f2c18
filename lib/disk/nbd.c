// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks that a server has, by the NBD protocol.  libnbd speaks it; it is loaded
 * when the first such disk is made, as it brings a dozen libraries with it that
 * no other program should have to load.
 *
 * A connection serves one request at a time, on the thread that makes it: with
 * the answer awaited there, no thread has to hand it to another.  Several
 * requests are in flight because there are several connections, if the server
 * promises (MULTI_CONN) that flushing one flushes what was written by all.
 *
 * libnbd wants one buffer, a request may have many: then they are gathered in a
 * buffer of the connection's.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <libnbd.h>

#include <lkl_host.h>
#include "../../host/iov.h"
#include "../load.h"

#define SECTOR 512
#define BLOCK_MAX 4096
#define CONNECTIONS 4
#define BUFFER_SIZE (1U << 20)

#define FUNCTION(name) __typeof__(nbd_##name) *name

static struct {
	FUNCTION(create);
	FUNCTION(close);
	FUNCTION(connect_uri);
	FUNCTION(shutdown);
	FUNCTION(get_errno);
	FUNCTION(get_size);
	FUNCTION(get_block_size);
	FUNCTION(is_read_only);
	FUNCTION(can_multi_conn);
	FUNCTION(can_flush);
	FUNCTION(can_trim);
	FUNCTION(can_zero);
	FUNCTION(pread);
	FUNCTION(pwrite);
	FUNCTION(flush);
	FUNCTION(trim);
	FUNCTION(zero);
} lib;

/* In the same order. */
static const char *const names[] = {
	"nbd_create",	      "nbd_close",	  "nbd_connect_uri",
	"nbd_shutdown",	      "nbd_get_errno",	  "nbd_get_size",
	"nbd_get_block_size", "nbd_is_read_only", "nbd_can_multi_conn",
	"nbd_can_flush",      "nbd_can_trim",	  "nbd_can_zero",
	"nbd_pread",	      "nbd_pwrite",	  "nbd_flush",
	"nbd_trim",	      "nbd_zero",	  NULL,
};

struct connection {
	struct connection *next;
	struct nbd_handle *nbd;
	char *buf;
};

/*
 * @idle: connections without a request
 * @freed: there is one again
 */
struct nbd {
	unsigned long long size;
	struct lkl_blk_limits limits;
	bool can_flush;
	unsigned int count;
	struct connection all[CONNECTIONS];
	struct connection *idle;
	pthread_mutex_t lock;
	pthread_cond_t freed;
};

static int nbd_get_capacity(struct lkl_disk disk, unsigned long long *bytes)
{
	*bytes = ((struct nbd *)disk.handle)->size;
	return 0;
}

static int nbd_get_limits(struct lkl_disk disk, struct lkl_blk_limits *limits)
{
	*limits = ((struct nbd *)disk.handle)->limits;
	return 0;
}

static struct connection *take(struct nbd *n)
{
	struct connection *c;

	pthread_mutex_lock(&n->lock);
	while (!n->idle)
		pthread_cond_wait(&n->freed, &n->lock);
	c = n->idle;
	n->idle = c->next;
	pthread_mutex_unlock(&n->lock);
	return c;
}

static void give_back(struct nbd *n, struct connection *c)
{
	pthread_mutex_lock(&n->lock);
	c->next = n->idle;
	n->idle = c;
	pthread_cond_signal(&n->freed);
	pthread_mutex_unlock(&n->lock);
}

static int transfer(struct connection *c, struct lkl_blk_req *req)
{
	bool write = req->type == LKL_DEV_BLK_TYPE_WRITE;
	struct iovec *iov = req->buf, *end = iov + req->count;
	uint64_t pos = req->sector * SECTOR;
	bool direct;
	size_t len;
	char *buf;

	for (;;) {
		while (end > iov && !end[-1].iov_len)
			end--;
		iov += iov_skip(iov, end - iov, 0);
		if (iov == end)
			return LKL_DEV_BLK_STATUS_OK;
		direct = iov->iov_len >= BUFFER_SIZE || iov + 1 == end;
		len = direct ? iov->iov_len : iov_length(iov, end - iov);
		if (len > BUFFER_SIZE)
			len = BUFFER_SIZE;
		buf = direct ? iov->iov_base : c->buf;
		if (!direct && write)
			iov_get(iov, end - iov, buf, len);
		if (write ? lib.pwrite(c->nbd, buf, len, pos, 0)
			  : lib.pread(c->nbd, buf, len, pos, 0))
			return LKL_DEV_BLK_STATUS_IOERR;
		if (!direct && !write)
			iov_put(iov, end - iov, buf, len);
		iov += iov_skip(iov, end - iov, len);
		pos += len;
	}
}

static int nbd_request(struct lkl_disk disk, struct lkl_blk_req *req)
{
	struct nbd *n = disk.handle;
	struct connection *c = take(n);
	uint64_t pos = req->sector * SECTOR;
	int status = LKL_DEV_BLK_STATUS_UNSUP, err = 0;

	switch (req->type) {
	case LKL_DEV_BLK_TYPE_READ:
	case LKL_DEV_BLK_TYPE_WRITE:
		status = transfer(c, req);
		break;
	case LKL_DEV_BLK_TYPE_FLUSH:
	case LKL_DEV_BLK_TYPE_FLUSH_OUT:
		if (n->can_flush)
			err = lib.flush(c->nbd, 0);
		status = err ? LKL_DEV_BLK_STATUS_IOERR : LKL_DEV_BLK_STATUS_OK;
		break;
	case LKL_DEV_BLK_TYPE_DISCARD:
		err = lib.trim(c->nbd, req->buf->iov_len, pos, 0);
		status = err ? LKL_DEV_BLK_STATUS_IOERR : LKL_DEV_BLK_STATUS_OK;
		break;
	case LKL_DEV_BLK_TYPE_WRITE_ZEROES:
		err = lib.zero(c->nbd, req->buf->iov_len, pos,
			       req->flags & LKL_BLK_REQ_UNMAP
				       ? 0
				       : LIBNBD_CMD_FLAG_NO_HOLE);
		status = err ? LKL_DEV_BLK_STATUS_IOERR : LKL_DEV_BLK_STATUS_OK;
		break;
	}
	give_back(n, c);
	return status;
}

static struct lkl_dev_blk_ops nbd_ops = {
	.get_capacity = nbd_get_capacity,
	.request = nbd_request,
	.get_limits = nbd_get_limits,
};

/* Add a connection; 0, or an error number and libnbd knows the reason. */
static int connect_once(struct nbd *n, const char *uri)
{
	struct connection *c = &n->all[n->count];

	c->buf = malloc(BUFFER_SIZE);
	c->nbd = c->buf ? lib.create() : NULL;
	if (!c->nbd) {
		free(c->buf);
		return ENOMEM;
	}
	if (lib.connect_uri(c->nbd, uri)) {
		lib.close(c->nbd);
		free(c->buf);
		return lib.get_errno() ? lib.get_errno() : EIO;
	}
	n->count++;
	give_back(n, c);
	return 0;
}

static int ask_server(struct nbd *n)
{
	struct nbd_handle *nbd = n->all[0].nbd;
	int64_t size = lib.get_size(nbd);
	int64_t block = lib.get_block_size(nbd, LIBNBD_SIZE_MINIMUM);
	int64_t best = lib.get_block_size(nbd, LIBNBD_SIZE_PREFERRED);

	if (size < 0 || block > BLOCK_MAX)
		return EINVAL;
	n->size = size;
	n->limits.block_size = block > SECTOR ? block : SECTOR;
	n->limits.physical_size = n->limits.block_size;
	if (best > block && best <= BLOCK_MAX)
		n->limits.physical_size = best;
	n->limits.discard_size = n->limits.physical_size;
	if (lib.is_read_only(nbd) > 0) {
		n->limits.flags |= LKL_BLK_READ_ONLY;
	} else {
		if (lib.can_trim(nbd) > 0)
			n->limits.flags |= LKL_BLK_DISCARD;
		if (lib.can_zero(nbd) > 0)
			n->limits.flags |= LKL_BLK_WRITE_ZEROES;
	}
	n->can_flush = lib.can_flush(nbd) > 0;
	return 0;
}

int lkl_disk_nbd_open(struct lkl_disk *disk, const char *uri)
{
	struct nbd *n;
	int err;

	if (!lib.create &&
	    !lkl_load("nbd", "libnbd.so.0", "libnbd0", names, (void **)&lib))
		return -ENOENT;
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	pthread_mutex_init(&n->lock, NULL);
	pthread_cond_init(&n->freed, NULL);
	*disk = (struct lkl_disk){ .handle = n, .ops = &nbd_ops };
	err = connect_once(n, uri);
	if (!err)
		err = ask_server(n);
	/* The server may allow less of them. */
	if (!err && lib.can_multi_conn(n->all[0].nbd) > 0) {
		while (n->count < CONNECTIONS && !connect_once(n, uri))
			;
	}
	n->limits.parallel = n->count;
	if (err)
		lkl_disk_nbd_close(disk);
	return -err;
}

void lkl_disk_nbd_close(struct lkl_disk *disk)
{
	struct nbd *n = disk->handle;

	while (n->count) {
		struct connection *c = &n->all[--n->count];

		lib.shutdown(c->nbd, 0);
		lib.close(c->nbd);
		free(c->buf);
	}
	pthread_cond_destroy(&n->freed);
	pthread_mutex_destroy(&n->lock);
	free(n);
}
