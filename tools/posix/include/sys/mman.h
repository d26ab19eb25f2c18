/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of no file, which POSIX does not have: tools/posix/memory.c. */
#include_next <sys/mman.h>

#ifndef POSIX_SYS_MMAN_H
#define POSIX_SYS_MMAN_H

#include <stddef.h>
#include <sys/types.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS 0x20
#define MAP_NORESERVE 0x4000
#endif

/* Zeroed memory at an address of the host's choice, which costs nothing until
 * it is used. */
void *tool_mmap(void *addr, size_t size, int prot, int flags, int fd,
		off_t pos);
#define mmap tool_mmap

#endif /* POSIX_SYS_MMAN_H */
