/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Paths of the user's in the image, and output about them.
 */
#ifndef LKL_PATH_H
#define LKL_PATH_H

#include <stdio.h>
#include <sys/stat.h>

#include "../common/walk.h"
#include "verb.h"

struct tree_entry;

/**
 * path_full() - a path from the root
 * @s: the session
 * @path: what the user said, perhaps relative
 *
 * Return: the path, to be freed
 */
char *path_full(const struct session *s, const char *path);

/**
 * path_open() - open a path; links in it lead nowhere but into the image
 * @s: the session
 * @path: the path
 * @flags: of the library's openat2()
 *
 * Return: a descriptor or a negative error number
 */
int path_open(const struct session *s, const char *path, int flags);

/**
 * path_stat() - the properties of what is at a path
 * @s: the session
 * @path: the path
 * @follow: of what a link leads to
 * @st: filled in
 *
 * Return: 0 or a negative error number
 */
int path_stat(const struct session *s, const char *path, bool follow,
	      struct stat *st);

/**
 * path_without_slashes() - a name that is to be made, or removed
 * @path: the path
 *
 * Return: it without slashes at its end, to be freed
 */
char *path_without_slashes(const char *path);

/**
 * path_split() - open the directory that a path leads to: see walk_split()
 * @s: the session
 * @path: the path
 * @wp: filled in; give it to walk_split_free()
 *
 * Return: 0 or a negative error number
 */
int path_split(const struct session *s, const char *path, struct walk_path *wp);

/**
 * path_target() - where to put something: into a directory, or under a name
 * @s: the session
 * @target: what the user said
 * @source: the path of what comes there, whose last part is its name in a
 *	directory
 * @wp: filled in; give it to walk_split_free()
 *
 * Return: 0 or a negative error number
 */
int path_target(const struct session *s, const char *target, const char *source,
		struct walk_path *wp);

/**
 * path_error() - print an error about something in the image
 * @s: the session
 * @what: what could not be done
 * @path: to what
 * @err: negative error number
 */
void path_error(const struct session *s, const char *what, const char *path,
		long err);

/**
 * struct tree - how tree_walk() goes through what is at a path
 *
 * @s: the session
 * @follow: follow the path itself if it is a link
 * @one: stay on one file system
 * @enter: called for everything, before what is in it; returns whether to
 *	descend; or NULL to descend everywhere
 * @leave: called for everything, after what is in it, or NULL
 * @arg: for the caller
 * @failed: something could not be read
 */
struct tree {
	const struct session *s;
	bool follow;
	bool one;
	bool (*enter)(struct tree *t, const struct tree_entry *e);
	void (*leave)(struct tree *t, const struct tree_entry *e);
	void *arg;
	bool failed;
};

/**
 * struct tree_entry - something that tree_walk() comes to
 *
 * @dir: directory that it is in
 * @name: its name there; "" for @dir itself
 * @path: its path, as the user would write it
 * @depth: how deep it is below the path the walk began with
 * @st: its properties
 * @data: for the caller; the entry of the directory that it is in has the first
 *	of them as @up
 * @up: the entry it is in, or NULL
 */
struct tree_entry {
	int dir;
	const char *name;
	const char *path;
	unsigned int depth;
	struct stat st;
	void *data;
	struct tree_entry *up;
};

/**
 * tree_walk() - go through a file or a directory and all that is in it
 * @t: how
 * @path: where
 *
 * What cannot be read is reported.  The names in a directory come sorted.
 */
void tree_walk(struct tree *t, const char *path);

/**
 * output_begin() - say where the output goes
 * @is_terminal: to a terminal, which a confined process cannot find out
 */
void output_begin(bool is_terminal);

/**
 * put_name() - print a name, on a terminal without control characters
 * @name: the name, which may be anybody's
 */
void put_name(const char *name);

/**
 * put_done() - with -v, say what was done
 * @a: arguments of the verb
 * @what: it
 * @path: to which file
 */
void put_done(const struct args *a, const char *what, const char *path);

/* Bytes for output_fact(). */
#define FACT 256

/**
 * output_fact() - make a label or the like fit into a column
 * @text: it, which may be anybody's
 * @buf: where it is put without control characters
 *
 * Return: @buf, or "-" if there is nothing to print
 */
const char *output_fact(const char *text, char buf[FACT]);

/**
 * output_end() - write what is still to be printed
 *
 * Return: false when it has said why that cannot be
 */
bool output_end(void);

/**
 * output_write() - print bytes as they are
 * @buf: the bytes
 * @size: their number
 *
 * Return: false when it has said why that cannot be
 */
bool output_write(const char *buf, size_t size);

/**
 * output_quiet() - the reader of the output may go away
 * @on: whether that is no error, from now on
 */
void output_quiet(bool on);

#endif /* LKL_PATH_H */
