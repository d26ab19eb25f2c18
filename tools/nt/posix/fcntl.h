/* SPDX-License-Identifier: GPL-2.0-only */
#include_next <fcntl.h>

#ifndef NT_FCNTL_H
#define NT_FCNTL_H

/* Nothing is executed. */
#define O_CLOEXEC 0

/* A pipe between threads of the process. */
#define pipe2(fds, flags) _pipe(fds, 4096, _O_BINARY | (flags))

#endif /* NT_FCNTL_H */
