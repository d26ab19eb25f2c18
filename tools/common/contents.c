// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds the partition and the file system of an image, without a kernel.
 */
#include <blkid/blkid.h>
#include <stdio.h>
#include <stdlib.h>

#include "contents.h"
#include "layers.h"
#include "tool.h"

/* "1 (vfat), 2 (ext4)" */
static char *list_partitions(const struct disk *d, blkid_partlist list)
{
	char *text = tool_alloc(NULL, 1), *more;

	*text = 0;
	for (int i = 0; i < blkid_partlist_numof_partitions(list); i++) {
		blkid_partition p = blkid_partlist_get_partition(list, i);
		struct probe found;

		probe_at(d->fd, blkid_partition_get_start(p) * DISK_SECTOR,
			 blkid_partition_get_size(p) * DISK_SECTOR, &found);
		if (asprintf(&more, "%s%s%d%s%s%s", text, i ? ", " : "",
			     blkid_partition_get_partno(p),
			     *found.type ? " (" : "", found.type,
			     *found.type ? ")" : "") < 0)
			tool_no_memory();
		free(text);
		text = more;
	}
	return text;
}

static int check_partition(const struct disk *d, blkid_partlist list,
			   unsigned int part, off_t *off, off_t *size)
{
	blkid_partition p;
	char *have;

	if (!list) {
		tool_error("'%s' has no partition %u and no partition table",
			   d->file, part);
		return -1;
	}
	p = blkid_partlist_get_partition_by_partno(list, part);
	if (!p) {
		have = list_partitions(d, list);
		tool_error("'%s' has no partition %u; it has: %s", d->file,
			   part, *have ? have : "none");
		free(have);
		return -1;
	}
	*off = blkid_partition_get_start(p) * DISK_SECTOR;
	*size = blkid_partition_get_size(p) * DISK_SECTOR;
	if (*off + *size > (off_t)d->size) {
		tool_error("'%s' is truncated: partition %u ends at byte %lld, "
			   "the image at %llu",
			   d->file, part, (long long)(*off + *size), d->size);
		return -1;
	}
	return 0;
}

/* Is there something that can be mounted, or opened to find that? */
static bool is_mountable(const struct probe *found)
{
	return layers_known(found) || (*found->type && !found->other);
}

/* The only partition with something to mount, or NULL. */
static blkid_partition only_mountable(const struct disk *d, blkid_partlist list)
{
	blkid_partition only = NULL;

	for (int i = 0; i < blkid_partlist_numof_partitions(list); i++) {
		blkid_partition p = blkid_partlist_get_partition(list, i);
		struct probe found;

		probe_at(d->fd, blkid_partition_get_start(p) * DISK_SECTOR,
			 blkid_partition_get_size(p) * DISK_SECTOR, &found);
		if (!is_mountable(&found))
			continue;
		if (only)
			return NULL;
		only = p;
	}
	return only;
}

int contents_find(struct disk *d, unsigned int *part, const char *type,
		  bool whole, bool dash_o, struct probe *found)
{
	blkid_probe pr = blkid_new_probe();
	off_t off = 0, size = d->size;
	blkid_partlist list;
	int ret = -1;
	char *have;

	if (!pr)
		tool_no_memory();
	list = probe_partitions(pr, d->fd, &d->sector);
	if (!*part && !whole && list) {
		blkid_partition only;

		probe_at(d->fd, off, size, found);
		only = is_mountable(found) ? NULL : only_mountable(d, list);
		if (only)
			*part = blkid_partition_get_partno(only);
	}
	if (*part && check_partition(d, list, *part, &off, &size))
		goto out;
	probe_at(d->fd, off, size, found);
	if (type || is_mountable(found)) {
		ret = 0;
	} else if (found->other) {
		tool_error("'%s' contains %s, which is not a file system",
			   d->file, found->type);
	} else if (!*part && list && blkid_partlist_numof_partitions(list)) {
		have = list_partitions(d, list);
		tool_error("'%s' is partitioned, choose one with %s: %s",
			   d->file, dash_o ? "part=" : "-P", have);
		free(have);
	} else if (*part) {
		tool_error("no file system found in partition %u of '%s'",
			   *part, d->file);
	} else {
		tool_error("no file system found in '%s'", d->file);
	}
out:
	blkid_free_probe(pr);
	return ret;
}
