/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Disks that can be written without being changed.
 */
#ifndef OVERLAY_H
#define OVERLAY_H

#include <lkl_host.h>

/**
 * overlay_new() - keep in memory what is written to a disk
 * @disk: the disk; becomes the one to add in its place
 *
 * Return: what to free after that has been removed, or NULL
 */
struct overlay *overlay_new(struct lkl_disk *disk);

/**
 * overlay_free() - forget what was written
 * @o: the overlay, NULL for none
 */
void overlay_free(struct overlay *o);

#endif /* OVERLAY_H */
