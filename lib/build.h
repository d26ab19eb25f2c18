/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LIB_BUILD_H
#define LIB_BUILD_H

#include <stdbool.h>

#define LKL_BUILD_ID_BYTES 32
#define LKL_BUILD_ID (2 * LKL_BUILD_ID_BYTES + 1)

/**
 * lkl_build_is_fixed - is the library where it was linked to be?
 * @id: its build id in hexadecimal, or "" if it has none; of the program if the
 *	library is linked into that
 */
bool lkl_build_is_fixed(char id[LKL_BUILD_ID]);

#endif /* LIB_BUILD_H */
