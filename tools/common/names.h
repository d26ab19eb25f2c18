/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of the target that this run has taken.
 */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>

#include "fs.h"

/* What is known about one directory. */
struct names;

/**
 * names_enter() - begin with a directory, or go on with it
 * @all: the directories that names_enter() was told to keep, NULL at first
 * @fs: world of the directory
 * @dir: the open directory
 * @path: its path, the same each time
 * @fresh: this run has made it just now
 * @keep: it may be entered again, or a name may come again
 *
 * Return: what is known, for names_leave()
 */
struct names *names_enter(void **all, const struct fs *fs, int dir,
			  const char *path, bool fresh, bool keep);

/**
 * names_free_to_take() - may this run replace what has a name?
 * @n: what is known about the directory
 * @fs: its world
 * @dir: the open directory
 * @name: the name
 * @again: it may also come for the second time
 *
 * Return: true if that was there before, false if it is something that this run
 * has made under this name, or under another that is the same to the target
 */
bool names_free_to_take(struct names *n, const struct fs *fs, int dir,
			const char *name, bool again);

/**
 * names_take() - note a name under which this run has made something
 * @n: what is known about the directory
 * @name: the name
 */
void names_take(struct names *n, const char *name);

/**
 * names_leave() - end with a directory for now
 * @n: what names_enter() returned
 */
void names_leave(struct names *n);

/**
 * names_free() - forget all directories
 * @all: as given to names_enter()
 */
void names_free(void **all);

#endif /* NAMES_H */
