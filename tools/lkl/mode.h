/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Permissions as chmod takes them.
 */
#ifndef LKL_MODE_H
#define LKL_MODE_H

#include <sys/stat.h>

struct mode_change;

/**
 * mode_parse() - read an octal or symbolic mode
 * @text: as 755, u+x,go-w or =rX
 *
 * There is no umask: "+x" is "a+x".
 *
 * Return: the change, to be freed, or NULL when it is none
 */
struct mode_change *mode_parse(const char *text);

/**
 * mode_apply() - change a mode
 * @c: the change
 * @mode: the mode, with the type of the file
 *
 * Return: the permissions
 */
mode_t mode_apply(const struct mode_change *c, mode_t mode);

#endif /* LKL_MODE_H */
