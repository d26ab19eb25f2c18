/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tools use that POSIX does not have. */
#include_next <unistd.h>

#ifndef POSIX_UNISTD_H
#define POSIX_UNISTD_H

/* Finding data of a file, and holes, as the library's kernel does. */
#ifndef SEEK_DATA
#define SEEK_DATA 3
#define SEEK_HOLE 4
#endif

#endif /* POSIX_UNISTD_H */
