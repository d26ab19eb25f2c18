/* SPDX-License-Identifier: GPL-2.0-only */
#include_next <stdio.h>

#ifndef NT_STDIO_H
#define NT_STDIO_H

#define flockfile(f) _lock_file(f)
#define funlockfile(f) _unlock_file(f)
#define putc_unlocked(c, f) putc(c, f)

#endif /* NT_STDIO_H */
