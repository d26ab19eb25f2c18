/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of lkl resize share.
 */
#ifndef RESIZE_H
#define RESIZE_H

#include <stdint.h>

#include "../common/image.h"

/**
 * struct place - where a file system is
 *
 * @img: the image
 * @file: its name
 * @format: its format, or "" if it is raw
 * @file_size: size of the disk in it
 * @part: the partition, 0 for the whole disk
 * @start: where that begins
 * @size: size of the file system's place
 * @extra: what else the partition, or the disk, has: the header of LUKS
 * @last: nothing is behind it
 * @gpt: the partition table is a GPT
 * @logical: it is a logical partition of an MBR
 */
struct place {
	const struct image *img;
	const char *file;
	char format[16];
	uint64_t file_size;
	unsigned int part;
	uint64_t start;
	uint64_t size;
	uint64_t extra;
	bool last;
	bool gpt;
	bool logical;
};

/**
 * place_find() - find out where a file system is, and what it is
 * @p: filled in
 * @img: the image, not open; @part becomes the partition, and @key the
 * passphrase
 * @type: filled in with its type
 *
 * Return: 0, or -1 when it has said why it cannot be resized
 */
int place_find(struct place *p, struct image *img, char type[32]);

/**
 * place_set() - change the sizes of the partition and of the image
 * @p: where it is; changed
 * @size: the new size
 *
 * Return: 0, or -1 when it has said why not, and all is as it was
 */
int place_set(struct place *p, uint64_t size);

/* Code that starts a computer, before a partition table. */
#define BOOT_CODE 440

/**
 * struct ptable - a partition table, as it was
 *
 * @text: what sfdisk tells about it
 * @code: what is before it
 */
struct ptable {
	char *text;
	char code[BOOT_CODE];
};

/**
 * ptable_get() - read the partition table
 * @p: the place
 * @t: filled in; to be freed if that succeeds
 *
 * Return: 0, or -1 when it has said why not
 */
int ptable_get(const struct place *p, struct ptable *t);

/**
 * ptable_set() - write it with another size of the partition
 * @p: the place
 * @t: the table
 * @size: new size of the file system's place, or 0 for the same
 *
 * Return: 0, or -1 when it has said why not
 */
int ptable_set(const struct place *p, struct ptable *t, uint64_t size);

/**
 * ptable_free() - undo ptable_get()
 * @t: the table
 */
void ptable_free(struct ptable *t);

/**
 * logical_set() - change the size of a logical partition, and of the extended
 * one around it
 * @fd: the image
 * @part: the partition
 * @sectors: its new size
 * @last: the extended one is to end with it
 *
 * Return: 0, or a negative error number
 */
int logical_set(int fd, unsigned int part, uint64_t sectors, bool last);

/**
 * fs_can_shrink() - can a type of file system become smaller?
 * @type: the type
 *
 * Return: whether it can
 */
bool fs_can_shrink(const char *type);

/**
 * fs_can_grow() - can it become larger?
 * @type: the type
 *
 * Return: whether it can
 */
bool fs_can_grow(const char *type);

/**
 * fs_resize() - change the size of a file system within its place
 * @how: the image, not open
 * @type: its type
 * @size: the new size, or 0 for the least that is possible; becomes the one it
 *	has
 * @begun: set to whether it may have another size than before
 *
 * Return: 0, or -1 when it has said why not
 */
int fs_resize(const struct image *how, const char *type, uint64_t *size,
	      bool *begun);

#endif /* RESIZE_H */
