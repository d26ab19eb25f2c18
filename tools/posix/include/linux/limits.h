/* SPDX-License-Identifier: GPL-2.0-only */
/* Of the library's kernel. */
#ifndef POSIX_LINUX_LIMITS_H
#define POSIX_LINUX_LIMITS_H

#include <lkl/linux/limits.h>

#define XATTR_NAME_MAX LKL_XATTR_NAME_MAX
#define XATTR_SIZE_MAX LKL_XATTR_SIZE_MAX
#define XATTR_LIST_MAX LKL_XATTR_LIST_MAX

#endif /* POSIX_LINUX_LIMITS_H */
