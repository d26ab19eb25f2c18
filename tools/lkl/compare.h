/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compares two trees that come as streams.
 */
#ifndef LKL_COMPARE_H
#define LKL_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "../common/stream.h"
#include "../common/tool.h"

/**
 * struct compare_side - one of the trees
 *
 * @stream: the tree, whose top is called "."; files have all their names
 * @path: how its top is called, without a slash at the end
 * @r: record that comes next, or NULL when it is not known
 */
struct compare_side {
	struct stream *stream;
	const char *path;
	const struct record *r;
};

/**
 * struct compare - a comparison
 *
 * @side: the trees
 * @attributes: compare owners, permissions and extended attributes, too
 * @times: compare times of change, too
 * @same: tell also which files are the same
 * @exclude: patterns of names to leave out
 * @exclude_count: number of @exclude
 * @differ: something differs
 * @broken: one of the trees has not come to its end
 * @files: objects of the first tree so far, and
 * @bytes: contents of its files
 * @path: where the comparison is, from the top
 */
struct compare {
	struct compare_side side[2];
	bool attributes;
	bool times;
	bool same;
	const char **exclude;
	size_t exclude_count;
	bool differ;
	bool broken;
	unsigned long long files;
	unsigned long long bytes;
	struct tool_path path;
};

/**
 * compare_run() - compare, and print what differs as diff -rq does
 * @c: the comparison, with the members up to @exclude_count set and the others
 * 0
 */
void compare_run(struct compare *c);

#endif /* LKL_COMPARE_H */
