/* SPDX-License-Identifier: GPL-2.0-only */
#include_next <stdlib.h>

#ifndef NT_STDLIB_H
#define NT_STDLIB_H

/* In the locale that nt_setlocale() has set. */
size_t nt_mbstowcs(wchar_t *to, const char *text, size_t size);
#define mbstowcs nt_mbstowcs

/* Make a file whose name ends with XXXXXX, which become others. */
int mkostemp(char *path, int flags);

#endif /* NT_STDLIB_H */
