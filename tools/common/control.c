// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text without control characters.
 */
#include <string.h>

#include "control.h"

char *control_hide(char *text)
{
	for (char *p = text; *p; p++) {
		if (control_is(*p))
			*p = '?';
	}
	return text;
}

void control_escape(FILE *f, const char *text, const char *others)
{
	for (const char *p = text; *p; p++) {
		if (control_is(*p) || strchr(others, *p))
			fprintf(f, "\\%03o", (unsigned char)*p);
		else
			putc_unlocked(*p, f);
	}
}
