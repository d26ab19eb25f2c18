/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ACLs as the kernel has them and as archives have them.
 */
#ifndef ACL_H
#define ACL_H

#include <archive_entry.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * acl_encode() - put an ACL of the kernel's into an entry
 * @e: the entry
 * @type: libarchive's type of the ACL
 * @value: the extended attribute
 * @size: its size
 */
void acl_encode(struct archive_entry *e, int type, const char *value,
		size_t size);

/**
 * acl_decode() - turn the ACL of an entry into one of the kernel's
 * @e: the entry
 * @type: libarchive's type of the ACL
 * @size: size of the result, returned
 *
 * Return: the extended attribute, to be freed, or NULL if there is none
 */
void *acl_decode(struct archive_entry *e, int type, size_t *size);

/**
 * acl_mode() - find the mode of an entry
 * @e: the entry
 *
 * With an ACL the bits for the group are its mask.
 *
 * Return: the mode
 */
mode_t acl_mode(struct archive_entry *e);

#endif /* ACL_H */
