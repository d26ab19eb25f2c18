// SPDX-License-Identifier: GPL-2.0-only
/* Functions that the tools use and POSIX does not have. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int vasprintf(char **text, const char *fmt, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	*text = len < 0 ? NULL : malloc(len + 1);
	return *text ? vsnprintf(*text, len + 1, fmt, args) : -1;
}

int asprintf(char **text, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(text, fmt, args);
	va_end(args);
	return len;
}

/* Days from 1970 to the first of March of a year. */
static long long days_to_march(long long year)
{
	return 365 * year + year / 4 - year / 100 + year / 400 - 719468;
}

time_t timegm(struct tm *tm)
{
	/* The year begins with March: then a leap day is the last one. */
	int month = (tm->tm_mon + 10) % 12;
	long long year = tm->tm_year + 1900LL - (tm->tm_mon < 2);
	long long days =
		days_to_march(year) + (153 * month + 2) / 5 + tm->tm_mday - 1;

	return ((days * 24 + tm->tm_hour) * 60 + tm->tm_min) * 60 + tm->tm_sec;
}

int pipe2(int fds[2], int flags)
{
	if (pipe(fds))
		return -1;
	for (int i = 0; i < 2; i++) {
		if (flags & O_CLOEXEC)
			fcntl(fds[i], F_SETFD, FD_CLOEXEC);
		fcntl(fds[i], F_SETFL, flags & ~O_CLOEXEC);
	}
	return 0;
}
