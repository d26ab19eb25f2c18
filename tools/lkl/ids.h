/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Users and groups, by the image's own /etc/passwd and /etc/group.
 */
#ifndef LKL_IDS_H
#define LKL_IDS_H

#include <stdint.h>

#include "verb.h"

enum ids_kind { IDS_USERS, IDS_GROUPS };

/**
 * ids_name() - the name of a user or group
 * @s: the session
 * @kind: which of both
 * @id: the number
 *
 * Return: the name, or NULL if it has none
 */
const char *ids_name(const struct session *s, enum ids_kind kind, uint32_t id);

/**
 * ids_number() - the number of a user or group
 * @s: the session
 * @kind: which of both
 * @name: its name, or its number
 * @id: returned
 *
 * Return: false when there is none
 */
bool ids_number(const struct session *s, enum ids_kind kind, const char *name,
		uint32_t *id);

/**
 * ids_group_of() - the group that a user has at login
 * @s: the session
 * @user: the user's name
 * @gid: returned
 *
 * Return: false when the user is not known
 */
bool ids_group_of(const struct session *s, const char *user, uint32_t *gid);

/**
 * ids_forget() - read the files anew when they are needed next
 */
void ids_forget(void);

#endif /* LKL_IDS_H */
