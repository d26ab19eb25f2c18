// SPDX-License-Identifier: GPL-2.0-only
/*
 * An ACL in an archive names its users and groups, or numbers them; the kernel
 * has numbers only, in a fixed order.
 */
#include <endian.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/tool.h"
#include "acl.h"

/* An ACL as the kernel gives it: a little-endian version and these. */
struct acl_entry {
	uint16_t tag;
	uint16_t perm;
	uint32_t id;
};

#define VERSION 2
#define TAGS 6

/* Its tags, in the order that the kernel keeps, and libarchive's. */
static const struct {
	uint16_t tag;
	int archive_tag;
} tags[TAGS] = {
	{ 0x01, ARCHIVE_ENTRY_ACL_USER_OBJ },
	{ 0x02, ARCHIVE_ENTRY_ACL_USER },
	{ 0x04, ARCHIVE_ENTRY_ACL_GROUP_OBJ },
	{ 0x08, ARCHIVE_ENTRY_ACL_GROUP },
	{ 0x10, ARCHIVE_ENTRY_ACL_MASK },
	{ 0x20, ARCHIVE_ENTRY_ACL_OTHER },
};

void acl_encode(struct archive_entry *e, int type, const char *value,
		size_t size)
{
	struct acl_entry acl;

	for (size_t pos = 4; pos + sizeof(acl) <= size; pos += sizeof(acl)) {
		size_t i = 0;

		memcpy(&acl, value + pos, sizeof(acl));
		while (i < TAGS - 1 && tags[i].tag != le16toh(acl.tag))
			i++;
		archive_entry_acl_add_entry(e, type, le16toh(acl.perm),
					    tags[i].archive_tag,
					    le32toh(acl.id), NULL);
	}
}

/* The number of the user or group an ACL names. */
static int64_t acl_id(int archive_tag, int id, const char *name)
{
	struct passwd *pw;
	struct group *gr;
	char *end;
	long n;

	if (id >= 0 || !name || !*name)
		return id;
	n = strtol(name, &end, 10);
	if (!*end)
		return n;
	if (archive_tag == ARCHIVE_ENTRY_ACL_USER) {
		pw = getpwnam(name);
		return pw ? (int64_t)pw->pw_uid : -1;
	}
	gr = getgrnam(name);
	return gr ? (int64_t)gr->gr_gid : -1;
}

static int by_tag(const void *a, const void *b)
{
	const struct acl_entry *x = a, *y = b;

	if (x->tag != y->tag)
		return le16toh(x->tag) - le16toh(y->tag);
	return le32toh(x->id) < le32toh(y->id) ? -1 : 1;
}

void *acl_decode(struct archive_entry *e, int type, size_t *size)
{
	size_t count = archive_entry_acl_reset(e, type), n = 0;
	int got_type, perm, tag, id;
	struct {
		uint32_t version;
		struct acl_entry list[];
	} * acl;
	const char *name;

	if (!count)
		return NULL;
	acl = tool_alloc(NULL, sizeof(*acl) + count * sizeof(*acl->list));
	acl->version = htole32(VERSION);
	while (n < count && !archive_entry_acl_next(e, type, &got_type, &perm,
						    &tag, &id, &name)) {
		int64_t number = -1;
		size_t i = 0;

		while (i < TAGS && tags[i].archive_tag != tag)
			i++;
		if (i == TAGS)
			continue;
		if (tag == ARCHIVE_ENTRY_ACL_USER ||
		    tag == ARCHIVE_ENTRY_ACL_GROUP) {
			number = acl_id(tag, id, name);
			if (number < 0) {
				tool_warn("leaving '%s' out of an ACL: no such "
					  "user or group here",
					  name ? name : "");
				continue;
			}
		}
		acl->list[n++] = (struct acl_entry){
			htole16(tags[i].tag),
			htole16(perm & 7),
			htole32(number),
		};
	}
	qsort(acl->list, n, sizeof(*acl->list), by_tag);
	*size = sizeof(*acl) + n * sizeof(*acl->list);
	return acl;
}

mode_t acl_mode(struct archive_entry *e)
{
	const int access = ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
	mode_t mode = archive_entry_mode(e);
	int type, perm, tag, id;
	const char *name;

	archive_entry_acl_reset(e, access);
	while (!archive_entry_acl_next(e, access, &type, &perm, &tag, &id,
				       &name)) {
		if (tag == ARCHIVE_ENTRY_ACL_MASK)
			mode = (mode & ~S_IRWXG) | (perm & 7) << 3;
	}
	return mode;
}
