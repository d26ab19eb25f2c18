/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the host's files on Windows; fs.c says how they belong together.
 */
#ifndef NT_FS_H
#define NT_FS_H

#include <stdbool.h>
#include <stdint.h>

#include "nt_file.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* Options of nt_open_in(), missing in winternl.h. */
#define OPTION_DIRECTORY 0x1
#define OPTION_NO_DIRECTORY 0x40

/* Descriptors: handle.c. */
int nt_fd(HANDLE handle);
HANDLE nt_handle(int fd);
int nt_close(int fd);

/* Would data at @off be the first to leave a gap behind what is written? */
bool nt_leaves_gap(int fd, int64_t off);
/* There is data now up to @end. */
void nt_has_written(int fd, int64_t end);

/* The path of something in an open directory, to be freed, or NULL. */
wchar_t *nt_path_in(int dir, const wchar_t *name);
int nt_open_wide(const wchar_t *path, DWORD access);
int nt_open_again(int dir, DWORD access);
/* Open or make something in a directory. */
int nt_open_in(int dir, const char *name, ACCESS_MASK access, ULONG disposition,
	       ULONG options);

/* Do something with what a name, or "", stands for. */
#define WITH(dir, name, access, fd, act)                                       \
	({                                                                     \
		int fd = *(name) ? nt_open_in(dir, name, access, FILE_OPEN, 0) \
				 : (dir);                                      \
		int done_ = fd < 0 ? fd : (act);                               \
		if (*(name) && fd >= 0)                                        \
			nt_close(fd);                                          \
		done_;                                                         \
	})

/* As struct fs has them: data.c. */
long nt_pread(int fd, void *buf, size_t size, off_t off);
long nt_pwrite(int fd, const void *buf, size_t size, off_t off);
off_t nt_seek(int fd, off_t off, int whence);
int nt_truncate(int fd, off_t size);

/* links.c */
long nt_readlink(int dir, const char *name, char *buf, size_t size);
int nt_symlink(const char *target, int dir, const char *name);
int nt_link(int from_dir, const char *from, int dir, const char *name);

#endif /* NT_FS_H */
