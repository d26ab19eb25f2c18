/* SPDX-License-Identifier: GPL-2.0-only */
/* Users of Windows have no numbers. */
#ifndef NT_PWD_H
#define NT_PWD_H

#include <stddef.h>
#include <sys/types.h>

struct passwd {
	uid_t pw_uid;
};

static inline struct passwd *getpwnam(const char *name)
{
	(void)name;
	return NULL;
}

#endif /* NT_PWD_H */
