/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tools use that POSIX does not have. */
#include_next <dirent.h>

#ifndef POSIX_DIRENT_H
#define POSIX_DIRENT_H

/* Types of entries, as the library's kernel tells them. */
#ifndef DT_UNKNOWN
#define DT_UNKNOWN 0
#define DT_FIFO 1
#define DT_CHR 2
#define DT_DIR 4
#define DT_BLK 6
#define DT_REG 8
#define DT_LNK 10
#define DT_SOCK 12
#define IFTODT(mode) (((mode)&0170000) >> 12)
#endif

#endif /* POSIX_DIRENT_H */
