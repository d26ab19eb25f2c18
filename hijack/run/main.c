// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl-run: run a program, whatever it is, on the library's network stack.
 *
 * The program is loaded into this process, beside the library.  The host is
 * asked to trap each of its system calls (syscall user dispatch).  The first
 * one from an instruction comes by a signal; then the instruction is rewritten
 * into a jump to us (rewrite.c), and from then on it is a matter of
 * nanoseconds (x86/entry.S).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "run.h"

/* Linux's default. */
#define STACK_LIMIT (8UL << 20)

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

/*
 * If the stack has no limit the host maps what has no address from below, where
 * the library's kernel is.  So start anew with one, and give it up afterwards.
 */
static void limit_stack(char **argv, const char *self)
{
	struct rlimit limit;
	char **new;
	int n = 0;

	if (getrlimit(RLIMIT_STACK, &limit) || limit.rlim_cur != RLIM_INFINITY)
		return;
	while (argv[n])
		n++;
	new = calloc(n + 2, sizeof(*new));
	limit.rlim_cur = STACK_LIMIT;
	if (!new || setrlimit(RLIMIT_STACK, &limit))
		return;
	new[0] = argv[0];
	new[1] = "--stack";
	memcpy(new + 2, argv + 1, (n - 1) * sizeof(*new));
	execv(self, new);
	perror("lkl-run: cannot start anew with a limited stack");
	exit(126);
}

static void unlimit_stack(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_STACK, &limit);
}

/* Have the dynamic linker do it. */
static int preload(const char *library, const char *path, char **argv)
{
	const char *others = getenv("LD_PRELOAD");
	char *value;

	if (asprintf(&value, "%s%s%s", library, others ? ":" : "",
		     others ?: "") > 0 &&
	    !setenv("LD_PRELOAD", value, 1))
		execv(path, argv);
	fprintf(stderr, "lkl-hijack: %s: %s\n", path, strerror(errno));
	return 126;
}

int main(int argc, char **argv, char **envp)
{
	static char self[4096];
	struct run_image image;
	const char *path, *name, *library, *why;
	enum way_program way;
	size_t size;
	char *stack;
	int err;

	err = run_parse(argc, argv);
	if (err >= 0)
		return err;
	library = run_options.preload;
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0) {
		perror("lkl-run: /proc/self/exe");
		return 126;
	}
	run_options.self = self;
	name = library ? "lkl-hijack" : "lkl-run";
	path = find_program(argv[optind]);
	if (!path) {
		fprintf(stderr, "%s: %s: not found\n", name, argv[optind]);
		return 127;
	}
	way = way_look(path, &why);
	if (way == WAY_REFUSED) {
		fprintf(stderr,
			"%s: %s: would be on the host's network, as it %s\n",
			name, path, why);
		return 126;
	}
	if (library && way == WAY_LINKED)
		return preload(library, path, argv + optind);
	if (!run_options.limited)
		limit_stack(argv, self);
	argv += optind;
	if (run_options.argv0)
		*argv = (char *)run_options.argv0;
	/* HWCAP2_FSGSBASE */
	run_has_fsgsbase = getauxval(AT_HWCAP2) >> 1 & 1;

	way_codes_init();
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
	if (way_signals_early() || hijack_start("lkl-run"))
		return 125;
	err = way_signals_init();
	if (err) {
		fprintf(stderr, "lkl-run: signal handlers: %s\n",
			strerror(-err));
		return 125;
	}
	if (run_options.limited)
		unlimit_stack();
	name = strrchr(path, '/');
	prctl(PR_SET_NAME, name ? name + 1 : path);
	run_first_thread(&image);
	perror("lkl-run: the first thread");
	return 125;
}
