/* SPDX-License-Identifier: GPL-2.0-only */
/* Users and groups of Windows have no numbers. */
#ifndef NT_PWD_H
#define NT_PWD_H

#include <stddef.h>
#include <sys/types.h>

struct passwd {
	uid_t pw_uid;
};

struct group {
	gid_t gr_gid;
};

static inline struct passwd *getpwnam(const char *name)
{
	(void)name;
	return NULL;
}

static inline struct group *getgrnam(const char *name)
{
	(void)name;
	return NULL;
}

#endif /* NT_PWD_H */
