/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tools use that POSIX does not have: tools/posix/functions.c. */
#include_next <search.h>

#ifndef POSIX_SEARCH_H
#define POSIX_SEARCH_H

/* Free a tree, whatever order it has. */
void tdestroy(void *root, void (*free_node)(void *node));

#endif /* POSIX_SEARCH_H */
