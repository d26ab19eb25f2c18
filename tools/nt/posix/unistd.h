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

/* The type is that of the C library's, which is declared by this name, too. */
int nt_write(int fd, const void *buf, unsigned int size);
#define write(fd, buf, size) nt_write(fd, buf, size)

/* Files by names in UTF-8; whether one is there is all that access() tells. */
int nt_access(const char *path, int mode);
int nt_unlink(const char *path);
#define access nt_access
#define unlink nt_unlink

#endif /* NT_UNISTD_H */
