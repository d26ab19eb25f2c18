/* SPDX-License-Identifier: GPL-2.0-only */
/* The tools on other hosts than Linux. */
#ifndef TOOLS_ELSEWHERE_H
#define TOOLS_ELSEWHERE_H

#include <stdbool.h>
#include <stddef.h>

#include "../common/disk.h"

/* Is the disk one that only Linux can open?  Then that has been told. */
bool refuse_server(const struct disk *d);
/* The same for one that is open. */
bool refuse_format(const struct disk *d);

/* For struct fs: files have no extended attributes. */
long no_listxattr(int dir, const char *name, char *list, size_t size);
long no_getxattr(int dir, const char *name, const char *attr, void *val,
		 size_t size);
int no_setxattr(int dir, const char *name, const char *attr, const void *val,
		size_t size);
int no_removexattr(int dir, const char *name, const char *attr);

#endif /* TOOLS_ELSEWHERE_H */
