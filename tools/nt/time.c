// SPDX-License-Identifier: GPL-2.0-only
/* Times as text, as POSIX has it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <windows.h>

#undef strftime

/* Up to so many digits, from @least to @most. */
static const char *number(const char *text, int digits, int least, int most,
			  int *value)
{
	int v = 0, n = 0;

	for (; n < digits && isdigit((unsigned char)*text); n++)
		v = v * 10 + *text++ - '0';
	*value = v;
	return n && v >= least && v <= most ? text : NULL;
}

char *strptime(const char *text, const char *format, struct tm *tm)
{
	for (; *format && text; format++) {
		if (*format != '%') {
			text = *text == *format ? text + 1 : NULL;
			continue;
		}
		switch (*++format) {
		case 'Y':
			text = number(text, 4, 0, 9999, &tm->tm_year);
			tm->tm_year -= 1900;
			break;
		case 'm':
			text = number(text, 2, 1, 12, &tm->tm_mon);
			tm->tm_mon--;
			break;
		case 'd':
			text = number(text, 2, 1, 31, &tm->tm_mday);
			break;
		case 'H':
			text = number(text, 2, 0, 23, &tm->tm_hour);
			break;
		case 'M':
			text = number(text, 2, 0, 59, &tm->tm_min);
			break;
		case 'S':
			text = number(text, 2, 0, 60, &tm->tm_sec);
			break;
		default:
			return NULL;
		}
	}
	return (char *)text;
}

/* The same in what the C library knows, or NULL. */
static const char *others(char c)
{
	switch (c) {
	case 'D':
		return "%m/%d/%y";
	case 'F':
		return "%Y-%m-%d";
	case 'R':
		return "%H:%M";
	case 'T':
		return "%H:%M:%S";
	case 'h':
		return "%b";
	case 'n':
		return "\n";
	case 't':
		return "\t";
	case 'r':
		return "%I:%M:%S %p";
	}
	return NULL;
}

/* Minutes that local time is ahead of UTC. */
static int ahead(const struct tm *tm)
{
	struct tm here = *tm, as_utc = *tm;

	return (_mkgmtime64(&as_utc) - mktime(&here)) / 60;
}

size_t nt_strftime(char *to, size_t size, const char *format,
		   const struct tm *tm)
{
	size_t n = 0;

	while (*format) {
		char one[3] = { *format, 0, 0 };
		struct tm copy = *tm;
		size_t len = 1;

		if (n + 1 >= size)
			return 0;
		if (*format++ != '%' || !*format) {
			to[n++] = *one;
			continue;
		}
		one[1] = *format++;
		switch (one[1]) {
		case 'e':
			len = snprintf(to + n, size - n, "%2d", tm->tm_mday);
			break;
		case 's':
			len = snprintf(to + n, size - n, "%lld",
				       (long long)mktime(&copy));
			break;
		case 'C':
			len = snprintf(to + n, size - n, "%02d",
				       (tm->tm_year + 1900) / 100);
			break;
		case 'z':
			len = snprintf(to + n, size - n, "%c%02d%02d",
				       ahead(tm) < 0 ? '-' : '+',
				       abs(ahead(tm)) / 60,
				       abs(ahead(tm)) % 60);
			break;
		default:
			len = others(one[1])
				      ? nt_strftime(to + n, size - n,
						    others(one[1]), tm)
				      : strftime(to + n, size - n, one, tm);
			if (!len)
				return 0;
		}
		n += len;
		if (n >= size)
			return 0;
	}
	if (n < size)
		to[n] = 0;
	return n;
}
