/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies trees from one world to another.
 */
#ifndef COPY_H
#define COPY_H

#include "sink.h"
#include "walk.h"

/**
 * copy_run() - copy files and directories, as cp -a does
 * @s: the sink, with @fs and options set
 * @walk: the source, with @fs, @paths and @count set
 * @target: a directory, or what the only source becomes; changed
 * @sync: wait until the target's file system has written all
 *
 * What goes wrong is reported.
 */
void copy_run(struct sink *s, struct walk *walk, char *target, bool sync);

#endif /* COPY_H */
