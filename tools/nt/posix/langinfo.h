/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef NT_LANGINFO_H
#define NT_LANGINFO_H

#define CODESET 14

/* The characters' encoding, after setlocale(): "UTF-8", or ASCII. */
char *nl_langinfo(int item);

#endif /* NT_LANGINFO_H */
