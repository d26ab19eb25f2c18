/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libarchive's configuration for Windows.
 *
 * Where libarchive knows Windows, it takes names to be in a code page, and
 * turns them into UTF-16 and their slashes into others.  The tools have names
 * that are bytes, and open all files themselves.  So libarchive is compiled for
 * a host that is none in particular: the C library's headers come first, which
 * must know, and then nothing says any more that this is Windows.  What the
 * tools ask of a host beyond that is in
 * ../posix/.
 */
#ifndef NT_ARCHIVE_CONFIG_H
#define NT_ARCHIVE_CONFIG_H

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <langinfo.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#undef _WIN32
#undef __WIN32
#undef __WIN32__

#define HAVE_CTYPE_H 1
#define HAVE_ERRNO_H 1
#define HAVE_FCNTL_H 1
#define HAVE_INTTYPES_H 1
#define HAVE_LANGINFO_H 1
#define HAVE_LIMITS_H 1
#define HAVE_STDARG_H 1
#define HAVE_STDINT_H 1
#define HAVE_STDLIB_H 1
#define HAVE_STRING_H 1
#define HAVE_SYS_STAT_H 1
#define HAVE_SYS_TYPES_H 1
#define HAVE_TIME_H 1
#define HAVE_UNISTD_H 1
#define HAVE_WCHAR_H 1
#define MAJOR_IN_SYSMACROS 1

#define HAVE_DECL_INT32_MAX 1
#define HAVE_DECL_INT32_MIN 1
#define HAVE_DECL_INT64_MAX 1
#define HAVE_DECL_INT64_MIN 1
#define HAVE_DECL_INTMAX_MAX 1
#define HAVE_DECL_INTMAX_MIN 1
#define HAVE_DECL_SIZE_MAX 1
#define HAVE_DECL_SSIZE_MAX 1
#define HAVE_DECL_UINT32_MAX 1
#define HAVE_DECL_UINT64_MAX 1
#define HAVE_DECL_UINTMAX_MAX 1
#define HAVE_EILSEQ 1
#define HAVE_INTMAX_T 1
#define HAVE_UINTMAX_T 1
#define HAVE_STRUCT_STAT_ST_MTIM_TV_NSEC 1
#define SIZEOF_WCHAR_T 2

#define HAVE_MBRTOWC 1
#define HAVE_MEMMOVE 1
#define HAVE_MKSTEMP 1
#define HAVE_NL_LANGINFO 1
#define HAVE_STRCHR 1
#define HAVE_STRDUP 1
#define HAVE_STRERROR 1
#define HAVE_STRRCHR 1
#define HAVE_VPRINTF 1
#define HAVE_WCRTOMB 1
#define HAVE_WCSCMP 1
#define HAVE_WCSCPY 1
#define HAVE_WCSLEN 1
#define HAVE_WCTOMB 1
#define HAVE_WMEMCMP 1
#define HAVE_WMEMCPY 1

#define HAVE_BZLIB_H 1
#define HAVE_LIBBZ2 1
#define HAVE_LIBLZ4 1
#define HAVE_LIBLZMA 1
#define HAVE_LIBZ 1
#define HAVE_LIBZSTD 1
#define HAVE_LIBZSTD_COMPRESSOR 1
#define HAVE_LZ4HC_H 1
#define HAVE_LZ4_H 1
#define HAVE_LZMA_H 1
#define HAVE_ZLIB_H 1
#define HAVE_ZSTD_H 1

#endif /* NT_ARCHIVE_CONFIG_H */
