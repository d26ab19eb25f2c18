/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mounts the systems that are in images as they mount themselves.
 */
#ifndef INSPECT_H
#define INSPECT_H

#include "fstab.h"
#include "sources.h"

/**
 * struct inspect_mount - something that is mounted
 *
 * @path: where, in the image
 * @where: where, in the library's kernel
 * @source: what
 * @options: how
 */
struct inspect_mount {
	char *path;
	char *where;
	const struct source *source;
	char *options;
};

/**
 * struct inspect_missing - something that could not be mounted
 *
 * @path: where it belongs
 * @spec: what it is
 * @reason: why
 */
struct inspect_missing {
	char *path;
	char *spec;
	char *reason;
};

/**
 * struct inspect - a system
 *
 * @sources: what is on the disks, with the members set that sources_open()
 * wants
 * @part: the partition that it is in, 0 for any
 * @lv: the logical volume that it is in, VG/LV or LV, or NULL for any
 * @options: options to mount the root file system with, or NULL
 *
 * The other members are its own, all 0 at first.
 *
 * @mounts: what is mounted, in that order
 * @mount_count: number of @mounts
 * @missing: what is not
 * @missing_count: number of @missing
 * @root: descriptor of the root directory
 */
struct inspect {
	struct sources sources;
	unsigned int part;
	const char *lv;
	const char *options;

	struct inspect_mount *mounts;
	size_t mount_count;
	struct inspect_missing *missing;
	size_t missing_count;
	int root;
};

/**
 * inspect_open() - find the system and mount it
 * @in: with the members up to @options set
 * @where: directory of the library's kernel to mount it at
 *
 * Return: 0, or -1 when it has said why not; call inspect_close() in any case
 */
int inspect_open(struct inspect *in, const char *where);

/**
 * inspect_close() - unmount it
 * @in: the system
 *
 * Return: 0 or a negative error number
 */
long inspect_close(struct inspect *in);

/**
 * inspect_read() - read a small file of a system
 * @root: descriptor of its root directory
 * @path: the file
 *
 * Return: the content, with a 0 behind it, to be freed, or NULL
 */
char *inspect_read(int root, const char *path);

#endif /* INSPECT_H */
