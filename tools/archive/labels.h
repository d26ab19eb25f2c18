/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of SELinux labels: a line for each object, with its path, a space and
 * the label.  White space in the path is written as an octal number.
 */
#ifndef LABELS_H
#define LABELS_H

#include <stddef.h>
#include <stdio.h>

/**
 * labels_create() - open a file to write labels to
 * @name: its name
 *
 * Return: the file, or NULL after a message
 */
FILE *labels_create(const char *name);

/**
 * labels_put() - write a label
 * @f: the file
 * @path: absolute path of the object
 * @label: its label
 * @size: size of that, with a 0 at the end or without
 */
void labels_put(FILE *f, const char *path, const char *label, size_t size);

/**
 * struct labels - what is in such a file, sorted by path; all 0 at first
 *
 * @list: the lines
 * @count: their number
 */
struct labels {
	struct label {
		char *path;
		char *label;
	} * list;
	size_t count;
};

/**
 * labels_read() - read a file of labels
 * @labels: filled in
 * @name: name of the file
 *
 * Return: 0, or -1 after a message; call labels_free() in either case
 */
int labels_read(struct labels *labels, const char *name);

/**
 * labels_find() - find the label for an object
 * @labels: the labels, or NULL
 * @path: absolute path of the object
 *
 * Return: the label, or NULL
 */
const char *labels_find(const struct labels *labels, const char *path);

/**
 * labels_free() - undo labels_read()
 * @labels: the labels
 */
void labels_free(struct labels *labels);

#endif /* LABELS_H */
