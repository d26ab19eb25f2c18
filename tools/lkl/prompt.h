/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The prompt of lkl sh.
 */
#ifndef LKL_PROMPT_H
#define LKL_PROMPT_H

#include "verb.h"

/**
 * prompt_begin() - take the terminal
 * @s: the session, whose names are completed
 *
 * Return: 0, or -1 when it has said why not
 */
int prompt_begin(const struct session *s);

/**
 * prompt_line() - have a line typed
 *
 * Return: the line, until the next call, or NULL at the end
 */
const char *prompt_line(void);

/**
 * prompt_end() - save the history, give the terminal back
 */
void prompt_end(void);

#endif /* LKL_PROMPT_H */
