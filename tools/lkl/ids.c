// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users and groups, by the image's own /etc/passwd and /etc/group.
 *
 * Nothing of the host's is looked up: its users are not the image's.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../common/tool.h"
#include "ids.h"
#include "text.h"

#define FILE_MAX (16 << 20)

struct entry {
	char *name;
	uint32_t id;
	uint32_t gid;
};

static struct table {
	bool read;
	struct entry *list;
	size_t count;
} tables[2];

static void add(struct table *t, const char *name, uint32_t id, uint32_t gid)
{
	t->list = tool_alloc(t->list, (t->count + 1) * sizeof(*t->list));
	t->list[t->count] = (struct entry){ strdup(name), id, gid };
	if (!t->list[t->count++].name)
		tool_no_memory();
}

/* A field of a line that has more of them: a number below UINT_MAX. */
static char *take_id(char *field, uint32_t *id)
{
	unsigned long long value;
	char *end;

	if (!isdigit((unsigned char)*field))
		return NULL;
	errno = 0;
	value = strtoull(field, &end, 10);
	if (errno || *end != ':' || value >= UINT_MAX)
		return NULL;
	*id = value;
	return end + 1;
}

/* NAME:PASSWORD:UID:GID:... or NAME:PASSWORD:GID:... */
static void add_line(struct table *t, enum ids_kind kind, char *line)
{
	char *name_end = strchr(line, ':'), *p;
	uint32_t id, gid;

	p = name_end ? strchr(name_end + 1, ':') : NULL;
	p = p ? take_id(p + 1, &id) : NULL;
	if (!p || name_end == line || *line == '#')
		return;
	gid = id;
	if (kind == IDS_USERS && !take_id(p, &gid))
		return;
	*name_end = 0;
	add(t, line, id, gid);
}

static const struct table *get(const struct session *s, enum ids_kind kind)
{
	struct table *t = &tables[kind];
	char *text, *line, *next;
	size_t len;

	if (t->read)
		return t;
	t->read = true;
	if (text_read(s, kind == IDS_USERS ? "/etc/passwd" : "/etc/group",
		      FILE_MAX, &text, &len))
		return t;
	for (line = text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		add_line(t, kind, line);
	}
	free(text);
	return t;
}

const char *ids_name(const struct session *s, enum ids_kind kind, uint32_t id)
{
	const struct table *t = get(s, kind);

	for (size_t i = 0; i < t->count; i++) {
		if (t->list[i].id == id)
			return t->list[i].name;
	}
	return NULL;
}

static const struct entry *by_name(const struct session *s, enum ids_kind kind,
				   const char *name)
{
	const struct table *t = get(s, kind);

	for (size_t i = 0; i < t->count; i++) {
		if (!strcmp(t->list[i].name, name))
			return &t->list[i];
	}
	return NULL;
}

bool ids_number(const struct session *s, enum ids_kind kind, const char *name,
		uint32_t *id)
{
	const struct entry *e = by_name(s, kind, name);
	unsigned long value;
	char *end;

	if (e) {
		*id = e->id;
		return true;
	}
	errno = 0;
	value = strtoul(name, &end, 10);
	if (!isdigit((unsigned char)*name) || *end || errno ||
	    value >= UINT_MAX)
		return false;
	*id = value;
	return true;
}

bool ids_group_of(const struct session *s, const char *user, uint32_t *gid)
{
	const struct entry *e = by_name(s, IDS_USERS, user);

	if (e)
		*gid = e->gid;
	return e;
}

void ids_forget(void)
{
	for (int kind = 0; kind < 2; kind++) {
		for (size_t i = 0; i < tables[kind].count; i++)
			free(tables[kind].list[i].name);
		free(tables[kind].list);
		tables[kind] = (struct table){ 0 };
	}
}
