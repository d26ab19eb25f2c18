/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LIB_SETTLE_H
#define LIB_SETTLE_H

/**
 * lkl_ram_settle - have all of the kernel's RAM in the memory file that is RAM
 *
 * Then another process may map that.  The kernel runs, and the calling thread
 * is in no call.
 *
 * Return: 0 or a negative error number
 */
int lkl_ram_settle(void);

#endif /* LIB_SETTLE_H */
