/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tools use that POSIX does not have: tools/posix/functions.c. */
#include_next <fcntl.h>

#ifndef POSIX_FCNTL_H
#define POSIX_FCNTL_H

int pipe2(int fds[2], int flags);

#endif /* POSIX_FCNTL_H */
