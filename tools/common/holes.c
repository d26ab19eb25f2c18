// SPDX-License-Identifier: GPL-2.0-only
/*
 * File systems are asked with SEEK_DATA and SEEK_HOLE.  One that knows no holes
 * calls all of a file data.  If very few blocks of it are in use, fewer than it
 * would take compressed, it is read, and blocks of zeros are taken for holes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "holes.h"
#include "tool.h"

#define CHUNK (1 << 20)
#define BLOCK 4096

static bool is_zero(const char *buf, size_t len)
{
	return !*buf && !memcmp(buf, buf + 1, len - 1);
}

/* The first block from @off that is zero, or is not; the end if there is none.
 */
static long find(struct holes *h, off_t off, bool zero, off_t *found)
{
	while (off < h->size && !tool_signal) {
		long got = h->fs->pread(h->fd, h->buf, CHUNK, off);

		if (got < 0)
			return got;
		if (!got)
			break;
		for (long pos = 0; pos < got; pos += BLOCK) {
			long len = got - pos < BLOCK ? got - pos : BLOCK;

			if (is_zero(h->buf + pos, len) == zero) {
				*found = off + pos;
				return 0;
			}
		}
		off += got;
	}
	*found = h->size;
	return 0;
}

static long scan(struct holes *h, off_t off, off_t *data, off_t *hole)
{
	long err = find(h, off, false, data);

	if (!err && *data < h->size)
		err = find(h, *data, true, hole);
	if (err)
		return err;
	return *data < h->size;
}

long holes_next(struct holes *h, off_t off, off_t *data, off_t *hole)
{
	if (h->scan)
		return scan(h, off, data, hole);
	*data = h->fs->seek(h->fd, off, SEEK_DATA);
	if (*data == -ENXIO)
		return 0;
	*hole = *data < 0 ? *data : h->fs->seek(h->fd, *data, SEEK_HOLE);
	if (!off && h->few && (*data < 0 || (!*data && *hole >= h->size))) {
		h->scan = true;
		h->buf = tool_alloc(NULL, CHUNK);
		return scan(h, off, data, hole);
	}
	if (*data < 0)
		return *data;
	if (*hole < 0)
		*hole = h->size;
	return 1;
}

void holes_end(struct holes *h)
{
	free(h->buf);
}
