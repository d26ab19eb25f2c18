/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The producer of a stream: reads trees of files.
 *
 * Entries of a directory come in the order of their names, so that the same
 * tree always gives the same stream.
 */
#ifndef WALK_H
#define WALK_H

#include <stdatomic.h>
#include <stdint.h>

#include "stream.h"

/**
 * struct walk - what to read
 *
 * @fs: world the files are in
 * @stream: where records go
 * @paths: files and directories to read; "dir/." is what is in dir
 * @count: number of @paths
 * @rename: name the only one of @paths gets instead of its own, or NULL
 * @maps: send a MAP of each file with holes
 * @apart: each name of a file is a file of its own
 * @unescape: names that escape_name() has made become what they were (escape.h)
 * @skip_dev: device and
 * @skip_ino: inode of a file to leave out, the image itself
 */
struct walk {
	const struct fs *fs;
	struct stream *stream;
	char *const *paths;
	int count;
	const char *rename;
	bool maps;
	bool apart;
	bool unescape;
	dev_t skip_dev;
	ino_t skip_ino;
};

/**
 * walk_run() - thread that reads @arg's trees and ends the stream
 * @arg: the struct walk
 *
 * What cannot be read is reported and left out.
 *
 * Return: NULL
 */
void *walk_run(void *arg);

/**
 * struct walk_total - how much there is to copy, for the time left
 *
 * A process that is not trusted may share it, so it has numbers only.
 *
 * @files: objects found
 * @bytes: file contents found
 * @done: all have been counted
 * @stop: set to make the counting end early
 */
struct walk_total {
	atomic_ullong files;
	atomic_ullong bytes;
	atomic_bool done;
	atomic_bool stop;
};

/**
 * struct walk_counter - what walk_count() is to count
 *
 * @walk: what will be read
 * @total: the result
 */
struct walk_counter {
	const struct walk *walk;
	struct walk_total *total;
};

/**
 * walk_count() - thread that counts what walk_run() will send
 * @arg: the struct walk_counter
 *
 * Return: NULL
 */
void *walk_count(void *arg);

/**
 * struct walk_path - a path of the user's, taken apart
 *
 * @dir: descriptor of the directory it is in
 * @open: name to open there, "." for that directory itself
 * @name: name the copy gets, "." for none of its own
 */
struct walk_path {
	int dir;
	char *open;
	char *name;
};

/**
 * walk_name() - the name that a walk from a path begins with
 * @path: the path
 *
 * Return: its last part, or "." if that is no name; to be freed
 */
char *walk_name(const char *path);

/**
 * walk_split() - open the directory a path leads to
 * @fs: world it is in
 * @path: the path
 * @wp: filled in; give it to walk_split_free()
 *
 * Return: 0 or a negative error number
 */
int walk_split(const struct fs *fs, const char *path, struct walk_path *wp);

/**
 * walk_split_free() - undo walk_split()
 * @fs: world the path is in
 * @wp: what walk_split() made
 */
void walk_split_free(const struct fs *fs, struct walk_path *wp);

/**
 * struct walk_names - the names in a directory, in their order
 *
 * @buf: memory
 * @list: names, each behind a byte with its type, DT_*
 * @count: how many there are
 */
struct walk_names {
	char *buf;
	char **list;
	size_t count;
};

/**
 * walk_names() - read a directory
 * @fs: world it is in
 * @fd: the open directory
 * @names: filled in, after an error with those that came before it; give it
 *	to walk_names_free()
 *
 * Return: 0 or a negative error number
 */
long walk_names(const struct fs *fs, int fd, struct walk_names *names);

/**
 * walk_names_free() - undo walk_names()
 * @names: what it made
 */
void walk_names_free(struct walk_names *names);

#endif /* WALK_H */
