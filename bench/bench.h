/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What benchmarks share: the same calls on both sides, clocks, and the lines
 * that bench/run reads.
 */
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lkl.h>
#include <lkl_host.h>

#include "measure.h"

#define MAX_ROUNDS 101

static int rounds = 9;
static const char *program;

static void die(const char *what, long err)
{
	fprintf(stderr, "%s: %s: %s\n", program, what,
		strerror(err < 0 ? -err : err));
	exit(1);
}

__attribute__((unused)) static long need(long ret, const char *what)
{
	if (ret < 0)
		die(what, ret);
	return ret;
}

/* A system call of one side; arguments that are left out are 0. */
#define bench_call(host, nr, ...)                                              \
	bench_syscall(host, nr, (long[6]){ __VA_ARGS__ })

__attribute__((unused)) static long bench_syscall(int host, long nr, long *p)
{
	long ret;

	if (!host)
		return lkl_syscall(nr, p);
	ret = syscall(nr, p[0], p[1], p[2], p[3], p[4], p[5]);
	return ret < 0 ? -errno : ret;
}

/* The argument, and the library without messages on its console. */
__attribute__((unused)) static void begin(int argc, char **argv)
{
	program = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	if (argc > 1)
		rounds = atoi(argv[1]);
	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "%s: rounds must be 1 to %d\n", program,
			MAX_ROUNDS);
		exit(2);
	}
	lkl_host_ops.print = NULL;
	need(lkl_init(&lkl_host_ops), "lkl_init");
}

/* A figure of one side, with a value for each round. */
static void report(const char *figure, const char *unit, const char *side,
		   const double *values)
{
	printf("%s\t%s\t%s", figure, unit, side);
	for (int r = 0; r < rounds; r++)
		printf("\t%.3f", values[r]);
	printf("\n");
	fflush(stdout);
}

#endif /* BENCH_H */
