/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LIB_MESSAGE_H
#define LIB_MESSAGE_H

/* Print a line "lkl: WHAT: ..." to standard error. */
__attribute__((format(printf, 2, 3))) void lkl_message(const char *what,
						       const char *fmt, ...);

#endif /* LIB_MESSAGE_H */
