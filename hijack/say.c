// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages: a line on standard error that begins with the name of the command.
 */
#include <unistd.h>

#include "internal.h"

const char *hijack_name = "lkl";

void hijack_say(const char *what, const char *why)
{
	const char *parts[] = { hijack_name, ": ", what, why, "\n" };
	char line[512];
	size_t n = 0, i, k;

	for (i = 0; i < array_size(parts); i++)
		for (k = 0; parts[i][k] && n < sizeof(line); k++)
			line[n++] = parts[i][k];
	own_call3(SYS_write, STDERR_FILENO, line, n);
}

void hijack_refuse(const char *path, const char *why)
{
	static const char text[] = ": would be on the host's network, as it ";
	char what[256];
	size_t n = 0;

	for (; path[n] && n < sizeof(what) - sizeof(text); n++)
		what[n] = path[n];
	memcpy(what + n, text, sizeof(text));
	hijack_say(what, why);
}
