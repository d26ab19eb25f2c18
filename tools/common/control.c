// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text without control characters.
 */
#include <string.h>

#include "control.h"

size_t control_next(const char *text, bool *control)
{
	const unsigned char *p = (const void *)text;
	size_t n = *p < 0xc2 || *p > 0xf4 ? 1
		   : *p < 0xe0		  ? 2
		   : *p < 0xf0		  ? 3
					  : 4;

	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			n = 1;
	}
	if (n > 1)
		*control = *p == 0xc2 && p[1] < 0xa0;
	else
		*control = *p < ' ' || (*p >= 127 && *p < 0xa0);
	return n;
}

char *control_hide(char *text)
{
	char *const begin = text, *to = text;
	bool control;

	for (size_t n; *text; text += n) {
		n = control_next(text, &control);
		if (control)
			*to++ = '?';
		else
			to = (char *)memmove(to, text, n) + n;
	}
	*to = 0;
	return begin;
}

void control_escape(FILE *f, const char *text, const char *others)
{
	bool control;

	for (size_t n; *text; text += n) {
		n = control_next(text, &control);
		for (size_t i = 0; i < n; i++) {
			if (control || strchr(others, text[i]))
				fprintf(f, "\\%03o", (unsigned char)text[i]);
			else
				putc_unlocked(text[i], f);
		}
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
