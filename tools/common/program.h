/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs of the host's that do what only they can.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROGRAM_ARGS 48

/**
 * struct program - a program to be run
 *
 * @argv: its name, which is looked up, and its arguments
 * @count: number of @argv
 * @package: Debian package that has it
 * @env: NAME=VALUE that is added to the environment, or NULL
 * @stdin_fd: its standard input, -1 for none
 * @input: what is written to that instead, or NULL
 * @show: what it prints is shown as it comes; else only errors are kept
 * @output: what it prints, but for errors, is kept in @said
 * @finish: a signal does not end it
 * @dir: directory that it runs in, or NULL
 * @file: file there that is all it can reach, if the host can confine it, or
 *	NULL
 * @file_readonly: which it cannot write
 * @server: process that shows the file, which loses nothing when it is killed,
 *	or 0: after a signal that is done, as the program may wait for it for ever
 * @dead: its exit statuses from this one on mean that it failed
 * @said: what it has printed, or NULL; to be freed
 */
struct program {
	const char *argv[PROGRAM_ARGS];
	size_t count;
	const char *package;
	const char *env;
	int stdin_fd;
	const char *input;
	bool show;
	bool output;
	bool finish;
	const char *dir;
	const char *file;
	bool file_readonly;
	pid_t server;
	int dead;
	char *said;
};

/**
 * program_begin() - begin a command line
 * @p: the program
 * @name: its name
 * @package: Debian package that has it
 */
void program_begin(struct program *p, const char *name, const char *package);

/**
 * program_add() - add an argument
 * @p: the program
 * @arg: the argument, which must stay
 */
void program_add(struct program *p, const char *arg);

/**
 * program_add2() - add two arguments
 * @p: the program
 * @arg: the first
 * @more: the second; if it is NULL neither is added
 */
void program_add2(struct program *p, const char *arg, const char *more);

/**
 * program_file() - the name of a file that no program takes for an option
 * @name: the name
 *
 * Return: the same with ./ if it begins with a dash, to be freed
 */
char *program_file(const char *name);

/**
 * program_is_there() - is a program installed?
 * @name: its name
 * @package: Debian package that has it
 *
 * Return: false when it has said that it is not
 */
bool program_is_there(const char *name, const char *package);

/**
 * program_run() - run a program to its end
 * @p: the program
 *
 * After a signal to this process it is ended, but with @finish.  A failure is
 * reported with the first line it has printed.
 *
 * Return: its exit status, or -1 when it has said what went wrong
 */
int program_run(struct program *p);

/**
 * program_beside() - the path of another of our programs
 * @name: its name
 *
 * Return: the path, to be freed
 */
char *program_beside(const char *name);

#endif /* PROGRAM_H */
