/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tools know one set of error numbers, Linux's: those of the library's
 * kernel.  What the C library sets itself is among those that are the same.
 */
#include_next <errno.h>

#ifndef NT_ERRNO_H
#define NT_ERRNO_H

#include <lkl/asm/errno.h>

#undef EACCES
#undef EAGAIN
#undef EBADF
#undef EBUSY
#undef EDQUOT
#undef EEXIST
#undef EFBIG
#undef EILSEQ
#undef EINTR
#undef EINVAL
#undef EIO
#undef EISDIR
#undef ELOOP
#undef EMFILE
#undef EMLINK
#undef ENAMETOOLONG
#undef ENODATA
#undef ENODEV
#undef ENOENT
#undef ENOMEM
#undef ENOSPC
#undef ENOTDIR
#undef ENOTEMPTY
#undef ENOTSUP
#undef ENXIO
#undef EOPNOTSUPP
#undef EPERM
#undef ERANGE
#undef EROFS
#undef ESTALE
#undef EUCLEAN
#undef EWOULDBLOCK
#undef EXDEV

#define EACCES LKL_EACCES
#define EAGAIN LKL_EAGAIN
#define EBADF LKL_EBADF
#define EBUSY LKL_EBUSY
#define EDQUOT LKL_EDQUOT
#define EEXIST LKL_EEXIST
#define EFBIG LKL_EFBIG
#define EILSEQ LKL_EILSEQ
#define EINTR LKL_EINTR
#define EINVAL LKL_EINVAL
#define EIO LKL_EIO
#define EISDIR LKL_EISDIR
#define ELOOP LKL_ELOOP
#define EMFILE LKL_EMFILE
#define EMLINK LKL_EMLINK
#define ENAMETOOLONG LKL_ENAMETOOLONG
#define ENODATA LKL_ENODATA
#define ENODEV LKL_ENODEV
#define ENOENT LKL_ENOENT
#define ENOMEM LKL_ENOMEM
#define ENOSPC LKL_ENOSPC
#define ENOTDIR LKL_ENOTDIR
#define ENOTEMPTY LKL_ENOTEMPTY
#define ENOTSUP LKL_EOPNOTSUPP
#define ENXIO LKL_ENXIO
#define EOPNOTSUPP LKL_EOPNOTSUPP
#define EPERM LKL_EPERM
#define ERANGE LKL_ERANGE
#define EROFS LKL_EROFS
#define ESTALE LKL_ESTALE
#define EUCLEAN LKL_EUCLEAN
#define EWOULDBLOCK LKL_EAGAIN
#define EXDEV LKL_EXDEV

#endif /* NT_ERRNO_H */
