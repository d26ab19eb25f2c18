/* SPDX-License-Identifier: GPL-2.0-only */
#include_next <unistd.h>

#ifndef NT_UNISTD_H
#define NT_UNISTD_H

#include <stdio.h>
#include <sys/types.h>

/* Finding data of a file, and holes. */
#define SEEK_DATA 3
#define SEEK_HOLE 4

/* From an image or a disk, by a descriptor of the C library. */
ssize_t pread(int fd, void *buf, size_t size, off_t pos);

#endif /* NT_UNISTD_H */
