// SPDX-License-Identifier: GPL-2.0-only
/*
 * How properties of files are written and read.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/tool.h"
#include "path.h"
#include "text.h"

#define CHUNK (64 << 10)
/* What GNU's ls calls recent: half a year of the Gregorian calendar. */
#define RECENT (31556952 / 2)

long text_read(const struct session *s, const char *path, size_t max,
	       char **text, size_t *len)
{
	int fd = path_open(s, path, LKL_O_RDONLY | LKL_O_NONBLOCK);
	struct stat st;
	long n = fd;

	*text = NULL;
	*len = 0;
	if (fd < 0)
		return fd;
	n = s->fs->stat(fd, "", &st);
	if (!n && !S_ISREG(st.st_mode))
		n = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	while (n >= 0) {
		*text = tool_alloc(*text, *len + CHUNK + 1);
		n = s->fs->pread(fd, *text + *len, CHUNK, *len);
		if (n <= 0)
			break;
		*len += n;
		if (*len > max)
			n = -EFBIG;
	}
	s->fs->close(fd);
	if (n < 0) {
		free(*text);
		*text = NULL;
		return n;
	}
	(*text)[*len] = 0;
	return 0;
}

const char *text_mode(mode_t mode, char text[MODE_TEXT])
{
	static const char types[] = "?pc?d?b?-?l?s???";
	static const char bits[] = "rwxrwxrwx";

	text[0] = types[mode >> 12 & 15];
	for (int i = 0; i < 9; i++)
		text[i + 1] = mode & 0400 >> i ? bits[i] : '-';
	if (mode & S_ISUID)
		text[3] = mode & S_IXUSR ? 's' : 'S';
	if (mode & S_ISGID)
		text[6] = mode & S_IXGRP ? 's' : 'S';
	if (mode & S_ISVTX)
		text[9] = mode & S_IXOTH ? 't' : 'T';
	text[10] = 0;
	return text;
}

const char *text_type(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "symlink";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	case S_IFBLK:
		return "block";
	case S_IFCHR:
		return "char";
	}
	return "unknown";
}

const char *text_size(uint64_t size, unsigned int human, bool units,
		      char text[SIZE_TEXT])
{
	static const char names[] = " KMGTPE";
	uint64_t unit = 1, tenths;
	size_t u = 0;

	if (!units) {
		snprintf(text, SIZE_TEXT, "%llu",
			 (unsigned long long)((size + human - 1) / human));
		return text;
	}
	while (size / unit >= human && u < sizeof(names) - 2) {
		unit *= human;
		u++;
	}
	if (!u) {
		snprintf(text, SIZE_TEXT, "%llu", (unsigned long long)size);
		return text;
	}
	tenths = size / unit * 10 + (size % unit * 10 + unit - 1) / unit;
	if (tenths < 100) {
		snprintf(text, SIZE_TEXT, "%llu.%llu%c",
			 (unsigned long long)tenths / 10,
			 (unsigned long long)tenths % 10,
			 human == 1000 && u == 1 ? 'k' : names[u]);
		return text;
	}
	tenths = size / unit + (size % unit != 0);
	if (tenths == human && u < sizeof(names) - 2)
		snprintf(text, SIZE_TEXT, "1.0%c", names[u + 1]);
	else
		snprintf(text, SIZE_TEXT, "%llu%c", (unsigned long long)tenths,
			 human == 1000 && u == 1 ? 'k' : names[u]);
	return text;
}

void text_unit(const struct args *a, unsigned int *size, bool *units)
{
	*units = a->given['h'] || a->given['H'] || a->given[OPT_SI];
	*size = *units && !a->given['h'] ? 1000 : 1024;
	if (a->given['b'])
		*size = 1;
}

static bool is_recent(const struct timespec *ts)
{
	time_t now = time(NULL);

	return ts->tv_sec <= now && ts->tv_sec > now - RECENT;
}

bool text_time_style(const char *style)
{
	return *style == '+' || !strcmp(style, "full-iso") ||
	       !strcmp(style, "long-iso") || !strcmp(style, "iso") ||
	       !strcmp(style, "locale");
}

const char *text_time(const struct timespec *ts, const char *style,
		      char text[TIME_TEXT])
{
	const char *format = "%Y-%m-%d %H:%M";
	struct tm tm;
	size_t n;

	if (!localtime_r(&ts->tv_sec, &tm)) {
		snprintf(text, TIME_TEXT, "%lld", (long long)ts->tv_sec);
		return text;
	}
	if (!strcmp(style, "full-iso")) {
		n = strftime(text, TIME_TEXT, "%Y-%m-%d %H:%M:%S", &tm);
		n += snprintf(text + n, TIME_TEXT - n, ".%09ld", ts->tv_nsec);
		strftime(text + n, TIME_TEXT - n, " %z", &tm);
		return text;
	}
	if (*style == '+')
		format = style + 1;
	else if (!strcmp(style, "iso"))
		format = is_recent(ts) ? "%m-%d %H:%M" : "%Y-%m-%d ";
	else if (!strcmp(style, "locale"))
		format = is_recent(ts) ? "%b %e %H:%M" : "%b %e  %Y";
	if (!strftime(text, TIME_TEXT, format, &tm))
		*text = 0;
	return text;
}

/* Digits behind a point, as nanoseconds. */
static const char *parse_fraction(const char *p, long *ns)
{
	long unit = 100000000;

	*ns = 0;
	for (; isdigit((unsigned char)*p); p++, unit /= 10)
		*ns += (*p - '0') * unit;
	return p;
}

static bool parse_seconds(const char *text, struct timespec *ts)
{
	char *end;

	errno = 0;
	ts->tv_sec = strtoll(text, &end, 10);
	ts->tv_nsec = 0;
	if (end == text || errno || isspace((unsigned char)*text))
		return false;
	if (*end == '.' && isdigit((unsigned char)end[1]))
		end = (char *)parse_fraction(end + 1, &ts->tv_nsec);
	/* the fraction of a negative number goes the other way */
	if (*text == '-' && ts->tv_nsec) {
		ts->tv_sec--;
		ts->tv_nsec = 1000000000 - ts->tv_nsec;
	}
	return !*end;
}

bool text_parse_time(const char *text, struct timespec *ts)
{
	struct tm tm = { .tm_isdst = -1 };
	const char *p;

	if (*text == '@')
		return parse_seconds(text + 1, ts);
	if (!strcmp(text, "now")) {
		clock_gettime(CLOCK_REALTIME, ts);
		return true;
	}
	ts->tv_nsec = 0;
	p = strptime(text, "%Y-%m-%d", &tm);
	if (p && (*p == ' ' || *p == 'T'))
		p = strptime(p + 1, "%H:%M", &tm);
	if (p && *p == ':') {
		p = strptime(p, ":%S", &tm);
		if (p && *p == '.' && isdigit((unsigned char)p[1]))
			p = parse_fraction(p + 1, &ts->tv_nsec);
	}
	if (!p || (*p && strcmp(p, "Z")))
		return false;
	ts->tv_sec = *p ? timegm(&tm) : mktime(&tm);
	return true;
}

const char *text_label(const struct session *s, int dir, const char *name,
		       char *label, size_t size)
{
	/* the descriptor may be open as a starting point only */
	long n = s->fs->getxattr(dir, *name ? name : ".", "security.selinux",
				 label, size - 1);

	if (n < 0 && !*name) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
		n = lkl_sys_getxattr(path, "security.selinux", label, size - 1);
	}
	label[n > 0 ? n : 0] = 0;
	return n > 0 ? label : strcpy(label, "?");
}

long text_link(const struct session *s, int dir, const char *name, char *target)
{
	long n = s->fs->readlink(dir, name, target, PATH_MAX);

	if (n >= PATH_MAX)
		n = -ENAMETOOLONG;
	target[n > 0 ? n : 0] = 0;
	return n < 0 ? n : 0;
}
