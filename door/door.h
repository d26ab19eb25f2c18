/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel as an image of its own: see image.c.
 */
#ifndef LKL_DOOR_H
#define LKL_DOOR_H

#include <stdbool.h>
#include <stddef.h>

/**
 * door_protect - protect a part of the image; the host's, in host/NAME/door.c
 * @start: first byte
 * @size: number of bytes
 * @write: it may be written to
 * @exec: it may be executed
 *
 * Return: whether it is so now
 */
bool door_protect(void *start, size_t size, bool write, bool exec);

/* The image, of as many bytes (x86/entries.S). */
extern unsigned char door_image[];
extern const unsigned char door_image_end[];

/* Where the functions in x86/entries.S go. */
extern void *door_entries[];
extern const unsigned char door_entries_end[];

#endif /* LKL_DOOR_H */
