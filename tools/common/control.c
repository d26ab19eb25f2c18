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

char *control_unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p;) {
		unsigned int c;

		if (*p == '\\' && sscanf(p + 1, "%3o", &c) == 1) {
			*to++ = c;
			p += 4;
		} else {
			*to++ = *p++;
		}
	}
	*to = 0;
	return to;
}
