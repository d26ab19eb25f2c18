/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One line on the terminal: how much is done and how long is left, or, where
 * nobody knows that, what has been read and written and how long it has taken.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "walk.h"

/**
 * progress_prepare() - find out whether there is a terminal, before a sandbox
 */
void progress_prepare(void);

/**
 * progress_count() - have a thread count, for another process that shows
 * @walk: what to count
 */
void progress_count(const struct walk *walk);

/**
 * progress_end_count() - end that
 */
void progress_end_count(void);

/**
 * progress_start() - begin to count, if there is a terminal
 * @walk: what will be read, or NULL when that cannot be counted
 */
void progress_start(const struct walk *walk);

/**
 * progress_update() - show how far it is, a few times per second
 * @files: objects done
 * @bytes: file contents done
 */
void progress_update(unsigned long long files, unsigned long long bytes);

/**
 * progress_end() - show the final figures
 * @files: objects done
 * @bytes: file contents done
 */
void progress_end(unsigned long long files, unsigned long long bytes);

/**
 * progress_clear() - take the line away, for other output
 */
void progress_clear(void);

/**
 * progress_watch() - begin to wait for what cannot be counted
 * @what: what is waited for, which must stay; or NULL if nothing is shown
 *
 * Nothing is shown without a terminal.
 */
void progress_watch(const char *what);

/**
 * progress_wait() - show what a process has done, if it takes long
 * @pid: the process; called a few times per second, or more often
 */
void progress_wait(pid_t pid);

/**
 * progress_done() - end that, and take the line away
 */
void progress_done(void);

#endif /* PROGRESS_H */
