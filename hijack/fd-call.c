// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that name a descriptor, or memory that one was mapped to: they go to
 * the kernel that has it.
 */

#include <lkl/asm/areas.h>

#include "internal.h"

/**
 * fd_call - make a call whose first argument is a descriptor
 */
long fd_call(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);

	long ret;

	if (likely(!(word & (FD_LKL | FD_OWN))))
		return host_call(nr, a);
	if (word & FD_OWN)
		return -EBADF;
	ret = lkl6(nr, fd_number(word), a[1], a[2], a[3], a[4], a[5]);
	if (unlikely(word & FD_OPEN && !fd_word(a[0])))
		return host_call(nr, a);
	return ret;
}

static bool has_mapped;

/**
 * fd_has_mapped - may there be memory of the library's that the program has
 * mapped?
 */
bool fd_has_mapped(void)
{
	return has_mapped;
}

/*
 * mmap(), perhaps of a file of the library's: a ring of packets, say.  Programs
 * that choose addresses at random, as V8 does, do not get the library's.
 */
long fd_mmap(long nr, const long *a)
{
	uint32_t word = a[3] & LKL_MAP_ANONYMOUS ? 0 : fd_word(a[4]);
	unsigned long at = a[0];

	if (unlikely(word & FD_LKL)) {
		has_mapped = true;
		return lkl6(nr, a[0], a[1], a[2], a[3], fd_number(word), a[5]);
	}
	if (likely(at >= LKL_AREA_END || at + a[1] <= LKL_AREA_START))
		return host_call(nr, a);
	if (a[3] & LKL_MAP_FIXED_NOREPLACE)
		return -EEXIST;
	if (a[3] & LKL_MAP_FIXED)
		return -ENOMEM;
	return host6(nr, 0, a[1], a[2], a[3], a[4], a[5]);
}

/* munmap(), mprotect() and so on, of what fd_mmap() returned. */
long fd_memory(long nr, const long *a)
{
	if (likely((unsigned long)a[0] - LKL_AREA_MMAP >= LKL_AREA_MMAP_SIZE))
		return host_call(nr, a);
	return lkl6(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}
