/* SPDX-License-Identifier: GPL-2.0-only */
/* Groups of Windows have no numbers. */
#ifndef NT_GRP_H
#define NT_GRP_H

#include <stddef.h>
#include <sys/types.h>

struct group {
	gid_t gr_gid;
};

static inline struct group *getgrnam(const char *name)
{
	(void)name;
	return NULL;
}

#endif /* NT_GRP_H */
