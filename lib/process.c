// SPDX-License-Identifier: GPL-2.0-only
/* The part of the library's state that a forked child does not inherit. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "process.h"

#define PAGE 4096

static struct lkl_process *process;

static void make(void)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* Nothing can be done without, as with the memory of the C library. */
	if (p == MAP_FAILED || madvise(p, PAGE, MADV_WIPEONFORK))
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

void lkl_process_inherit(bool inherit)
{
	madvise(process, PAGE, inherit ? MADV_KEEPONFORK : MADV_WIPEONFORK);
}

void lkl_process_wipe(void)
{
	memset(process, 0, PAGE);
}
