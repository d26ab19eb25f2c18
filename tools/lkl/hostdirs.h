/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LKL_HOSTDIRS_H
#define LKL_HOSTDIRS_H

#include "../common/sandbox.h"
#include "verb.h"

/**
 * hostdirs_mount() - mount what --hostdir names, in the image of a session
 * @s: the session
 * @a: its command line
 *
 * Return: 0, or -1 when it has said why not and nothing is mounted
 */
int hostdirs_mount(struct session *s, const struct args *a);

/**
 * hostdirs_unmount() - undo that
 * @s: the session
 * @a: its command line
 * @count: how many options of @a->list that is about
 *
 * Return: 0, or -1 when it has said what could not be unmounted
 */
int hostdirs_unmount(struct session *s, const struct args *a, size_t count);

/**
 * hostdirs_list() - the directories that --hostdir names
 * @a: the command line
 *
 * Return: the list, for hostdirs_list_free(), or NULL if there are none
 */
struct sandbox_dir *hostdirs_list(const struct args *a);

/**
 * hostdirs_list_free() - undo that
 * @list: the list, or NULL
 */
void hostdirs_list_free(struct sandbox_dir *list);

#endif /* LKL_HOSTDIRS_H */
