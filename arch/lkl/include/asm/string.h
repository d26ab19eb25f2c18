/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_STRING_H
#define _ASM_LKL_STRING_H

#define __HAVE_ARCH_MEMCPY
void *memcpy(void *to, const void *from, size_t n);
void *__memcpy(void *to, const void *from, size_t n);

#define __HAVE_ARCH_MEMMOVE
void *memmove(void *to, const void *from, size_t n);
void *__memmove(void *to, const void *from, size_t n);

#define __HAVE_ARCH_MEMSET
void *memset(void *to, int c, size_t n);
void *__memset(void *to, int c, size_t n);

#if defined(CONFIG_KASAN) && !defined(__SANITIZE_ADDRESS__)
/* A file that is not to be checked does not call what checks. */
#define memcpy(to, from, n)	__memcpy(to, from, n)
#define memmove(to, from, n)	__memmove(to, from, n)
#define memset(to, c, n)	__memset(to, c, n)
#endif

#endif /* _ASM_LKL_STRING_H */
