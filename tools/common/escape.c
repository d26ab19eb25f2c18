// SPDX-License-Identifier: GPL-2.0-only
/* Names as Windows can hold them. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "escape.h"
#include "tool.h"

/* Bytes of the character that UTF-8 has at @p, or 0 if it is none. */
static size_t utf8(const char *p)
{
	const unsigned char *s = (const unsigned char *)p;
	/* What the second byte may be is less for some. */
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (*s < 0x80)
		return 1;
	if (*s < 0xc2 || *s > 0xf4)
		return 0;
	n = *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
	if (*s == 0xe0)
		low = 0xa0;
	else if (*s == 0xed)
		high = 0x9f;
	else if (*s == 0xf0)
		low = 0x90;
	else if (*s == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return n;
}

/* Devices are found in every directory, whatever follows a dot. */
static bool is_device(const char *name)
{
	static const char *const words[] = { "CON", "PRN",    "AUX",
					     "NUL", "CONIN$", "CONOUT$" };
	/* superscripts are digits there */
	static const char *const digits[] = { "\u00b9", "\u00b2", "\u00b3" };
	size_t len = strcspn(name, ".");

	while (len && name[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (len == strlen(words[i]) &&
		    !strncasecmp(name, words[i], len))
			return true;
	if (len < 4 || (strncasecmp(name, "COM", 3) != 0 &&
			strncasecmp(name, "LPT", 3) != 0))
		return false;
	for (size_t i = 0; len == 5 && i < 3; i++)
		if (!strncmp(name + 3, digits[i], 2))
			return true;
	return len == 4 && name[3] >= '1' && name[3] <= '9';
}

/* Is the character at @p one that the name cannot have there? */
static bool is_bad(const char *name, const char *p)
{
	unsigned char c = *p;

	return c < ' ' || strchr("<>:\"/\\|?*", c) ||
	       (!p[1] && (c == '.' || c == ' ')) ||
	       (p == name && is_device(name));
}

bool escape_is_none(const char *name)
{
	const char *p = name;
	size_t n;

	for (; (n = *p ? utf8(p) : 0); p += n)
		if (is_bad(name, p))
			return false;
	return p != name && !*p;
}

static bool is_byte(const char *p)
{
	return *p == '%' && isxdigit((unsigned char)p[1]) &&
	       isxdigit((unsigned char)p[2]);
}

char *escape_name(const char *name)
{
	char *made = tool_alloc(NULL, 3 * strlen(name) + 1), *to = made;

	for (const char *p = name; *p;) {
		size_t n = utf8(p);

		if (n && !is_bad(name, p) && !is_byte(p)) {
			memcpy(to, p, n);
			to += n;
			p += n;
		} else {
			to += sprintf(to, "%%%02X", (unsigned char)*p++);
		}
	}
	*to = 0;
	return made;
}

/* What a name could have been, or false if it cannot have been one. */
static bool decode(char *to, const char *name)
{
	char *const begin = to;

	for (; *name; to++) {
		if (is_byte(name)) {
			const char digits[] = { name[1], name[2], 0 };

			*to = strtoul(digits, NULL, 16);
			name += 3;
			if (!*to || *to == '/')
				return false;
		} else {
			*to = *name++;
		}
	}
	*to = 0;
	return strcmp(begin, ".") && strcmp(begin, "..");
}

char *escape_undo(const char *name)
{
	char *was = tool_alloc(NULL, strlen(name) + 1), *again;

	if (decode(was, name)) {
		again = escape_name(was);
		if (strcmp(again, name))
			strcpy(was, name);
		free(again);
	} else {
		strcpy(was, name);
	}
	return was;
}

char *escape_path(const char *path, char *(*change)(const char *name))
{
	char *made = tool_alloc(NULL, 3 * strlen(path) + 1), *to = made;

	for (;;) {
		size_t len = strcspn(path, "/");
		char *part = strndup(path, len), *changed;

		if (!part)
			tool_no_memory();
		changed = !strcmp(part, ".") || !strcmp(part, "..")
				  ? strdup(part)
				  : change(part);
		if (!changed)
			tool_no_memory();
		to = stpcpy(to, changed);
		free(changed);
		free(part);
		path += len;
		if (!*path)
			break;
		*to++ = *path++;
	}
	*to = 0;
	return made;
}
