/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The prompt of lkl sh.
 */
#ifndef LKL_PROMPT_H
#define LKL_PROMPT_H

#include "shell.h"

/**
 * prompt_begin() - take the terminal
 * @r: the process with the image, whose names are completed
 * @cwd: the directory in it
 *
 * Return: 0, or -1 when it has said why not
 */
int prompt_begin(struct remote_image *r, char *const *cwd);

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
