/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tools need of libblkid, which there is not for Windows: partition
 * tables of the kinds GPT and MBR, and the file systems that the library's
 * kernel knows (tools/nt/blkid.c).
 */
#ifndef NT_BLKID_H
#define NT_BLKID_H

#include <stdint.h>
#include <sys/types.h>

#define BLKID_SUBLKS_LABEL 1
#define BLKID_SUBLKS_UUID 2
#define BLKID_SUBLKS_TYPE 4
#define BLKID_SUBLKS_USAGE 8
#define BLKID_SUBLKS_VERSION 16

typedef struct blkid_probe *blkid_probe;
typedef struct blkid_partlist *blkid_partlist;
typedef struct blkid_partition *blkid_partition;
typedef struct blkid_partlist *blkid_parttable;

blkid_probe blkid_new_probe(void);
void blkid_free_probe(blkid_probe pr);
int blkid_probe_set_device(blkid_probe pr, int fd, int64_t off, int64_t size);
int blkid_probe_set_sectorsize(blkid_probe pr, unsigned int size);
int blkid_probe_enable_superblocks(blkid_probe pr, int on);
int blkid_probe_set_superblocks_flags(blkid_probe pr, int flags);
int blkid_probe_enable_partitions(blkid_probe pr, int on);
int blkid_do_safeprobe(blkid_probe pr);
int blkid_probe_lookup_value(blkid_probe pr, const char *name,
			     const char **value, size_t *len);

/* Without what is no printable character; 0, or -1 if it does not fit. */
int blkid_safe_string(const char *text, char *safe, size_t size);

blkid_partlist blkid_probe_get_partitions(blkid_probe pr);
blkid_parttable blkid_partlist_get_table(blkid_partlist list);
const char *blkid_parttable_get_type(blkid_parttable table);
int blkid_partlist_numof_partitions(blkid_partlist list);
blkid_partition blkid_partlist_get_partition(blkid_partlist list, int i);
blkid_partition blkid_partlist_get_partition_by_partno(blkid_partlist list,
						       int number);
int blkid_partition_get_partno(blkid_partition p);
const char *blkid_partition_get_name(blkid_partition p);
int64_t blkid_partition_get_start(blkid_partition p);
int64_t blkid_partition_get_size(blkid_partition p);

#endif /* NT_BLKID_H */
