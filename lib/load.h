/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Libraries that are loaded when they are needed.
 */
#ifndef LIB_LOAD_H
#define LIB_LOAD_H

#include <stdbool.h>

/**
 * lkl_load - load a library
 * @user: what needs it, for messages
 * @library: its file
 * @package: where it comes from
 * @names: functions wanted, and NULL
 * @functions: where to store them
 *
 * Return: true, or false when that was not possible, which has been said
 */
bool lkl_load(const char *user, const char *library, const char *package,
	      const char *const *names, void **functions);

#endif /* LIB_LOAD_H */
