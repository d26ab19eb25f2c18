// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a program waits for its first call, and what memory of its own it
 * then has: if the kernel boots, and if it starts from a snapshot.
 *
 * Each figure is of a process of its own, which is this program with the
 * library that is always at one address; one of either kind after the other.
 *
 * usage: start [rounds]
 */
#include <limits.h>
#include <sys/wait.h>

#include "bench.h"

static const char *const mem[] = { "64M", "256M", "1G" };

enum { FIRST_CALL, PRIVATE, FIGURES };

/* What this process alone has, and has changed, in KiB. */
static double private_kib(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	char line[200];
	double kib = 0;
	long value;

	need(f ? 0 : -errno, "smaps_rollup");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Private_Dirty: %ld", &value) == 1)
			kib += value;
	fclose(f);
	return kib;
}

/* The other program: write figures to its stdout. */
static int other(const char *size)
{
	double figures[FIGURES], begin = now_ns(), first;

	need(lkl_init(&lkl_host_ops), "lkl_init");
	need(lkl_start_kernel("mem=%s loglevel=1", size), "boot");
	need(lkl_sys_getppid() < 0 ? -EINVAL : 0, "getppid");
	first = now_ns();
	figures[FIRST_CALL] = (first - begin) / 1e3;
	figures[PRIVATE] = private_kib();
	if (write(1, figures, sizeof(figures)) != sizeof(figures))
		return 1;
	return lkl_sys_halt() != 0;
}

static void run(const char *want, const char *size, double *figures)
{
	int fd[2], status;
	pid_t pid;

	need(pipe(fd) ? -errno : 0, "pipe");
	pid = fork();
	if (!pid) {
		setenv("LKL_SNAPSHOT", want, 1);
		dup2(fd[1], 1);
		close(fd[0]);
		execl("/proc/self/exe", program, "--start", size, NULL);
		_exit(127);
	}
	close(fd[1]);
	need(pid < 0 ? -errno : 0, "fork");
	need(read(fd[0], figures, FIGURES * sizeof(*figures)) ==
			     FIGURES * sizeof(*figures)
		     ? 0
		     : -EIO,
	     "read");
	close(fd[0]);
	waitpid(pid, &status, 0);
}

static void measure(const char *size)
{
	static const char *const names[] = { "%s: start to first call",
					     "%s: private memory" };
	static const char *const units[] = { "us", "KiB" };
	static const char *const sides[] = { "boot", "lkl" };
	static double values[2][FIGURES][MAX_ROUNDS];
	double figures[FIGURES];
	char name[80];

	run("yes", size, figures);
	for (int r = 0; r < rounds; r++) {
		for (int side = 0; side < 2; side++) {
			run(side ? "yes" : "no", size, figures);
			for (int f = 0; f < FIGURES; f++)
				values[side][f][r] = figures[f];
		}
	}
	for (int f = 0; f < FIGURES; f++) {
		for (int side = 0; side < 2; side++) {
			snprintf(name, sizeof(name), names[f], size);
			report(name, units[f], sides[side], values[side][f]);
		}
	}
}

int main(int argc, char **argv)
{
	char library[PATH_MAX + 30];
	ssize_t n;

	lkl_host_ops.print = NULL;
	program = argv[0];
	if (argc == 3 && !strcmp(argv[1], "--start"))
		return other(argv[2]);
	if (argc > 1)
		rounds = atoi(argv[1]);
	if (rounds < 1 || rounds > MAX_ROUNDS)
		die("rounds", EINVAL);
	n = readlink("/proc/self/exe", library, PATH_MAX - 1);
	need(n, "readlink");
	library[n] = 0;
	*strrchr(library, '/') = 0;
	strcat(library, "/../lib/lkl-fixed");
	setenv("LD_LIBRARY_PATH", library, 1);
	for (size_t i = 0; i < sizeof(mem) / sizeof(*mem); i++)
		measure(mem[i]);
	return 0;
}
