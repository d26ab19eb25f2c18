// SPDX-License-Identifier: GPL-2.0-only
/* What is mapped where, as the host tells. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>

#include <lkl/asm/areas.h>

#include "maps.h"

int linux_each_mapping(bool (*fn)(const struct linux_mapping *m, void *arg),
		       void *arg)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[PATH_MAX + 128];
	bool ok = true;

	if (!maps)
		return -errno;
	while (ok && fgets(line, sizeof(line), maps)) {
		unsigned long start, end, offset;
		struct linux_mapping m;
		char perms[5];

		if (sscanf(line, "%lx-%lx %4s %lx", &start, &end, perms,
			   &offset) != 4 ||
		    start < LKL_AREA_START || end > LKL_AREA_END)
			continue;
		m = (struct linux_mapping){ start, end - start, offset,
					    PROT_NONE, perms[3] == 's' };
		if (perms[0] == 'r')
			m.prot |= PROT_READ;
		if (perms[1] == 'w')
			m.prot |= PROT_WRITE;
		if (perms[2] == 'x')
			m.prot |= PROT_EXEC;
		ok = fn(&m, arg);
	}
	fclose(maps);
	return ok ? 0 : -ENOMEM;
}
