// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a thread, and what the end of the program waits for.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "internal.h"

/* How long the end waits for data to be acknowledged that is not. */
#define LINGER_MS 2000

void hijack_thread_exit(void)
{
	struct hijack_thread *t = hijack_thread();

	wait_thread_exit();
	wait_epoll_exit();
	netns_thread_exit();
	if (t->buffer)
		host2(SYS_munmap, t->buffer, COPY_SIZE);
	t->buffer = NULL;
	copy_forget();
	share_thread_exit();
}

long exit_thread(long nr, const long *a)
{
	hijack_thread_exit();
	lkl_thread_exit();
	return host1(nr, a[0]);
}

/* A number in /proc/net/sockstat. */
static long sockstat(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtol(at + strlen(name), NULL, 10) : 0;
}

/*
 * What the program has sent arrives after it has ended, as on any host: wait
 * until the other side has acknowledged it, or does not answer any more.
 */
void exit_linger(void)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	char text[1024];
	long n, fd, state, last = -1;
	int quiet = 0;

	while (quiet < LINGER_MS) {
		fd = lkl3(SYS_open, "/proc/net/sockstat", LKL_O_RDONLY, 0);
		if (fd < 0)
			return;
		n = lkl3(SYS_read, fd, text, sizeof(text) - 1);
		lkl1(SYS_close, fd);
		if (n <= 0)
			return;
		text[n] = 0;
		if (!sockstat(text, "orphan "))
			return;
		state = sockstat(text, "orphan ") * 1000000 +
			sockstat(text, "mem ");
		quiet = state == last ? quiet + 2 : 0;
		last = state;
		host2(SYS_nanosleep, &pause, 0);
	}
}
