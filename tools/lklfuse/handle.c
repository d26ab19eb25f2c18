// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handles of files, and numbers that say the same.
 *
 * An NFS server gives its clients the number of a file, and may come with it
 * when the file has been forgotten, or after the image was mounted
 * again. Most file systems have handles that fit in a number.
 */
#include <string.h>

#include "handle.h"

/* Types of handles: an inode number of 32 bits or 64, and its generation. */
#define TYPE_SHORT 1
#define TYPE_LONG 0x81

#define SHORT_SIZE (2 * sizeof(uint32_t))
#define LONG_SIZE (3 * sizeof(uint32_t))

int handle_get(int fd, struct handle *h)
{
	int mount;

	h->h.handle_bytes = MAX_HANDLE;
	h->h.handle_type = 0;
	return lkl_sys_name_to_handle_at(fd, "", &h->h, &mount,
					 LKL_AT_EMPTY_PATH);
}

static bool is_short(const struct handle *h)
{
	return h->h.handle_type == TYPE_SHORT &&
	       h->h.handle_bytes == SHORT_SIZE;
}

static bool is_long(const struct handle *h)
{
	return h->h.handle_type == TYPE_LONG && h->h.handle_bytes == LONG_SIZE;
}

uint64_t handle_pack(const struct handle *h)
{
	uint32_t word[3] = { 0 };

	if (is_short(h)) {
		memcpy(word, h->bytes, SHORT_SIZE);
		return word[0] | (uint64_t)word[1] << 32;
	}
	if (is_long(h)) {
		memcpy(word, h->bytes, LONG_SIZE);
		if (!word[1])
			return word[0] | (uint64_t)word[2] << 32;
	}
	return 0;
}

bool handle_unpack(uint64_t number, const struct handle *like, struct handle *h)
{
	uint32_t word[3] = { number, 0, number >> 32 };

	if (is_short(like))
		word[1] = word[2];
	else if (!is_long(like))
		return false;
	h->h = like->h;
	memcpy(h->bytes, word, h->h.handle_bytes);
	return true;
}
