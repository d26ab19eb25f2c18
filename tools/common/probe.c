// SPDX-License-Identifier: GPL-2.0-only
/*
 * libblkid, and files for it to read where a disk is none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe.h"
#include "tool.h"

#define SECTOR 512
/* The other size that disks have. */
#define BIG_SECTOR 4096
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

static void get_value(blkid_probe pr, const char *name, char *buf, size_t size)
{
	const char *value;

	if (!blkid_probe_lookup_value(pr, name, &value, NULL))
		snprintf(buf, size, "%s", value);
}

void probe_at(int fd, off_t off, off_t size, struct probe *found)
{
	blkid_probe pr = blkid_new_probe();
	const char *usage;

	*found = (struct probe){ 0 };
	if (!pr)
		tool_no_memory();
	if (!blkid_probe_set_device(pr, fd, off, size) &&
	    !blkid_probe_enable_superblocks(pr, 1) &&
	    !blkid_probe_set_superblocks_flags(
		    pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_VERSION |
				BLKID_SUBLKS_USAGE | BLKID_SUBLKS_LABEL |
				BLKID_SUBLKS_UUID) &&
	    !blkid_do_safeprobe(pr)) {
		get_value(pr, "TYPE", found->type, sizeof(found->type));
		get_value(pr, "VERSION", found->version,
			  sizeof(found->version));
		get_value(pr, "LABEL", found->label, sizeof(found->label));
		get_value(pr, "UUID", found->uuid, sizeof(found->uuid));
		found->other =
			!blkid_probe_lookup_value(pr, "USAGE", &usage, NULL) &&
			strcmp(usage, "filesystem");
	}
	blkid_free_probe(pr);
}

static blkid_partlist try_partitions(blkid_probe pr, int fd,
				     unsigned int sector)
{
	if (blkid_probe_set_device(pr, fd, 0, 0) ||
	    blkid_probe_set_sectorsize(pr, sector) ||
	    blkid_probe_enable_partitions(pr, 1))
		return NULL;
	return blkid_probe_get_partitions(pr);
}

/*
 * Does the table count in sectors of this size?  GPT has checksums; an MBR
 * would have partitions in which something can be seen.
 */
static bool plausible(blkid_partlist list, int fd)
{
	int count = list ? blkid_partlist_numof_partitions(list) : 0;
	struct probe found;

	if (!count)
		return false;
	if (!strcmp(blkid_parttable_get_type(blkid_partlist_get_table(list)),
		    "gpt"))
		return true;
	for (int i = 0; i < count; i++) {
		blkid_partition p = blkid_partlist_get_partition(list, i);

		probe_at(fd, blkid_partition_get_start(p) * SECTOR,
			 blkid_partition_get_size(p) * SECTOR, &found);
		if (*found.type)
			return true;
	}
	return false;
}

blkid_partlist probe_partitions(blkid_probe pr, int fd, unsigned int *sector)
{
	blkid_partlist list;

	if (*sector)
		return try_partitions(pr, fd, *sector);
	*sector = SECTOR;
	list = try_partitions(pr, fd, SECTOR);
	if (plausible(list, fd))
		return list;
	if (plausible(try_partitions(pr, fd, BIG_SECTOR), fd))
		*sector = BIG_SECTOR;
	return try_partitions(pr, fd, *sector);
}

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

const char *probe_kernel_type(const char *type)
{
	return strcmp(type, "ntfs") ? type : "ntfs3";
}
