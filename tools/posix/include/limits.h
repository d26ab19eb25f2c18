/* SPDX-License-Identifier: GPL-2.0-only */
/* A path of the library's kernel, and a name in it. */
#include_next <limits.h>

#undef PATH_MAX
#define PATH_MAX 4096
#undef NAME_MAX
#define NAME_MAX 255
