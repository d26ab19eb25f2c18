/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Symbolic links of the target, followed with care.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <stdbool.h>

#include "fs.h"

/**
 * struct resolver - which links may be followed
 *
 * @fs: world of the target
 * @follow: links to directories serve as directories, unless this run made them
 * @made: links that this run has made, NULL at first
 */
struct resolver {
	const struct fs *fs;
	bool follow;
	void *made;
};

/**
 * resolve_note() - note a link that this run has made
 * @r: the resolver
 * @dir: directory it is in
 * @name: its name
 */
void resolve_note(struct resolver *r, int dir, const char *name);

/**
 * resolve_dir() - open the directory at a path
 * @r: the resolver
 * @dir: where the path starts
 * @path: the path
 *
 * Return: descriptor that serves only as a starting point, or a negative error
 * number: -ELOOP for a link that must not be followed
 */
int resolve_dir(const struct resolver *r, int dir, const char *path);

/**
 * resolve_free() - forget the links
 * @r: the resolver
 */
void resolve_free(struct resolver *r);

#endif /* RESOLVE_H */
