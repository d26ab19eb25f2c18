/* SPDX-License-Identifier: GPL-2.0-only */
/* The library's folder among what a user's programs keep to be faster next
 * time. */
#ifndef LIB_CACHE_H
#define LIB_CACHE_H

/**
 * lkl_cache_open - open the folder, which is made if it is not there
 * @path: where to put its path
 * @size: room there
 *
 * That is lkl in $XDG_CACHE_HOME, or in ~/.cache.  Nobody but this user and
 * root can change anything in it, or what leads there.
 *
 * Return: a descriptor, or a negative error number; -LKL_EPERM if others can
 */
int lkl_cache_open(char *path, unsigned long size);

/**
 * lkl_cache_find - open a file in it, to read
 * @dir: the folder
 * @name: of the file
 *
 * Return: as lkl_cache_open(); -LKL_EPERM if it is not a file of this user's
 * alone
 */
int lkl_cache_find(int dir, const char *name);

/**
 * lkl_cache_make - make a file that has no name yet
 * @dir: the folder
 *
 * No other process makes one until this process has closed @dir.  What was made
 * before the host was booted goes: it is of no use any more.
 *
 * Return: a descriptor, or a negative error number; -LKL_EAGAIN if one does
 */
int lkl_cache_make(int dir);

/**
 * lkl_cache_keep - give a file a name
 * @dir: the folder
 * @name: of the file; what has it goes
 * @fd: the file, which is complete
 *
 * Return: 0 or a negative error number
 */
int lkl_cache_keep(int dir, const char *name, int fd);

/* Remove a file that is of no use. */
void lkl_cache_drop(int dir, const char *name);

#endif /* LIB_CACHE_H */
