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
#include <sys/resource.h>
#include <unistd.h>

#include "run.h"

/* Linux's default. */
#define STACK_LIMIT (8UL << 20)

struct run_options run_options = { .rewrite = true };
char run_has_fsgsbase;

static const char usage[] =
	"usage: lkl-run [OPTION]... [--] PROGRAM [ARGUMENT]...\n"
	"Run any program on a network stack of its own, that of a Linux "
	"kernel\n"
	"in the same process; see lkl-run(1) and lkl-config(5).\n"
	"\n"
	"  --trace       print each system call to standard error\n"
	"  --stats       at the end, print how many calls went where\n"
	"  --no-rewrite  change no instruction of the program\n"
	"  --seccomp     trap system calls with a filter\n"
	"  --help        print this\n"
	"\n"
	"examples:\n"
	"  lkl-run busybox ip address show\n"
	"  LKL_HIJACK_NET_IFTYPE=tap LKL_HIJACK_NET_IFPARAMS=tap0 \\\n"
	"  LKL_HIJACK_NET_IP=10.0.0.2 LKL_HIJACK_NET_NETMASK_LEN=24 "
	"lkl-run ./server\n";

enum { OPT_ARGV0 = 256, OPT_STACK, OPT_PRELOAD };

static const struct option options[] = {
	{ "trace", no_argument, NULL, 't' },
	{ "stats", no_argument, NULL, 's' },
	{ "no-rewrite", no_argument, NULL, 'n' },
	{ "seccomp", no_argument, NULL, 'c' },
	{ "argv0", required_argument, NULL, OPT_ARGV0 },
	{ "stack", no_argument, NULL, OPT_STACK },
	{ "preload", required_argument, NULL, OPT_PRELOAD },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static int try_help(void)
{
	fputs("Try 'lkl-run --help' for more information.\n", stderr);
	return 2;
}

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
	const char *path, *argv0 = NULL, *name, *library = NULL, *why;
	enum way_program way;
	bool limited = false;
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
		case OPT_PRELOAD:
			library = optarg;
			break;
		case OPT_STACK:
			limited = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return try_help();
		}
	}
	if (!argv[optind]) {
		fputs("lkl-run: no program given\n", stderr);
		return try_help();
	}
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
	if (!limited)
		limit_stack(argv, self);
	argv += optind;
	if (argv0)
		*argv = (char *)argv0;
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
	if (way_signals_early() || hijack_start("lkl-run"))
		return 125;
	err = way_signals_init();
	if (err) {
		fprintf(stderr, "lkl-run: signal handlers: %s\n",
			strerror(-err));
		return 125;
	}
	if (limited)
		unlimit_stack();
	name = strrchr(path, '/');
	prctl(PR_SET_NAME, name ? name + 1 : path);
	run_first_thread(&image);
	perror("lkl-run: the first thread");
	return 125;
}
