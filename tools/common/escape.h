/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names as Windows can hold them.
 *
 * What it cannot hold becomes "%" and two hexadecimal digits, in upper case,
 * for each byte: control characters, any of <>:"/\|?*, a dot or a space at the
 * end, the first letter of a name that stands for a device (CON, COM1.txt), and
 * bytes that are not UTF-8.  So does a "%" before two hexadecimal digits, which
 * are then no longer taken for a byte.  Different names become different ones.
 */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stdbool.h>

#include "stream.h"

/* Can a file of Windows have this name, and be found by all programs then? */
bool escape_is_none(const char *name);

/**
 * escape_name() - make a name that Windows can hold
 * @name: a name
 *
 * Return: the name, to be freed
 */
char *escape_name(const char *name);

/**
 * escape_undo() - find what escape_name() has made a name from
 * @name: a name
 *
 * Return: that, or the same if that makes no such name; to be freed
 */
char *escape_undo(const char *name);

/**
 * escape_path() - change each part of a path
 * @path: a path; ".", ".." and slashes stay
 * @change: escape_name() or escape_undo()
 *
 * Return: the path, to be freed
 */
char *escape_path(const char *path, char *(*change)(const char *name));

/**
 * escape_record() - what a record says, with names that Windows can hold
 * @r: a record of the type OPEN, ENTER or LINK
 * @own: the first name below the target is the user's own, and stays
 * @top: the record is about that
 *
 * Return: a copy, to be freed
 */
struct record *escape_record(const struct record *r, bool own, bool top);

#endif /* ESCAPE_H */
