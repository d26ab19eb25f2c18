/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Formats of stat.
 */
#ifndef LKL_STAT_H
#define LKL_STAT_H

#include <sys/stat.h>

#include "verb.h"

/**
 * struct stat_file - what a format is about
 *
 * @s: the session
 * @dir: directory it is in
 * @name: its name there
 * @path: its path, to be printed
 * @st: its properties
 * @label: it has an SELinux label
 */
struct stat_file {
	const struct session *s;
	int dir;
	const char *name;
	const char *path;
	struct stat st;
	bool label;
};

/**
 * stat_put() - print by a format of stat -c
 * @f: the file
 * @format: the format
 * @escapes: it has backslashes
 */
void stat_put(const struct stat_file *f, const char *format, bool escapes);

/**
 * stat_escape() - print what a backslash means
 * @p: what follows it
 *
 * Return: where it goes on
 */
const char *stat_escape(const char *p);

#endif /* LKL_STAT_H */
