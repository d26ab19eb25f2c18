/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _POSIX_THREAD_SAFE_FUNCTIONS
/* For localtime_r(). */
#define _POSIX_THREAD_SAFE_FUNCTIONS 200112L
#endif
#include_next <time.h>

#ifndef NT_TIME_H
#define NT_TIME_H

#define timegm(tm) _mkgmtime64(tm)

/* Of the format %Y, %m, %d, %H, %M and %S only. */
char *strptime(const char *text, const char *format, struct tm *tm);

/* With what POSIX has beside the C library's. */
size_t nt_strftime(char *to, size_t size, const char *format,
		   const struct tm *tm);
#define strftime nt_strftime

#endif /* NT_TIME_H */
