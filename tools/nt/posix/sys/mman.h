/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of one's own. */
#ifndef NT_SYS_MMAN_H
#define NT_SYS_MMAN_H

#include <stddef.h>

#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_SHARED 1
#define MAP_PRIVATE 2
#define MAP_ANONYMOUS 0x20
#define MAP_NORESERVE 0x4000
#define MAP_FAILED ((void *)-1)

/* Zeroed memory at an address of the host's choice, of no file.  With
 * MAP_NORESERVE it costs nothing until it is used. */
void *mmap(void *addr, size_t size, int prot, int flags, int fd, long long pos);
int munmap(void *addr, size_t size);

#endif /* NT_SYS_MMAN_H */
