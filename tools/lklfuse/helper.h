/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lklfuse as mount(8) calls it: under the name mount.fuse.lklfuse.
 */
#ifndef HELPER_H
#define HELPER_H

#include <stdbool.h>

/**
 * helper_is() - has mount(8) called the program?
 * @argv0: name of the program
 */
bool helper_is(const char *argv0);

/**
 * helper_run() - do what mount(8) wants, or make a command line of it
 * @argc: number of arguments; changed
 * @argv: the arguments; changed
 *
 * Return: exit status, or -1 when the image is to be mounted as @argv says
 */
int helper_run(int *argc, char ***argv);

#endif /* HELPER_H */
