/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handles of files, and numbers that say the same.
 */
#ifndef HANDLE_H
#define HANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include <lkl.h>

#define MAX_HANDLE 128

/**
 * struct handle - what the library's kernel finds a file by
 *
 * @h: type and size
 * @bytes: the handle itself
 */
struct handle {
	struct lkl_file_handle h;
	unsigned char bytes[MAX_HANDLE];
};

/**
 * handle_get() - get the handle of an open file
 * @fd: the descriptor
 * @h: filled in
 *
 * Return: 0 or a negative error number
 */
int handle_get(int fd, struct handle *h);

/**
 * handle_pack() - make a number of a handle
 * @h: the handle
 *
 * The lower half is the inode number, the upper half its generation.
 *
 * Return: the number, or 0 when the handle says more than fits in
 */
uint64_t handle_pack(const struct handle *h);

/**
 * handle_unpack() - make a handle of a number
 * @number: what handle_pack() returned, for any file of the file system
 * @like: handle of another file of the file system
 * @h: filled in
 *
 * Return: whether handles of the file system can be made of numbers
 */
bool handle_unpack(uint64_t number, const struct handle *like,
		   struct handle *h);

#endif /* HANDLE_H */
