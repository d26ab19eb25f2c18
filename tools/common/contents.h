/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the partition and the file system of an image, without a kernel.
 */
#ifndef CONTENTS_H
#define CONTENTS_H

#include "disk.h"
#include "probe.h"

/**
 * contents_find() - find the partition to use and what is in it
 * @d: the open disk, of which @fd shows what libblkid reads; its @sector is
 *	filled in if that is found
 * @part: the partition; if it is 0 and the disk holds nothing itself, it
 *	becomes the only one with something to mount
 * @type: type that the user gave, which is tried whatever libblkid finds, or
 *	NULL
 * @whole: use the whole disk if @part is 0
 * @dash_o: the names of options are those of mount(8), in messages
 * @found: what libblkid finds, returned
 *
 * Return: 0 if there may be a file system or a layer above one, or -1 when it
 * has said why not
 */
int contents_find(struct disk *d, unsigned int *part, const char *type,
		  bool whole, bool dash_o, struct probe *found);

#endif /* CONTENTS_H */
