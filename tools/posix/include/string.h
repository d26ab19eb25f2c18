/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tools use that POSIX does not have: tools/posix/functions.c. */
#include_next <string.h>

#ifndef POSIX_STRING_H
#define POSIX_STRING_H

void *memrchr(const void *memory, int c, size_t size);

#endif /* POSIX_STRING_H */
