/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The expression of find: how it is read (find_parse.c), evaluated for a file
 * (find_test.c), and what -printf prints (find_print.c).
 */
#ifndef LKL_FIND_H
#define LKL_FIND_H

#include <regex.h>
#include <stdint.h>
#include <time.h>

#include "path.h"
#include "verb.h"

enum find_kind {
	AND,
	OR,
	COMMA,
	NOT,
	NAME,
	PATH,
	LINK_NAME,
	REGEX,
	TYPE,
	SIZE,
	EMPTY,
	TIME,
	NEWER,
	UID,
	GID,
	NO_USER,
	NO_GROUP,
	PERM,
	LINKS,
	INODE,
	ALWAYS,
	NEVER,
	PRUNE,
	QUIT,
	PRINT,
	PRINT0,
	PRINTF,
};

/*
 * @left: first operand, or only one
 * @text: a pattern, types, or a format
 * @flags: of fnmatch()
 * @compare: how to compare with @value: '+' for more, '-' for less, or 0; of
 *	modes: '-' for all bits, '/' for any
 * @unit: what @value counts
 * @which: the time: 'a', 'c' or 'm'
 */
struct find_node {
	enum find_kind kind;
	struct find_node *left, *right;
	const char *text;
	int flags;
	char compare;
	uint64_t value;
	uint64_t unit;
	char which;
	struct timespec time;
	regex_t regex;
};

struct find {
	const struct session *s;
	char **args;
	struct find_node *expression;
	unsigned int nesting;
	bool acts;
	bool depth_first;
	bool one;
	bool json;
	unsigned long min, max;
	size_t start_len;
	struct timespec now;
	bool prune;
	bool quit;
};

/**
 * find_parse() - read an expression
 * @f: the command; @f->args is moved to behind the expression
 *
 * Return: the expression, or NULL with a message
 */
struct find_node *find_parse(struct find *f);
void find_free(struct find_node *n);

/**
 * find_eval() - is an expression true?
 * @f: the command
 * @n: the expression
 * @e: a file
 */
bool find_eval(struct find *f, const struct find_node *n,
	       const struct tree_entry *e);

/* Print a file's path, or its properties as JSON. */
void find_print(const struct find *f, const struct tree_entry *e);

/* Print by a format of -printf. */
void find_printf(const struct find *f, const struct tree_entry *e,
		 const char *format);

/* The letter of a file's type, and its name without folders. */
char find_type(mode_t mode);
const char *find_name(const struct tree_entry *e);

#endif /* LKL_FIND_H */
