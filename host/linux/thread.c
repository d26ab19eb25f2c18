// SPDX-License-Identifier: GPL-2.0-only
/* What Linux and its C library know of threads. */
#include <dlfcn.h>
#include <link.h>

#include "linux.h"

long linux_gettid(void)
{
	return raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

/*
 * A copy of the library that dlmopen() has loaded has a C library of its own,
 * which gives out keys that the program's has given out, too, for the same
 * places.
 */
bool host_has_own_libc(void)
{
	static int here;
	struct link_map *map;
	Dl_info info;
	Lmid_t space;

	return dladdr1(&here, &info, (void **)&map, RTLD_DL_LINKMAP) &&
	       !dlinfo(map, RTLD_DI_LMID, &space) && space != LM_ID_BASE;
}
