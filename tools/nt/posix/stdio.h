/* SPDX-License-Identifier: GPL-2.0-only */
#include_next <stdio.h>

#ifndef NT_STDIO_H
#define NT_STDIO_H

#include <sys/types.h>

/* Files by names in UTF-8, to be read. */
FILE *nt_fopen(const char *path, const char *mode);
int nt_rename(const char *from, const char *to);
#define fopen nt_fopen
#define rename nt_rename

ssize_t getline(char **line, size_t *size, FILE *f);

#define flockfile(f) _lock_file(f)
#define funlockfile(f) _unlock_file(f)
#define putc_unlocked(c, f) putc(c, f)

#endif /* NT_STDIO_H */
