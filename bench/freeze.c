// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it costs to return to a state of the kernel.
 *
 * A round writes to some pages of a file in memory and returns to where it was
 * before: in the library with lkl_reset(); on the host, in the only way there
 * is, as a forked child that writes to as many pages of its own and ends.
 *
 * usage: freeze [rounds]
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "bench.h"

#define PAGE 4096
#define MOST 2000
#define REPEAT 200

static char junk[PAGE];
static char *memory;
static int file;

static void touch_host(int pages)
{
	pid_t pid = fork();

	if (!pid) {
		for (int i = 0; i < pages; i++)
			memory[(long)i * PAGE] = 1;
		_exit(0);
	}
	need(pid < 0 ? -errno : 0, "fork");
	waitpid(pid, NULL, 0);
}

static void touch_lkl(int pages)
{
	for (int i = 0; i < pages; i++)
		need(lkl_sys_pwrite64(file, junk, PAGE, (long)i * PAGE),
		     "pwrite");
}

/* Microseconds of a round; *@back is how much of that is the way back. */
static double round_of(int host, int pages, double *back)
{
	double begin = now_ns(), sum = 0;

	for (int i = 0; i < REPEAT; i++) {
		if (host) {
			touch_host(pages);
		} else {
			double reset;

			touch_lkl(pages);
			reset = now_ns();
			need(lkl_reset(), "lkl_reset");
			sum += now_ns() - reset;
		}
	}
	*back = sum / REPEAT / 1e3;
	return (now_ns() - begin) / REPEAT / 1e3;
}

static void measure(int pages)
{
	double whole[2][MAX_ROUNDS], back[2][MAX_ROUNDS];
	char name[80];

	for (int r = 0; r < rounds; r++)
		for (int host = 0; host < 2; host++)
			whole[host][r] = round_of(host, pages, &back[host][r]);
	snprintf(name, sizeof(name), "write %d pages and return to the state",
		 pages);
	report(name, "us", "lkl", whole[0]);
	report(name, "us", "host", whole[1]);
	snprintf(name, sizeof(name), "the return alone, of %d pages", pages);
	report(name, "us", "lkl", back[0]);
}

int main(int argc, char **argv)
{
	static const int pages[] = { 4, 200, MOST };
	double ms[MAX_ROUNDS];

	begin(argc, argv);
	memory = mmap(NULL, MOST * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(memory, 1, MOST * PAGE);
	need(lkl_start_kernel("mem=64M loglevel=1"), "boot");
	file = need(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600), "open");
	touch_lkl(MOST);
	for (int r = 0; r < rounds; r++) {
		double begin = now_ns();

		need(lkl_freeze(), "lkl_freeze");
		ms[r] = (now_ns() - begin) / 1e6;
		if (r < rounds - 1)
			need(lkl_thaw(), "lkl_thaw");
	}
	report("freeze", "ms", "lkl", ms);
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
		measure(pages[i]);
	lkl_sys_halt();
	return 0;
}
