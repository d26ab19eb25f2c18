// SPDX-License-Identifier: GPL-2.0-only
/* Functions of GNU's C library. */
#include <search.h>
#include <string.h>

void *memrchr(const void *memory, int c, size_t size)
{
	const unsigned char *p = memory;

	while (size--)
		if (p[size] == (unsigned char)c)
			return (void *)(p + size);
	return NULL;
}

static int same(const void *a, const void *b)
{
	(void)a;
	(void)b;
	return 0;
}

/* A node begins with the pointer that it holds. */
void tdestroy(void *root, void (*free_node)(void *node))
{
	while (root) {
		void *node = *(void **)root;

		tdelete(node, &root, same);
		free_node(node);
	}
}
