// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many of the host's processors this process may use: those that it may run
 * on, and of these no more than its control groups have time for.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux.h"

#define MAX_PROCESSORS 1024

/* Returns the length of the file's text, or -1. */
static int read_text(const char *path, char *text, int size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int n;

	if (fd < 0)
		return -1;
	n = read(fd, text, size - 1);
	close(fd);
	if (n >= 0)
		text[n] = 0;
	return n;
}

/* Whole processors that a time in each period is worth, but one at least. */
static int whole(long long quota, long long period, int most)
{
	long long n;

	if (quota <= 0 || period <= 0)
		return most;
	n = quota / period;
	if (n < 1)
		return 1;
	return n < most ? n : most;
}

/* What a group has itself, of version 2 or 1 of control groups. */
static int share_of(const char *group, int most)
{
	char path[4096], text[64];
	long long quota, period;

	snprintf(path, sizeof(path), "%s/cpu.max", group);
	if (read_text(path, text, sizeof(text)) > 0)
		return sscanf(text, "%lld %lld", &quota, &period) == 2
			       ? whole(quota, period, most)
			       : most;
	snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", group);
	if (read_text(path, text, sizeof(text)) <= 0)
		return most;
	quota = atoll(text);
	snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", group);
	if (read_text(path, text, sizeof(text)) <= 0)
		return most;
	return whole(quota, atoll(text), most);
}

/* A group and all above it, which are directories below @mount. */
static int share_of_all(const char *mount, const char *group, int most)
{
	size_t top = strlen(mount);
	char path[2048], *end;

	if (snprintf(path, sizeof(path), "%s%s", mount, group) >=
	    (int)sizeof(path))
		return most;
	for (;;) {
		most = share_of(path, most);
		end = strrchr(path, '/');
		if (!end || end < path + top)
			return most;
		*end = 0;
	}
}

static int share_of_groups(int most)
{
	char text[4096], *line, *next, *kinds, *group;

	if (read_text("/proc/self/cgroup", text, sizeof(text)) <= 0)
		return most;
	for (line = text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		kinds = strchr(line, ':');
		group = kinds ? strchr(kinds + 1, ':') : NULL;
		if (!group)
			continue;
		*group++ = 0;
		kinds++;
		if (!*kinds)
			most = share_of_all("/sys/fs/cgroup", group, most);
		else if (!strncmp(kinds, "cpu", 3) &&
			 (!kinds[3] || kinds[3] == ','))
			most = share_of_all("/sys/fs/cgroup/cpu", group, most);
	}
	return most;
}

/*
 * Asked before each spin, by threads that may be bound to one processor each.
 * The answer rarely changes, so the host is asked now and then only, on
 * whatever thread that is; an odd number of calls, lest it always be the same
 * one of two.
 */
int linux_cpus(void)
{
	enum {
		LONGS = MAX_PROCESSORS / (8 * sizeof(long)),
		EACH = 31,
		WINDOW = 16 * EACH
	};
	static unsigned long now[LONGS], before[LONGS];
	static unsigned int calls, cpus;
	unsigned int call = __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
	unsigned long mask[LONGS] = { 0 };
	unsigned int n = 0;

	if (call % EACH)
		return cpus;
	if (raw_syscall(__NR_sched_getaffinity, 0, sizeof(mask), (long)mask, 0,
			0, 0) < 0)
		return 1;
	for (unsigned int i = 0; i < LONGS; i++) {
		if (!(call % WINDOW)) {
			before[i] = now[i];
			now[i] = 0;
		}
		now[i] |= mask[i];
		n += __builtin_popcountl(now[i] | before[i]);
	}
	cpus = n;
	return n;
}

int linux_processors(void)
{
	unsigned char mask[MAX_PROCESSORS / 8] = { 0 };
	int n = 0;

	if (sched_getaffinity(0, sizeof(mask), (cpu_set_t *)mask) < 0)
		return 1;
	for (unsigned int i = 0; i < sizeof(mask); i++)
		n += __builtin_popcount(mask[i]);
	return n > 1 ? share_of_groups(n) : 1;
}
