/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands of lkl share.
 */
#ifndef LKL_COMMANDS_H
#define LKL_COMMANDS_H

#include "../common/image.h"

/* Each command is like a main() and returns the exit status. */
int cat_main(int argc, char **argv);
int cp_main(int argc, char **argv);
int info_main(int argc, char **argv);
int ls_main(int argc, char **argv);

/**
 * execute() - run another of the tools in place of this one
 * @program: its name
 * @argv: its arguments
 *
 * Return: TOOL_FAILED when it could not be
 */
int execute(const char *program, char **argv);

/**
 * next_option() - parse the command line with getopt_long()
 * @img: where options go that all tools have in common
 * @argc: as of main()
 * @argv: as of main()
 * @letters: IMAGE_OPTIONS and others without argument
 * @usage: the text of --help
 *
 * Return: the next of the other options, or -1 at the end
 */
int next_option(struct image *img, int argc, char **argv, const char *letters,
		const char *usage);

#endif /* LKL_COMMANDS_H */
