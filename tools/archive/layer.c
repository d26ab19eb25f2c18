// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of archives that go one over another.
 */
#include <string.h>

#include "unpack.h"

void unpack_add_layer(struct unpack *u, const char *name, int fd)
{
	struct layer *l;

	u->layers = tool_alloc(u->layers, (u->count + 1) * sizeof(*l));
	l = &u->layers[u->count++];
	*l = (struct layer){ .name = strdup(name), .fd = fd };
	if (!l->name)
		tool_no_memory();
}
