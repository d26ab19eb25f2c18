// SPDX-License-Identifier: GPL-2.0-only
/* The part of the library's state that a forked child does not inherit. */
#include <stdlib.h>
#include <sys/mman.h>

#include "process.h"

static struct lkl_process *process;

static void make(void)
{
	const size_t page = 4096;
	void *p = mmap(NULL, page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* Nothing can be done without, as with the memory of the C library. */
	if (p == MAP_FAILED || madvise(p, page, MADV_WIPEONFORK))
		abort();
	process = p;
}

/**
 * lkl_process - the state of this process
 *
 * Thread-safe.
 *
 * Return: the state; all zero the first time, and in a forked child, which is
 * also what an unlocked mutex is
 */
struct lkl_process *lkl_process(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make);
	return process;
}
