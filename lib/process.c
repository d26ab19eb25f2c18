// SPDX-License-Identifier: GPL-2.0-only
/* The part of the library's state that a forked child does not inherit. */
#include <stdlib.h>

#include "../host/host.h"
#include "process.h"

static struct lkl_process *process;

static void make(void)
{
	process = host_wiped_memory(sizeof(*process));
	/* Nothing can be done without, as with the memory of the C library. */
	if (!process)
		abort();
	/* All zero on hosts that fork: see lkl_process(). */
	pthread_mutex_init(&process->life, NULL);
	pthread_mutex_init(&process->devices, NULL);
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
