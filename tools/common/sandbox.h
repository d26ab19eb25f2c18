/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sandbox of a process that runs the library's kernel on an image that
 * nobody trusts.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>

/**
 * sandbox_descriptors() - close all descriptors that the program inherited
 * @input: keep the standard input, which otherwise becomes /dev/null
 *
 * Standard output and error stay, but a terminal cannot be read by them.
 *
 * Return: 0, or -1 when it has said why not
 */
int sandbox_descriptors(bool input);

/**
 * sandbox_write_only() - open a terminal again that can then not be read
 * @fd: descriptor of the terminal
 *
 * For a process that is not trusted: what is typed is not for that.
 *
 * Return: the descriptor, or -1 where it belongs to another user
 */
int sandbox_write_only(int fd);

/**
 * struct sandbox_dir - a directory of the host that an image shows
 *
 * @path: the directory; NULL ends a list of them
 * @readonly: nothing in it is changed
 */
struct sandbox_dir {
	const char *path;
	bool readonly;
};

/**
 * sandbox_enter() - give up everything that serving an image does not need
 * @unlock: leave what it takes to unlock an encrypted image, for now
 * @dirs: leave what it takes to work on these, which needs Landlock; or NULL
 *
 * There must be one thread only.
 *
 * Return: 0, or -1 when it has said why not
 */
int sandbox_enter(bool unlock, const struct sandbox_dir *dirs);

/**
 * sandbox_tighten() - give up what was left for unlocking
 *
 * Return: 0, or -1 when it has said why not
 */
int sandbox_tighten(void);

#endif /* SANDBOX_H */
