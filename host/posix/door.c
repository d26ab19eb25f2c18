// SPDX-License-Identifier: GPL-2.0-only
/* What a kernel that is an image of its own needs of the host: see door/. */
#include <sys/mman.h>

#include "../../door/door.h"

bool door_protect(void *start, size_t size, bool write, bool exec)
{
	return !mprotect(start, size,
			 PROT_READ | (write ? PROT_WRITE : 0) |
				 (exec ? PROT_EXEC : 0));
}
