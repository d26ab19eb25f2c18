/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers of devices, as the library's kernel has them. */
#ifndef POSIX_SYSMACROS_H
#define POSIX_SYSMACROS_H

#define major(dev) ((unsigned int)((dev) >> 8 & 0xfff))
#define minor(dev) ((unsigned int)(((dev)&0xff) | ((dev) >> 12 & 0xfff00)))

#endif /* POSIX_SYSMACROS_H */
