// SPDX-License-Identifier: GPL-2.0-only
/* Memory of the library's own, and its end in a forked child. */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "linux.h"

void *host_wiped_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED || madvise(p, size, MADV_WIPEONFORK) ? NULL : p;
}

void linux_inherit_wiped(void *p, bool inherit)
{
	/* Of the one page that it is in. */
	madvise(p, 1, inherit ? MADV_KEEPONFORK : MADV_WIPEONFORK);
}

void *host_map_zeroed(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void host_unmap_zeroed(void *p, size_t size)
{
	if (p)
		munmap(p, size);
}

void host_zero_again(void *p, size_t size)
{
	raw_syscall(__NR_madvise, (long)p, size, MADV_DONTNEED, 0, 0, 0);
}

bool host_after_fork(void (*child)(void))
{
	return !pthread_atfork(NULL, NULL, child);
}
