// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl - one name for all tools, and small commands that need no other
 *
 * What is a tool of its own is executed; the rest is in the folder lkl/.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/tool.h"
#include "lkl/lkl.h"

/*
 * @run: function that does it, or
 * @program: program that does
 */
struct command {
	const char *name;
	const char *args;
	const char *what;
	int (*run)(int argc, char **argv);
	const char *program;
};

static const struct command commands[] = {
	{ "cat", "IMAGE FS_PATH...", "print files", cat_main, NULL },
	{ "cp", "PATH... IMAGE:FS_PATH", "copy files in, as cptofs", cp_main,
	  NULL },
	{ "cp", "IMAGE:FS_PATH... PATH", "copy files out, as cpfromfs", cp_main,
	  NULL },
	{ "fuse", "IMAGE DIRECTORY", "mount an image, as lklfuse", NULL,
	  "lklfuse" },
	{ "info", "IMAGE", "show partitions and file systems", info_main,
	  NULL },
	{ "ls", "[-adlR] IMAGE [FS_PATH]...", "list files", ls_main, NULL },
	{ "run", "PROGRAM [ARGUMENT]...", "run a program on lkl's network",
	  NULL, "lkl-run" },
	{ "tar", "IMAGE ARCHIVE", "make an archive, as fs2tar", NULL,
	  "fs2tar" },
	{ "untar", "ARCHIVE IMAGE", "unpack an archive, as tar2fs", NULL,
	  "tar2fs" },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static void help(void)
{
	printf("Usage: lkl COMMAND [OPTION]... ARGUMENT...\n"
	       "Linux as a library: use file systems without mounting them.\n"
	       "\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-5s %-27s %s\n", commands[i].name, commands[i].args,
		       commands[i].what);
	printf("\n"
	       "'lkl COMMAND --help' tells more.\n");
}

int execute(const char *program, char **argv)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path));
	char *slash;

	/* the other tools are beside this one */
	if (len > 0 && len < (ssize_t)(sizeof(path) - strlen(program) - 1)) {
		path[len] = 0;
		slash = strrchr(path, '/');
		strcpy(slash + 1, program);
		execv(path, argv);
	}
	tool_file_error("cannot execute", NULL, program, -errno);
	return TOOL_FAILED;
}

int next_option(struct image *img, int argc, char **argv, const char *letters,
		const char *usage)
{
	static const struct option options[] = {
		IMAGE_LONG_OPTIONS,
		{ "help", no_argument, NULL, 'H' },
		{ 0 },
	};
	int opt;

	for (;;) {
		opt = getopt_long(argc, argv, letters, options, NULL);
		if (opt == 'H') {
			printf("%s\n" IMAGE_HELP
			       "      --help              show this help\n",
			       usage);
			exit(TOOL_OK);
		}
		if (opt == '?')
			tool_usage_error(NULL);
		if (opt == -1 || !image_option(img, opt))
			return opt;
	}
}

int main(int argc, char **argv)
{
	static char name[32];
	const struct command *c = commands;

	tool_init(argv[0]);
	if (argc < 2)
		tool_usage_error("missing command");
	if (!strcmp(argv[1], "--help")) {
		help();
		return TOOL_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("lkl %s\n", LKL_VERSION);
		return TOOL_OK;
	}
	while (c < commands + COMMANDS && strcmp(c->name, argv[1]))
		c++;
	if (c == commands + COMMANDS)
		tool_usage_error("no such command: '%s'", argv[1]);
	if (c->program) {
		argv[1] = (char *)c->program;
		return execute(c->program, argv + 1);
	}
	snprintf(name, sizeof(name), "lkl %s", c->name);
	tool_name = argv[1] = name;
	tool_exit(c->run(argc - 1, argv + 1));
}
