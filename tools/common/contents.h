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
 * @part: the partition, 0 for the whole disk
 * @type: type that the user gave, which is tried whatever libblkid finds, or
 *	NULL
 * @dash_o: the names of options are those of mount(8), in messages
 * @found: what libblkid finds, returned
 *
 * Return: 0 if there may be a file system or a layer above one, or -1 when it
 * has said why not
 */
int contents_find(struct disk *d, unsigned int part, const char *type,
		  bool dash_o, struct probe *found);

#endif /* CONTENTS_H */
