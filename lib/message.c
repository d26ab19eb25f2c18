// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages of the library, which are for the developer of the program.
 */
#include <stdarg.h>
#include <stdio.h>

#include "message.h"

void lkl_message(const char *what, const char *fmt, ...)
{
	char line[300];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	fprintf(stderr, "lkl: %s: %s\n", what, line);
}
