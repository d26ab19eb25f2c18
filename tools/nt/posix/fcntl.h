/* SPDX-License-Identifier: GPL-2.0-only */
#include_next <fcntl.h>

#ifndef NT_FCNTL_H
#define NT_FCNTL_H

/* Nothing is executed that would have a file of the tools'. */
#define O_CLOEXEC 0
#define F_GETFD 1
#define F_SETFD 2
#define FD_CLOEXEC 1
#define fcntl(fd, command, ...) ((void)(fd), FD_CLOEXEC)

/* By a name in UTF-8, and with no other mode than the folder's. */
int nt_open(const char *path, int flags, ...);
#define open nt_open

/* A pipe between threads of the process. */
#define pipe2(fds, flags) _pipe(fds, 4096, _O_BINARY | (flags))

#endif /* NT_FCNTL_H */
