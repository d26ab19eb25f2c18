// SPDX-License-Identifier: GPL-2.0-only
/*
 * What lkl-run and lkl-hijack.sh cost: a call at a hot site that the library
 * makes, over lkl_syscall(); one that stays on the host, over the same without
 * them; the first call at a site; and the start of a static program.
 *
 * Each round the program measures itself on the host, then under both.
 * bench/run reads what is printed.
 *
 * usage: intercept [rounds]
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lkl.h>

#include "measure.h"

#define BATCHES 50
#define CALLS 2000
#define SITES 1000
#define STARTS 5
#define MAX_ROUNDS 101

/* The time of a call, in the best of several batches: no other thread ran then.
 */
#define BEST(call)                                                             \
	({                                                                     \
		double least = 1e18, took;                                     \
		for (int b = 0; b < BATCHES; b++) {                            \
			double begin = now_ns();                               \
			for (int i = 0; i < CALLS; i++)                        \
				call;                                          \
			took = (now_ns() - begin) / CALLS;                     \
			least = took < least ? took : least;                   \
		}                                                              \
		least;                                                         \
	})

static double host_call(void)
{
	return BEST(syscall(SYS_getppid));
}

/* A call that does next to nothing: a socket cannot seek. */
static double library_call(int fd)
{
	return BEST(syscall(SYS_lseek, fd, 0, SEEK_CUR));
}

static double direct_call(int fd)
{
	long args[6] = { fd, 0, SEEK_CUR };

	return BEST(lkl_syscall(SYS_lseek, args));
}

/* Many functions that make the same call, from a file as programs come. */
static double first_call(void)
{
	/* nops, mov $SYS_getppid, %eax; syscall; ret */
	static const char text[64] =
		"\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90"
		"\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90"
		"\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90"
		"\xb8\x6e\0\0\0\x0f\x05\xc3\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc";
	static double took[SITES];
	int fd = memfd_create("sites", 0), i;
	char *code;

	for (i = 0; i < SITES; i++)
		if (write(fd, text, sizeof(text)) != sizeof(text))
			exit(1);
	code = mmap(NULL, SITES * sizeof(text), PROT_READ | PROT_EXEC,
		    MAP_PRIVATE, fd, 0);
	close(fd);
	if (code == MAP_FAILED)
		exit(1);
	for (i = 0; i < SITES; i++) {
		double begin = now_ns();

		((long (*)(void))(code + i * sizeof(text)))();
		took[i] = now_ns() - begin;
	}
	return median(took, SITES);
}

static double start(char **argv)
{
	double took[STARTS];

	for (int i = 0; i < STARTS; i++) {
		double begin = now_ns();
		int status;
		pid_t pid = fork();

		if (!pid) {
			execv(argv[0], argv);
			_exit(127);
		}
		waitpid(pid, &status, 0);
		if (status)
			exit(1);
		took[i] = now_ns() - begin;
	}
	return median(took, STARTS);
}

/* What is measured under one of the two. */
struct under {
	const char *name;
	double host[MAX_ROUNDS], library[MAX_ROUNDS], first[MAX_ROUNDS];
};

static void measure_under(struct under *u, int round, const char *bin,
			  const char *self)
{
	char command[9000];
	FILE *pipe;
	int n;

	snprintf(command, sizeof(command), "'%s/%s' '%s' under", bin, u->name,
		 self);
	pipe = popen(command, "r");
	n = pipe ? fscanf(pipe, "%lf %lf %lf", &u->host[round],
			  &u->library[round], &u->first[round])
		 : 0;
	if (!pipe || pclose(pipe) || n != 3) {
		fprintf(stderr, "intercept: %s failed\n", u->name);
		exit(1);
	}
}

static void show(const char *name, const char *what, const char *unit,
		 const char *side, const double *values, int n)
{
	printf("%s: %s\t%s\t%s", name, what, unit, side);
	for (int i = 0; i < n; i++)
		printf("\t%.1f", values[i]);
	printf("\n");
}

int main(int argc, char **argv)
{
	static struct under ways[] = { { .name = "lkl-run" },
				       { .name = "lkl-hijack.sh" } };
	static double plain[MAX_ROUNDS], direct[MAX_ROUNDS];
	static double begun[MAX_ROUNDS], begun_plain[MAX_ROUNDS];
	char bin[4096], run[8192], self[4096] = "";
	char *program[] = { "/bin/busybox", "true", NULL };
	char *wrapped[] = { run, program[0], program[1], NULL };
	int rounds = argc > 1 ? atoi(argv[1]) : 15, fd, w;

	if (argc > 1 && !strcmp(argv[1], "under")) {
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		printf("%f %f %f\n", host_call(), library_call(fd),
		       first_call());
		return 0;
	}
	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "intercept: 1 to %d rounds\n", MAX_ROUNDS);
		return 2;
	}
	lkl_host_ops.print = NULL;
	if (lkl_init(&lkl_host_ops) || lkl_start_kernel("mem=64M"))
		return 1;
	fd = lkl_sys_socket(AF_INET, SOCK_DGRAM, 0);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	snprintf(bin, sizeof(bin), "%s/bin", getenv("BUILD") ?: "build");
	snprintf(run, sizeof(run), "%s/lkl-run", bin);
	for (int i = 0; i < rounds; i++) {
		plain[i] = host_call();
		direct[i] = direct_call(fd);
		for (w = 0; w < 2; w++)
			measure_under(&ways[w], i, bin, self);
		ways[0].first[i] /= 1e3;
		begun[i] = start(wrapped) / 1e6;
		begun_plain[i] = start(program) / 1e6;
	}
	for (w = 0; w < 2; w++) {
		const struct under *u = &ways[w];

		show(u->name, "call of the host", "ns", "lkl", u->host, rounds);
		show(u->name, "call of the host", "ns", "host", plain, rounds);
		show(u->name, "call of the library", "ns", "lkl", u->library,
		     rounds);
		show(u->name, "call of the library", "ns", "lkl_syscall",
		     direct, rounds);
	}
	show("lkl-run", "first call at a site", "us", "lkl", ways[0].first,
	     rounds);
	show("lkl-run", "start of a static program", "ms", "lkl", begun,
	     rounds);
	show("lkl-run", "start of a static program", "ms", "host", begun_plain,
	     rounds);
	return 0;
}
