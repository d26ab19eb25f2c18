/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What libblkid sees on a disk.
 */
#ifndef PROBE_H
#define PROBE_H

#include <blkid/blkid.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct probe - what is in a disk, a partition or a volume
 *
 * @type: type, or ""
 * @version: version of that, or ""
 * @label: label, or ""
 * @uuid: UUID, or ""
 * @other: it is no file system
 */
struct probe {
	char type[32];
	char version[32];
	char label[256];
	char uuid[64];
	bool other;
};

/**
 * probe_at() - look at what is there
 * @fd: an image, or the outline of a disk
 * @off: where to look
 * @size: size of what is there
 * @found: filled in
 */
void probe_at(int fd, off_t off, off_t size, struct probe *found);

/**
 * probe_partitions() - find the partitions of a disk
 * @pr: a probe, which has the result
 * @fd: an image, or the outline of a disk
 * @sector: size of its sectors, or 0 to find that out; the one found, returned
 *
 * Starts and sizes are in units of 512 bytes, whatever the size of a sector.
 *
 * Return: the partitions, or NULL if there is no partition table
 */
blkid_partlist probe_partitions(blkid_probe pr, int fd, unsigned int *sector);

/**
 * probe_outline() - make a file of what libblkid looks at
 * @read: reads whole sectors of the disk, and returns whether it could
 * @handle: for @read
 * @size: size of the disk
 * @sector: size of its sectors, or 0 if that is not known
 *
 * Return: descriptor of a file in memory with the start and the end of the disk
 * and of each of its partitions, or -1 when it has said why not
 */
int probe_outline(bool (*read)(void *handle, void *buf, size_t len, off_t pos),
		  void *handle, off_t size, unsigned int sector);

/**
 * probe_kernel_type() - what the kernel calls a type of file system
 * @type: what libblkid, or people, call it
 *
 * Return: the kernel's name
 */
const char *probe_kernel_type(const char *type);

#endif /* PROBE_H */
