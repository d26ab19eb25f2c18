/* SPDX-License-Identifier: GPL-2.0-only */
#include_next <string.h>

#ifndef NT_STRING_H
#define NT_STRING_H

#include <lkl.h>

/* Of Linux's error numbers. */
#define strerror(err) ((char *)lkl_strerror(-(err)))

char *strsignal(int sig);
char *strndup(const char *text, size_t max);
char *stpcpy(char *to, const char *text);
void *memrchr(const void *memory, int c, size_t size);

#endif /* NT_STRING_H */
