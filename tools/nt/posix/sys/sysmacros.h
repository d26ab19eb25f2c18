/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers of devices, as the library's kernel has them. */
#ifndef NT_SYS_SYSMACROS_H
#define NT_SYS_SYSMACROS_H

#define major(dev) ((unsigned int)((dev) >> 8 & 0xfff))
#define minor(dev) ((unsigned int)(((dev)&0xff) | ((dev) >> 12 & 0xfff00)))

#define makedev(major, minor)                                                  \
	(((major)&0xfff) << 8 | ((minor)&0xff) | ((minor)&0xfff00) << 12)

#endif /* NT_SYS_SYSMACROS_H */
