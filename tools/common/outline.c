// SPDX-License-Identifier: GPL-2.0-only
/* Files for libblkid to read where a disk is none. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe.h"
#include "tool.h"

#define SECTOR 512
/* Signatures are not further from the start or the end. */
#define WINDOW (1 << 20)

/*
 * @fd: what of it has been copied so far
 */
struct outline {
	bool (*read)(void *handle, void *buf, size_t len, off_t pos);
	void *handle;
	off_t size;
	unsigned int sector;
	int fd;
};

static bool copy_window(struct outline *o, off_t pos, off_t end)
{
	char *buf = tool_alloc(NULL, WINDOW + SECTOR);
	bool ok;

	pos = pos < 0 ? 0 : pos / SECTOR * SECTOR;
	if (end > o->size)
		end = o->size;
	ok = pos >= end || (o->read(o->handle, buf, end - pos, pos) &&
			    pwrite(o->fd, buf, end - pos, pos) == end - pos);
	free(buf);
	return ok;
}

static bool copy_ends(struct outline *o, off_t start, off_t size)
{
	off_t end = start + size;

	if (size <= 2 * WINDOW)
		return copy_window(o, start, start + size / 2) &&
		       copy_window(o, start + size / 2, end);
	return copy_window(o, start, start + WINDOW) &&
	       copy_window(o, end - WINDOW, end);
}

/*
 * Show the partitions that can be seen; they may show others, as the extended
 * ones of an MBR do.  Returns their number, or -1.
 */
static int copy_partitions(struct outline *o)
{
	blkid_probe pr = blkid_new_probe();
	unsigned int sector = o->sector;
	blkid_partlist list;
	int count = 0;
	bool ok = true;

	if (!pr)
		tool_no_memory();
	list = probe_partitions(pr, o->fd, &sector);
	if (list)
		count = blkid_partlist_numof_partitions(list);
	for (int i = 0; i < count && ok; i++) {
		blkid_partition p = blkid_partlist_get_partition(list, i);

		ok = copy_ends(o, blkid_partition_get_start(p) * SECTOR,
			       blkid_partition_get_size(p) * SECTOR);
	}
	blkid_free_probe(pr);
	return ok ? count : -1;
}

int probe_outline(bool (*read)(void *handle, void *buf, size_t len, off_t pos),
		  void *handle, off_t size, unsigned int sector)
{
	struct outline o = { read, handle, size, sector,
			     memfd_create("disk", MFD_CLOEXEC) };
	int before, now = 0;

	if (o.fd < 0 || ftruncate(o.fd, size) || !copy_ends(&o, 0, size))
		now = -1;
	do {
		before = now;
		if (now >= 0)
			now = copy_partitions(&o);
	} while (now > before);
	if (now >= 0)
		return o.fd;
	tool_error("cannot read the start of the disk: %s", strerror(EIO));
	if (o.fd >= 0)
		close(o.fd);
	return -1;
}
