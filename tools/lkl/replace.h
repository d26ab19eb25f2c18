/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * New contents for a file, all at once or not at all.
 */
#ifndef LKL_REPLACE_H
#define LKL_REPLACE_H

#include "path.h"

/**
 * struct replace - a file that is being replaced
 *
 * @fd: takes the new contents, by pwrite()
 * @old: properties of what is replaced, where @exists
 * @exists: there is such a file
 * @new_mode: @old.st_mode is what the new file gets in any case
 * @path: the user's name for it
 * @wp: the directory it is in, and its name there
 * @tmp: the name of the new file for now
 */
struct replace {
	int fd;
	struct stat old;
	bool exists;
	bool new_mode;
	const char *path;
	struct walk_path wp;
	char tmp[32];
};

/**
 * replace_begin() - open a new file beside the one it is to replace
 * @s: the session
 * @path: the file to replace, or to make; links are followed
 * @r: filled in
 *
 * Return: 0, or -1 when it has said why not
 */
int replace_begin(const struct session *s, const char *path, struct replace *r);

/**
 * replace_write() - append to the new contents
 * @s: the session
 * @r: the file
 * @buf: what to write
 * @size: its size
 * @off: where; advanced
 *
 * Return: false when it has said why not
 */
bool replace_write(const struct session *s, struct replace *r, const void *buf,
		   size_t size, off_t *off);

/**
 * replace_end() - put the new file in the place of the old
 * @s: the session
 * @r: the file
 * @good: else leave the old one as it is
 *
 * The new file has owner, permissions and extended attributes of the old.
 *
 * Return: 0, or -1 when it has said why not
 */
int replace_end(const struct session *s, struct replace *r, bool good);

#endif /* LKL_REPLACE_H */
