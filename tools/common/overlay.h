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
 * overlay_changed() - does it differ from the disk?
 * @o: the overlay
 *
 * Return: whether it does, or -EIO when that cannot be read
 */
int overlay_changed(struct overlay *o);

/**
 * overlay_commit() - write to the disk what differs from it
 * @o: the overlay, which is not in use any more
 *
 * Return: 0, or -EIO when the disk could not be written, and is as it was
 */
int overlay_commit(struct overlay *o);

/**
 * overlay_free() - forget what was written
 * @o: the overlay, NULL for none
 */
void overlay_free(struct overlay *o);

#endif /* OVERLAY_H */
