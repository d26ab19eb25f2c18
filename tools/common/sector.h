/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Disks whose sectors are not of 512 bytes.
 */
#ifndef SECTOR_H
#define SECTOR_H

#include <lkl_host.h>

/**
 * sector_new() - have a disk offer sectors of another size to the kernel
 * @disk: the disk; becomes the one to add in its place
 * @size: size of its sectors
 *
 * Return: what to free after that has been removed
 */
struct sectors *sector_new(struct lkl_disk *disk, unsigned int size);

/**
 * sector_free() - undo sector_new()
 * @s: the disk, NULL for none
 */
void sector_free(struct sectors *s);

#endif /* SECTOR_H */
