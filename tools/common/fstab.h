/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an fstab says of the disks of an image.
 */
#ifndef FSTAB_H
#define FSTAB_H

#include "sources.h"

/**
 * struct fstab_entry - a line
 *
 * @spec: what is to be mounted
 * @path: where
 * @options: how
 */
struct fstab_entry {
	char *spec;
	char *path;
	char *options;
};

/**
 * struct fstab - the lines that are about disks, those of directories first
 * that others are in
 *
 * @list: the lines
 * @count: number of @list
 * @crypttab: content of the crypttab, or NULL
 */
struct fstab {
	struct fstab_entry *list;
	size_t count;
	char *crypttab;
};

/**
 * fstab_read() - take the content of an fstab apart
 * @f: filled in
 * @text: the content
 * @crypttab: content of the crypttab, to be freed by fstab_free(), or NULL
 */
void fstab_read(struct fstab *f, const char *text, char *crypttab);

/**
 * fstab_find() - what an entry is about
 * @f: the fstab
 * @e: the entry
 * @s: the sources
 *
 * Return: the source, or NULL if the image does not have it
 */
const struct source *fstab_find(const struct fstab *f,
				const struct fstab_entry *e,
				const struct sources *s);

/**
 * fstab_has_option() - does an entry have an option?
 * @e: the entry
 * @option: its name
 *
 * Return: whether it does
 */
bool fstab_has_option(const struct fstab_entry *e, const char *option);

/**
 * fstab_options() - the options that say what of a file system is seen, and how
 * @e: the entry
 *
 * Return: the options, to be freed
 */
char *fstab_options(const struct fstab_entry *e);

/**
 * fstab_free() - undo fstab_read()
 * @f: the fstab
 */
void fstab_free(struct fstab *f);

#endif /* FSTAB_H */
