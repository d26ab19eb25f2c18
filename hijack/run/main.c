// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl-run: run a program, whatever it is, on the library's network stack.
 *
 * The program is loaded into this process, beside the library.  The host is
 * asked to trap each of its system calls (syscall user dispatch).  The first
 * one from an instruction comes by a signal; then the instruction is rewritten
 * into a jump to us (rewrite.c), and from then on it is a matter of
 * nanoseconds (entry.S).
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "run.h"

struct run_options run_options = { .rewrite = true };
char run_has_fsgsbase;

static const char usage[] = "usage: lkl-run [--trace] [--stats] [--no-rewrite] "
			    "[--seccomp] [--] program [args]\n";

enum { OPT_ARGV0 = 256, OPT_HOST };

static const struct option options[] = {
	{ "trace", no_argument, NULL, 't' },
	{ "stats", no_argument, NULL, 's' },
	{ "no-rewrite", no_argument, NULL, 'n' },
	{ "seccomp", no_argument, NULL, 'c' },
	{ "argv0", required_argument, NULL, OPT_ARGV0 },
	{ "host", no_argument, NULL, OPT_HOST },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* Find the program as a shell does. */
static const char *find_program(const char *name)
{
	static char found[4096];
	const char *path = getenv("PATH"), *end;

	if (strchr(name, '/') || !*name)
		return name;
	for (path = path ? path : "/usr/bin:/bin"; path;
	     path = *end ? end + 1 : NULL) {
		end = path + strcspn(path, ":");
		if (snprintf(found, sizeof(found), "%.*s%s%s",
			     (int)(end - path), path, end > path ? "/" : "",
			     name) < (int)sizeof(found) &&
		    !access(found, X_OK))
			return found;
	}
	return NULL;
}

int main(int argc, char **argv, char **envp)
{
	static char self[4096];
	struct run_image image;
	const char *path, *argv0 = NULL, *name;
	size_t size;
	char *stack;
	int opt, err;

	while ((opt = getopt_long(argc, argv, "+tsnch", options, NULL)) != -1) {
		switch (opt) {
		case 't':
			run_options.trace = true;
			break;
		case 's':
			run_options.stats = true;
			break;
		case 'n':
			run_options.rewrite = false;
			break;
		case 'c':
			run_options.seccomp = true;
			break;
		case OPT_ARGV0:
			argv0 = optarg;
			break;
		case OPT_HOST:
			run_options.host = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	argv += optind;
	if (!*argv) {
		fputs(usage, stderr);
		return 2;
	}
	path = find_program(*argv);
	if (!path) {
		fprintf(stderr, "lkl-run: %s: not found\n", *argv);
		return 127;
	}
	if (argv0)
		*argv = (char *)argv0;
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0) {
		perror("lkl-run: /proc/self/exe");
		return 126;
	}
	run_options.self = self;
	/* HWCAP2_FSGSBASE */
	run_has_fsgsbase = getauxval(AT_HWCAP2) >> 1 & 1;

	if (run_trap_init()) {
		fprintf(stderr,
			"lkl-run: the host traps system calls neither "
			"with syscall user dispatch nor with seccomp\n");
		return 125;
	}
	rewrite_init(run_enter);
	/* Its stack is ours from here on; nothing below is needed again. */
	size = run_stack_size(argv, envp);
	stack = __builtin_alloca(size);
	if (run_load(&image, path, argv, envp, stack + size))
		return 126;
	run_threads_early();
	run_calls_init();
	if (run_signals_early() ||
	    (!run_options.host && hijack_start("lkl-run")))
		return 125;
	err = run_signals_init();
	if (err) {
		fprintf(stderr, "lkl-run: signal handlers: %s\n",
			strerror(-err));
		return 125;
	}
	name = strrchr(path, '/');
	prctl(PR_SET_NAME, name ? name + 1 : path);
	run_first_thread(&image);
	perror("lkl-run: the first thread");
	return 125;
}
