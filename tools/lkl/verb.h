/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verbs of lkl.
 *
 * verbs.c has the table of them, with their options.  The table is all there
 * is: the command line is read by it (args.c), and --help prints it, which the
 * completions of the shells ask.  A verb that works on one mounted image is a
 * function on a session: it does not know whether it is the only one, as on the
 * command line, or one of many in a script of lkl sh.
 */
#ifndef LKL_VERB_H
#define LKL_VERB_H

#include <stdbool.h>
#include <stddef.h>

#include "../common/image.h"

/* Options without a letter have a number below that of any. */
enum {
	OPT_HELP = 2, /* 1 is an operand to getopt_long() */
	OPT_VERSION,
	OPT_JSON,
	OPT_TIME_STYLE,
	OPT_FULL_TIME,
	OPT_APPARENT,
	OPT_MINIMUM,
	OPT_SORT,
	OPT_MODE,
	OPT_TIME,
	OPT_DEREFERENCE,
	OPT_PRINTF,
	OPT_SI,
	OPT_ATTRIBUTES,
	OPT_TIMES,
	OPT_PARTITION2,
	OPT_LV2,
	OPT_HOSTDIR,
};

#define OPT_MAX 128

/**
 * struct verb_option - an option
 *
 * @id: its letter, or one of the numbers above
 * @name: its long name, or NULL
 * @arg: name of its argument, or NULL if it has none
 * @help: what it does
 */
struct verb_option {
	int id;
	const char *name;
	const char *arg;
	const char *help;
};

/**
 * struct args - a command line that has been read
 *
 * @given: options that were given, by their letter or number
 * @value: their arguments
 * @order: where each was given last, for those that undo each other
 * @list: options with arguments, all in their order
 * @list_count: number of @list
 * @operand: what is no option, with NULL at the end
 * @count: number of @operand
 * @mode: memory of an operand that is not as it was given, or NULL
 */
struct args {
	bool given[OPT_MAX];
	const char *value[OPT_MAX];
	int order[OPT_MAX];
	struct {
		int id;
		const char *value;
	} * list;
	size_t list_count;
	char **operand;
	int count;
	char *mode;
};

/**
 * struct session - a mounted image that verbs work on
 *
 * @img: the image
 * @fs: its files
 * @cwd: where relative paths begin, "/" but in lkl sh
 */
struct session {
	struct image img;
	const struct fs *fs;
	char *cwd;
};

/* What a verb is like. */
enum {
	VERB_CHANGES = 1, /* it changes the image */
	VERB_IMAGE =
		2, /* it has @main, and the image goes before its operands */
	VERB_RAW = 4, /* what follows the image is no option of ours */
	VERB_INPUT = 16, /* it reads the standard input */
	VERB_INSPECT = 32, /* it works on the system in the image */
	VERB_SHELL = 64, /* lkl sh does it itself */
	VERB_MODE = 8, /* its first operand may begin with a dash: -x */
};

/**
 * struct verb - a verb
 *
 * @name: its name
 * @args: its operands, without the image unless it has @main and no VERB_IMAGE
 * @what: what it does, in a few words
 * @more: further lines of --help, or NULL
 * @examples: lines of --help, what follows "lkl NAME", each with a newline
 * @options: its options, up to one without an id, or NULL
 * @status: its exit statuses if they are others than those of most, or NULL
 * @min: least number of operands, without the image
 * @max: largest number of them, or -1
 * @flags: VERB_...
 * @no_image_options: what image_option() takes, of which the verb has no use
 * @run: works on a mounted image; returns the exit status
 * @main: works on whatever it is given, instead of @run on the command line;
 *	returns the exit status
 * @program: another program that does it
 */
struct verb {
	const char *name;
	const char *args;
	const char *what;
	const char *more;
	const char *examples;
	const struct verb_option *options;
	const char *status;
	int min, max;
	unsigned int flags;
	const char *no_image_options;
	int (*run)(struct session *s, const struct args *a);
	int (*main)(const struct verb *v, int argc, char **argv);
	const char *program;
};

extern const struct verb verbs[];
extern const size_t verb_count;

/**
 * verb_find() - look a verb up
 * @name: its name
 *
 * Return: the verb, or NULL
 */
const struct verb *verb_find(const char *name);

/**
 * verb_nearest() - the verb that is spelled most like a word
 * @word: what is no verb
 *
 * Return: the verb's name, or NULL if none is like it
 */
const char *verb_nearest(const char *word);

/**
 * verb_help() - print the help of a verb
 * @v: the verb
 * @shell: as for lkl sh, where there is neither an image nor its options
 */
void verb_help(const struct verb *v, bool shell);

/**
 * args_read() - read a command line by the table
 * @v: the verb
 * @argc: as of main()
 * @argv: as of main(), which is reordered
 * @img: takes the options that all verbs have in common; NULL in lkl sh, where
 *	nothing on the line is about the image
 * @a: filled in
 *
 * Return: 0, -1 when it has said what is wrong, or 1 when --help or --version
 * was all that was asked for
 */
int args_read(const struct verb *v, int argc, char **argv, struct image *img,
	      struct args *a);

/**
 * args_free() - free what args_read() has allocated, whatever it returned
 * @a: the command line, with @operand as it was read
 */
void args_free(struct args *a);

/**
 * args_bad() - say what is wrong with a command line
 * @fmt: as for printf(), or NULL when it has been said
 *
 * Return: TOOL_FAILED
 */
int args_bad(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * session_main() - mount the image that a command line names, and run a verb
 * @v: the verb
 * @argc: as of main()
 * @argv: as of main()
 *
 * Return: exit status
 */
int session_main(const struct verb *v, int argc, char **argv);

/**
 * session_status() - the status after what a verb has said
 *
 * Return: TOOL_OK, or TOOL_PARTIAL after an error
 */
int session_status(void);

#endif /* LKL_VERB_H */
