// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of lkl-run.
 */
#include <getopt.h>
#include <stdio.h>

#include "run.h"

struct run_options run_options = { .rewrite = true };

static const char usage[] =
	"Usage: lkl-run [OPTION]... [--] PROGRAM [ARGUMENT]...\n"
	"Run any program on a network stack of its own, that of a Linux "
	"kernel\n"
	"in the same process; see lkl-run(1) and lkl-config(5).\n"
	"\n"
	"  --trace       print each system call to standard error\n"
	"  --stats       at the end, print how many calls went where\n"
	"  --no-rewrite  change no instruction of the program\n"
	"  --seccomp     trap system calls with a filter\n"
	"  --help        print this\n"
	"  --version     print the version\n"
	"\n"
	"Examples:\n"
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
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static int try_help(void)
{
	fputs("Try 'lkl-run --help' for more information.\n", stderr);
	return 2;
}

/**
 * run_parse - read the command line
 *
 * Return: -1, or what to exit with
 */
int run_parse(int argc, char **argv)
{
	int opt;

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
			run_options.argv0 = optarg;
			break;
		case OPT_PRELOAD:
			run_options.preload = optarg;
			break;
		case OPT_STACK:
			run_options.limited = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			fputs("lkl-run (lkl) " LKL_VERSION "\n", stdout);
			return 0;
		default:
			return try_help();
		}
	}
	if (!argv[optind]) {
		fputs("lkl-run: no program given\n", stderr);
		return try_help();
	}
	return -1;
}
