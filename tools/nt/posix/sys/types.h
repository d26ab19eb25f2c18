/* SPDX-License-Identifier: GPL-2.0-only */
#include_next <sys/types.h>

#ifndef NT_SYS_TYPES_H
#define NT_SYS_TYPES_H

#include <stdint.h>

/* The C library's has 16 bits. */
#define ino_t nt_ino_t
typedef uint64_t nt_ino_t;
typedef unsigned int uid_t;
typedef unsigned int gid_t;

#endif /* NT_SYS_TYPES_H */
