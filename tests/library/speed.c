// SPDX-License-Identifier: GPL-2.0-only
/*
 * A call of the library's kernel costs less than the same call of the host's:
 * copying to and from the application, and looking up paths, go word by word.
 */
#include "check.h"

#define ROUNDS 30
#define CALLS 1000

static char buf[4096];
static int fd, host_fd;

static void lkl_read(void)
{
	EQ(lkl_sys_pread64(fd, buf, sizeof(buf), 0), sizeof(buf));
}

static void host_read(void)
{
	EQ(pread(host_fd, buf, sizeof(buf), 0), sizeof(buf));
}

static void lkl_open(void)
{
	lkl_sys_close(OK(lkl_sys_open("/file", LKL_O_RDONLY, 0)));
}

static void host_open(void)
{
	close(OK(open("file", O_RDONLY)));
}

static long long batch(void (*fn)(void))
{
	long long begin = now(CLOCK_THREAD_CPUTIME_ID);

	for (int i = 0; i < CALLS; i++)
		fn();
	return now(CLOCK_THREAD_CPUTIME_ID) - begin;
}

/* The best of many, taken in turns, is what nothing else has disturbed. */
static void faster(const char *what, void (*lkl)(void), void (*host)(void))
{
	long long best[2] = { 1LL << 62, 1LL << 62 };

	for (int i = 0; i < ROUNDS; i++) {
		long long times[2] = { batch(lkl), batch(host) };

		for (int j = 0; j < 2; j++)
			if (times[j] < best[j])
				best[j] = times[j];
	}
	if (best[0] > best[1])
		FAIL("%s takes %lld ns, the host's %lld", what, best[0] / CALLS,
		     best[1] / CALLS);
}

static void speed(void)
{
	boot("mem=64M");
	fd = OK(lkl_sys_open("/file", LKL_O_CREAT | LKL_O_RDWR, 0600));
	EQ(lkl_sys_write(fd, buf, sizeof(buf)), sizeof(buf));
	host_fd = OK(open("file", O_CREAT | O_RDWR, 0600));
	EQ(write(host_fd, buf, sizeof(buf)), sizeof(buf));
	faster("a read of 4 KiB", lkl_read, host_read);
	faster("open() and close()", lkl_open, host_open);
	halt();
	unlink("file");
}

static const struct check tests[] = { { "speed", speed } };

int main(int argc, char **argv)
{
	if (SLOW) {
		puts("skip: a kernel that checks itself is slow");
		return 77;
	}
	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
