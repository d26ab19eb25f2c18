/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much there is to be written, and a digest of what it is.
 */
#ifndef TOOL_TOTAL_H
#define TOOL_TOTAL_H

#include <nettle/sha2.h>
#include <sys/stat.h>

/* Space is counted in units of this. */
#define TOTAL_BLOCK 4096

/**
 * struct total - how much there is
 *
 * @objects: files, directories and all else
 * @files: regular files
 * @bytes: their content, in whole blocks, without holes
 * @sizes: the same with holes
 * @names: bytes of names
 * @dirs: directories
 * @digest: of names, types and sizes in their order
 */
struct total {
	unsigned long long objects;
	unsigned long long files;
	unsigned long long bytes;
	unsigned long long sizes;
	unsigned long long names;
	unsigned long long dirs;
	struct sha256_ctx digest;
};

/**
 * total_begin() - begin to count
 * @t: the total
 */
void total_begin(struct total *t);

/**
 * total_add() - count one more
 * @t: the total
 * @name: its name
 * @st: its type and size
 * @data: how many bytes of that are no holes
 */
void total_add(struct total *t, const char *name, const struct stat *st,
	       unsigned long long data);

#endif /* TOOL_TOTAL_H */
