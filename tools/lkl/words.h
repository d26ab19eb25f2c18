/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines of lkl sh, taken apart.
 */
#ifndef LKL_WORDS_H
#define LKL_WORDS_H

#include "verb.h"

/**
 * struct command - a command of lkl sh
 *
 * @word: its words, with NULL at the end
 * @count: number of @word
 * @input: host file that its standard input comes from, or NULL
 * @output: host file that its output goes to, or NULL
 * @append: @output keeps what it has
 * @local: command of the host's shell: what follows a "!", or a "|", which then
 *	reads the output; or NULL
 * @pipe: it is the latter
 */
struct command {
	char **word;
	int count;
	char *input;
	char *output;
	bool append;
	char *local;
	bool pipe;
};

/**
 * struct finder - what finds the files that a pattern matches
 *
 * @find: calls @add with each path, sorted, which is that one's to free;
 *	@verb is the first word of the command, or NULL; returns how many
 *	there were
 * @arg: for @find
 */
struct finder {
	size_t (*find)(void *arg, const char *verb, const char *pattern,
		       void (*add)(void *arg, char *path), void *add_arg);
	void *arg;
};

/**
 * words_read() - read the next command of a line
 * @f: what finds files
 * @line: where to begin; moved behind the command
 * @c: filled in; give it to words_free()
 *
 * Words are separated by blanks, commands by semicolons; a "#" begins a
 * comment. Quotes and backslashes are those of the shell.
 *
 * Return: 0, or -1 when it has said what is wrong
 */
int words_read(const struct finder *f, const char **line, struct command *c);

/**
 * words_free() - undo words_read()
 * @c: the command
 */
void words_free(struct command *c);

/**
 * glob_image() - find the paths in the image that match a pattern
 * @s: the session
 * @pattern: the pattern; a backslash takes away the meaning of what follows
 * @add: called for each of them, sorted; the path is its to free
 * @arg: for @add
 *
 * Return: how many there were
 */
size_t glob_image(const struct session *s, const char *pattern,
		  void (*add)(void *arg, char *path), void *arg);

#endif /* LKL_WORDS_H */
