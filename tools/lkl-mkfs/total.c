// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much there is to be written, and a digest of what it is.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "total.h"

void total_begin(struct total *t)
{
	*t = (struct total){ 0 };
	sha256_init(&t->digest);
}

static unsigned long long blocks(unsigned long long bytes)
{
	return (bytes + TOTAL_BLOCK - 1) / TOTAL_BLOCK * TOTAL_BLOCK;
}

void total_add(struct total *t, const char *name, const struct stat *st,
	       unsigned long long data)
{
	bool file = S_ISREG(st->st_mode);
	uint64_t what[2] = { st->st_mode, file ? st->st_size : 0 };

	t->objects++;
	t->names += strlen(name);
	if (S_ISDIR(st->st_mode))
		t->dirs++;
	if (file) {
		t->files++;
		t->bytes += blocks(data);
		t->sizes += blocks(st->st_size);
	}
	/* a long link has a block */
	if (S_ISLNK(st->st_mode))
		t->bytes += TOTAL_BLOCK;
	sha256_update(&t->digest, strlen(name) + 1, (const uint8_t *)name);
	sha256_update(&t->digest, sizeof(what), (const uint8_t *)what);
}
