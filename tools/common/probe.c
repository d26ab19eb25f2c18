// SPDX-License-Identifier: GPL-2.0-only
/* libblkid. */
#include <stdio.h>
#include <string.h>

#include "probe.h"
#include "tool.h"

#define SECTOR 512
/* The other size that disks have. */
#define BIG_SECTOR 4096

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

const char *probe_kernel_type(const char *type)
{
	return strcmp(type, "ntfs") ? type : "ntfs3";
}
