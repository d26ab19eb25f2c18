/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tools use that POSIX does not have: tools/posix/functions.c. */
#include_next <stdio.h>

#ifndef POSIX_STDIO_H
#define POSIX_STDIO_H

#include <stdarg.h>

int vasprintf(char **text, const char *fmt, va_list args);
int asprintf(char **text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* POSIX_STDIO_H */
