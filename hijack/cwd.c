// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program's working directory.
 *
 * It is a directory of the host's, or one of the library's: then its name is
 * here, and the host's own is the nearest that the host has, for programs that
 * are executed.  A relative name in a directory of the host's is looked at more
 * closely (lookup.c) if that is near to those of the library's.
 *
 * All threads have the same one.  What the child of a vfork() does to its own
 * does not concern its parent.
 */
#include "lookup.h"

/* Readers copy, and look whether it has changed meanwhile: odd is changing. */
static unsigned int sequence;
static bool is_library, is_near;
static char directory[LOOKUP_NAME];

static void set(bool library, bool near, const char *name)
{
	unsigned int n = __atomic_load_n(&sequence, __ATOMIC_RELAXED);

	/* Of two threads that change it at once, one comes after the other. */
	while (n & 1 ||
	       !__atomic_compare_exchange_n(&sequence, &n, n + 1, false,
					    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		n = __atomic_load_n(&sequence, __ATOMIC_RELAXED);
	__atomic_store_n(&is_library, library, __ATOMIC_RELAXED);
	__atomic_store_n(&is_near, near, __ATOMIC_RELAXED);
	if (name)
		memcpy(directory, name, strlen(name) + 1);
	__atomic_store_n(&sequence, n + 2, __ATOMIC_RELEASE);
}

bool cwd_get(char *name)
{
	unsigned int before;
	bool library;

	if (likely(!__atomic_load_n(&is_library, __ATOMIC_RELAXED)))
		return false;
	if (!name)
		return true;
	do {
		before = __atomic_load_n(&sequence, __ATOMIC_ACQUIRE);
		library = is_library;
		memcpy(name, directory, LOOKUP_NAME);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (before & 1 ||
		 before != __atomic_load_n(&sequence, __ATOMIC_RELAXED));
	return library;
}

bool cwd_is_near(void)
{
	return __atomic_load_n(&is_near, __ATOMIC_RELAXED);
}

void cwd_host(void)
{
	char name[LOOKUP_NAME];

	if (hijack_in_vfork())
		return;
	/* A longer one is not near. */
	if (own_call3(SYS_getcwd, name, sizeof(name), 0) <= 0)
		set(false, false, NULL);
	/* Another program has gone there, and executed this one. */
	else if (lookup_is_library(name))
		set(true, true, name);
	else
		set(false, lookup_near(name), NULL);
}

void cwd_library(const char *name)
{
	set(true, true, name);
}
