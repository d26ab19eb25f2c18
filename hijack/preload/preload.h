/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PRELOAD_H
#define PRELOAD_H

/* preload_syscall(): the program is to make the call itself.  No such error. */
#define PRELOAD_IN_PLACE -4095

#ifndef __ASSEMBLER__

/* entry.S */
void preload_entry(void);

long preload_syscall(long nr, const long *a);

#endif /* __ASSEMBLER__ */

#endif /* PRELOAD_H */
