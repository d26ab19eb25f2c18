/* SPDX-License-Identifier: GPL-2.0-only */
#include_next <limits.h>

/* A path of Linux. */
#undef PATH_MAX
#define PATH_MAX 4096
#undef NAME_MAX
#define NAME_MAX 255
