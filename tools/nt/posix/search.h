/* SPDX-License-Identifier: GPL-2.0-only */
#include_next <search.h>

#ifndef NT_SEARCH_H
#define NT_SEARCH_H

/* Free a tree, whatever order it has. */
void tdestroy(void *root, void (*free_node)(void *node));

#endif /* NT_SEARCH_H */
