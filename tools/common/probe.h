/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What libblkid sees on a disk.
 */
#ifndef PROBE_H
#define PROBE_H

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
 * probe_outline() - make a file of what libblkid looks at
 * @read: reads whole sectors of the disk, and returns whether it could
 * @handle: for @read
 * @size: size of the disk
 *
 * Return: descriptor of a file in memory with the start and the end of the disk
 * and of each of its partitions, or -1 when it has said why not
 */
int probe_outline(bool (*read)(void *handle, void *buf, size_t len, off_t pos),
		  void *handle, off_t size);

#endif /* PROBE_H */
