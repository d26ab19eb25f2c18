/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Removes trees of files.
 */
#ifndef REMOVE_H
#define REMOVE_H

#include "fs.h"

/**
 * remove_tree() - remove a file, or a directory and all that is in it
 * @fs: the world
 * @dir: the directory it is in
 * @name: its name there
 *
 * Return: 0 or a negative error number
 */
int remove_tree(const struct fs *fs, int dir, const char *name);

/**
 * remove_content() - remove all that is in a directory
 * @fs: the world
 * @dir: the directory
 *
 * Return: 0 or a negative error number
 */
int remove_content(const struct fs *fs, int dir);

#endif /* REMOVE_H */
