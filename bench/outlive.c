// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of a call when the process with the kernel ends: a hot call in
 * that process, in a child of it, in the child when it has ended, and in a
 * child that it has forked just before it ended; how long its end takes, as its
 * parent sees it, with and without a child that goes on; and its first fork, in
 * which the kernel comes to rest, and its second one.
 *
 * Each round the program runs itself under lkl-run and under lkl-hijack.sh.
 *
 * usage: outlive [rounds]
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

#define BATCHES 50
#define CALLS 2000
#define MAX_ROUNDS 101

/* A call that does next to nothing: a socket cannot seek.  The best of several
 * batches: no other thread ran then. */
static double hot_call(int fd)
{
	double least = 1e18, took, begin;

	for (int b = 0; b < BATCHES; b++) {
		begin = now_ns();
		for (int i = 0; i < CALLS; i++)
			syscall(SYS_lseek, fd, 0, SEEK_CUR);
		took = (now_ns() - begin) / CALLS;
		least = took < least ? took : least;
	}
	return least;
}

enum {
	FIRST,
	CHILD,
	SURVIVOR,
	HEIR,
	END,
	END_ALONE,
	FORK,
	FORK_AGAIN,
	FIGURES
};

static const struct {
	const char *name, *unit;
} figures_of[] = {
	{ "a call in the first process", "ns" },
	{ "in a child", "ns" },
	{ "in a child whose parent has ended", "ns" },
	{ "in a child whose parent ended at once", "ns" },
	{ "the first process's end with a child", "us" },
	{ "without one", "us" },
	{ "a first fork until the child's end", "us" },
	{ "a second one", "us" },
};

/* What the program does when it runs itself. */
enum way { ALONE, WITH_CHILD, WITH_HEIR, FORKS };

/* Fork, and wait for the child, which ends at once. */
static double fork_time(void)
{
	double begin = now_ns();
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	return (now_ns() - begin) / 1e3;
}

/* On the library's stack; tells the figures by @out, in the order of above. */
static int measure(int out, enum way way)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), lives[2], done[2];
	double figures[4] = { 0 };
	char byte = 0;

	if (fd < 0 || pipe(lives) || pipe(done))
		return 1;
	if (way == FORKS) {
		figures[0] = fork_time();
		figures[1] = fork_time();
	} else {
		figures[0] = hot_call(fd);
	}
	if (way == WITH_HEIR) {
		if (fork())
			_exit(0);
		figures[1] = hot_call(fd);
		_exit(write(out, figures, sizeof(figures)) != sizeof(figures));
	}
	if (way == WITH_CHILD && !fork()) {
		close(lives[1]);
		figures[1] = hot_call(fd);
		if (write(done[1], &byte, 1) != 1 || read(lives[0], &byte, 1))
			return 1;
		figures[2] = hot_call(fd);
		_exit(write(out, figures, sizeof(figures)) != sizeof(figures));
	}
	if (way == WITH_CHILD && read(done[0], &byte, 1) != 1)
		return 1;
	figures[3] = now_ns();
	if (write(out, figures, sizeof(figures)) != sizeof(figures))
		return 1;
	_exit(0);
}

static int run(const char *by, const char *self, enum way way, double *got)
{
	static const char *const ways[] = { "alone", "child", "heir", "forks" };
	double figures[4], end;
	int ends[2], status;
	char out[12], path[4096];
	pid_t pid;

	if (pipe(ends))
		return -1;
	snprintf(out, sizeof(out), "%d", ends[1]);
	snprintf(path, sizeof(path), "%s/bin/%s", getenv("BUILD") ?: "build",
		 by);
	pid = fork();
	if (!pid) {
		execl(path, by, self, out, ways[way], NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		return -1;
	end = now_ns();
	close(ends[1]);
	if (read(ends[0], figures, sizeof(figures)) != sizeof(figures))
		return -1;
	if (way == ALONE)
		got[END_ALONE] = (end - figures[3]) / 1e3;
	if (way == WITH_HEIR)
		got[HEIR] = figures[1];
	if (way == FORKS) {
		got[FORK] = figures[0];
		got[FORK_AGAIN] = figures[1];
	}
	if (way == WITH_CHILD) {
		got[END] = (end - figures[3]) / 1e3;
		if (read(ends[0], figures, sizeof(figures)) != sizeof(figures))
			return -1;
		got[FIRST] = figures[0];
		got[CHILD] = figures[1];
		got[SURVIVOR] = figures[2];
	}
	close(ends[0]);
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const ways[] = { "lkl-run", "lkl-hijack.sh" };
	static double all[2][FIGURES][MAX_ROUNDS];
	int rounds = argc > 1 ? atoi(argv[1]) : 11, i, w, f;
	enum way way;

	if (argc > 2)
		return measure(atoi(argv[1]), *argv[2] == 'c'	? WITH_CHILD
					      : *argv[2] == 'h' ? WITH_HEIR
					      : *argv[2] == 'f' ? FORKS
								: ALONE);
	if (rounds < 1 || rounds > MAX_ROUNDS)
		return 2;
	for (i = 0; i < rounds; i++)
		for (w = 0; w < 2; w++) {
			double got[FIGURES];

			for (way = ALONE; way <= FORKS; way++)
				if (run(ways[w], argv[0], way, got)) {
					fprintf(stderr, "outlive: %s fails\n",
						ways[w]);
					return 1;
				}
			for (f = 0; f < FIGURES; f++)
				all[w][f][i] = got[f];
		}
	for (w = 0; w < 2; w++)
		for (f = 0; f < FIGURES; f++) {
			printf("%s: %s\t%s\tlkl", ways[w], figures_of[f].name,
			       figures_of[f].unit);
			for (i = 0; i < rounds; i++)
				printf("\t%g", all[w][f][i]);
			putchar('\n');
		}
	return 0;
}
