/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All file systems of an image.
 */
#ifndef FSCK_LIST_H
#define FSCK_LIST_H

#include "../common/image.h"

/* More than this are not looked for. */
#define PLACES 512

/**
 * struct places - where file systems are
 *
 * @count: number of them
 * @part: the partition, 0 for the whole disk
 * @lv: the logical volume, VG/LV, or ""
 * @type: its type
 */
struct places {
	size_t count;
	struct {
		unsigned int part;
		char lv[256];
		char type[32];
	} at[PLACES];
};

/**
 * list_places() - find all that an image holds, in partitions and in layers
 * @how: the image, not open
 *
 * A confined process does it.
 *
 * Return: them, for list_free(), or NULL when it has been said what went wrong
 */
struct places *list_places(const struct image *how);

/**
 * list_free() - undo that
 * @p: the places
 */
void list_free(struct places *p);

/**
 * image_copy() - the same image once more, not open
 * @how: the image, not open
 */
struct image image_copy(const struct image *how);

#endif /* FSCK_LIST_H */
