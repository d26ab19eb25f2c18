/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of an image in an editor of the host's.
 */
#ifndef LKL_EDIT_H
#define LKL_EDIT_H

#include "verb.h"

/**
 * struct edited - a file that is being edited
 *
 * @path: its path in the image
 * @file: its copy on the host, whose directory is the user's alone, as it may
 *	be secret
 * @fd: that copy, as long as it is being made
 * @old: its content, and
 * @new: what it is to become
 * @old_len: size of @old
 * @new_len: size of @new
 */
struct edited {
	const char *path;
	char *file;
	int fd;
	char *old, *new;
	size_t old_len, new_len;
};

/**
 * struct edit_way - how a file gets out of the image, and back
 *
 * @get: fills the copy
 * @put: puts the result in the place of the file; both return 0, or -1 when
 *	they have said why not
 * @arg: for them
 * @label: how messages call the image
 */
struct edit_way {
	int (*get)(void *arg, struct edited *e);
	int (*put)(void *arg, struct edited *e);
	void *arg;
	const char *label;
};

/**
 * edit_all() - have an editor change files
 * @w: the way
 * @a: the command line
 *
 * Return: exit status
 */
int edit_all(const struct edit_way *w, const struct args *a);

/**
 * edit_get() - fill the copy of a file, beside the image
 * @s: the session
 * @e: the file
 *
 * Return: 0, or -1 when it has said why not
 */
int edit_get(const struct session *s, struct edited *e);

/**
 * edit_put() - put the result in its place, if the file is as it was
 * @s: the session
 * @e: the file
 *
 * Return: 0, or -1 when it has said why not
 */
int edit_put(const struct session *s, const struct edited *e);

#endif /* LKL_EDIT_H */
