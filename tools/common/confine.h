/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs that read images that are not trusted.
 */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdbool.h>

/**
 * confine() - give up all files but one, the network, new processes, and most
 * capabilities
 * @file: descriptor of that file
 * @write: it may be written as well as read
 * @program: program to be executed, which PATH leads to, or NULL
 *
 * What a program needs of the system, to be executed from here, can still be
 * read, but not what a user has preloaded into it, which is left out.  Sockets
 * that are open can be used, others not be made.  To be called in a process of
 * its own, with one thread.
 *
 * Return: 0 or a negative error number, -ENOSYS where the host cannot do that
 * for files
 */
int confine(int file, bool write, const char *program);

#endif /* CONFINE_H */
