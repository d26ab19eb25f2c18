// SPDX-License-Identifier: GPL-2.0-only
/* The host's files have no extended attributes that the tools know. */
#include <errno.h>

#include "elsewhere.h"

long no_listxattr(int dir, const char *name, char *list, size_t size)
{
	(void)dir;
	(void)name;
	(void)list;
	(void)size;
	return 0;
}

long no_getxattr(int dir, const char *name, const char *attr, void *val,
		 size_t size)
{
	(void)dir;
	(void)name;
	(void)attr;
	(void)val;
	(void)size;
	return -ENODATA;
}

int no_setxattr(int dir, const char *name, const char *attr, const void *val,
		size_t size)
{
	(void)dir;
	(void)name;
	(void)attr;
	(void)val;
	(void)size;
	return -EOPNOTSUPP;
}

int no_removexattr(int dir, const char *name, const char *attr)
{
	(void)dir;
	(void)name;
	(void)attr;
	return -ENODATA;
}
