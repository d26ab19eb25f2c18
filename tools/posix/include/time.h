/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tools use that POSIX does not have: tools/posix/functions.c. */
#include_next <time.h>

#ifndef POSIX_TIME_H
#define POSIX_TIME_H

/* Of a date of UTC. */
time_t timegm(struct tm *tm);

#endif /* POSIX_TIME_H */
