// SPDX-License-Identifier: GPL-2.0-only
/* Records of a stream, with names as Windows can hold them. */
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "tool.h"

static char *copy_of(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		tool_no_memory();
	return copy;
}

/* A path from where the stream began, whose first part may be the user's. */
static char *path_of(const char *path, bool own)
{
	size_t first = own ? strcspn(path, "/") : 0;
	char *rest = escape_path(path + first, escape_name);
	char *made = tool_alloc(NULL, first + strlen(rest) + 1);

	memcpy(made, path, first);
	strcpy(made + first, rest);
	free(rest);
	return made;
}

struct record *escape_record(const struct record *r, bool own, bool top)
{
	const char *second = r->data + r->name_size;
	char *name = own && top ? copy_of(r->data)
				: escape_path(r->data, escape_name);
	char *rest = r->type == REC_LINK      ? path_of(second, own)
		     : r->size > r->name_size ? escape_path(second, escape_name)
					      : copy_of("");
	size_t name_size = strlen(name) + 1, size = strlen(rest) + 1;
	struct record *made = tool_alloc(NULL, sizeof(*r) + name_size + size);

	memcpy(made, r, sizeof(*r));
	made->name_size = name_size;
	made->size = name_size + size;
	made->bytes = made->data;
	memcpy(made->data, name, name_size);
	memcpy(made->data + name_size, rest, size);
	free(name);
	free(rest);
	return made;
}
