// SPDX-License-Identifier: GPL-2.0-only
/* What a kernel that is an image of its own needs of the host: see door/. */
#include <windows.h>

#include "../../door/door.h"

bool door_protect(void *start, size_t size, bool write, bool exec)
{
	DWORD old, now = PAGE_READONLY;

	if (write)
		now = exec ? PAGE_EXECUTE_READWRITE : PAGE_READWRITE;
	else if (exec)
		now = PAGE_EXECUTE_READ;
	return VirtualProtect(start, size, now, &old);
}
