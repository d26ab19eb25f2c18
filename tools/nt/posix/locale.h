/* SPDX-License-Identifier: GPL-2.0-only */
#include_next <locale.h>

#ifndef NT_LOCALE_H
#define NT_LOCALE_H

/* Knows "C" and "C.UTF-8". */
char *nt_setlocale(int category, const char *locale);
#define setlocale nt_setlocale

#endif /* NT_LOCALE_H */
