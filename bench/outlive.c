// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of a call when the process with the kernel ends: a hot call in
 * that process, in a child of it, and in the child when it has ended; and how
 * long its end takes, as its parent sees it, with and without a child that goes
 * on.
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

enum { FIRST, CHILD, SURVIVOR, END, END_ALONE, FIGURES };

static const char *const names[] = {
	"a call in the first process, ns",
	"in a child, ns",
	"in a child whose parent has ended, ns",
	"the first process's end with a child, us",
	"without one, us",
};

/* On the library's stack; tells the figures by @out, in the order of above. */
static int measure(int out, int with_child)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), lives[2], done[2];
	double figures[4] = { 0 };
	char byte = 0;

	if (fd < 0 || pipe(lives) || pipe(done))
		return 1;
	figures[0] = hot_call(fd);
	if (with_child && !fork()) {
		close(lives[1]);
		figures[1] = hot_call(fd);
		if (write(done[1], &byte, 1) != 1 || read(lives[0], &byte, 1))
			return 1;
		figures[2] = hot_call(fd);
		_exit(write(out, figures, sizeof(figures)) != sizeof(figures));
	}
	if (with_child && read(done[0], &byte, 1) != 1)
		return 1;
	figures[3] = now_ns();
	if (write(out, figures, sizeof(figures)) != sizeof(figures))
		return 1;
	_exit(0);
}

static int run(const char *way, const char *self, int with_child, double *end,
	       double *child)
{
	double figures[4];
	int ends[2], status;
	char out[12];
	pid_t pid;

	if (pipe(ends))
		return -1;
	snprintf(out, sizeof(out), "%d", ends[1]);
	pid = fork();
	if (!pid) {
		execlp(way, way, self, out, with_child ? "child" : "alone",
		       NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		return -1;
	*end = now_ns();
	close(ends[1]);
	if (read(ends[0], figures, sizeof(figures)) != sizeof(figures))
		return -1;
	*end = (*end - figures[3]) / 1e3;
	child[FIRST] = figures[0];
	if (with_child &&
	    read(ends[0], figures, sizeof(figures)) != sizeof(figures))
		return -1;
	if (with_child) {
		child[CHILD] = figures[1];
		child[SURVIVOR] = figures[2];
	}
	close(ends[0]);
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const ways[] = { "lkl-run", "lkl-hijack.sh" };
	static double all[2][FIGURES][MAX_ROUNDS];
	int rounds = argc > 1 ? atoi(argv[1]) : 11, i, w, f;

	if (argc > 2)
		return measure(atoi(argv[1]), !strcmp(argv[2], "child"));
	if (rounds < 1 || rounds > MAX_ROUNDS)
		return 2;
	for (i = 0; i < rounds; i++)
		for (w = 0; w < 2; w++) {
			double got[FIGURES];

			if (run(ways[w], argv[0], 0, &got[END_ALONE], got) ||
			    run(ways[w], argv[0], 1, &got[END], got)) {
				fprintf(stderr, "outlive: %s fails\n", ways[w]);
				return 1;
			}
			for (f = 0; f < FIGURES; f++)
				all[w][f][i] = got[f];
		}
	for (w = 0; w < 2; w++)
		for (f = 0; f < FIGURES; f++)
			printf("%s: %s: %.0f\n", ways[w], names[f],
			       median(all[w][f], rounds));
	return 0;
}
