/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work on an image in a process that can do nothing else.
 */
#ifndef CONFINED_H
#define CONFINED_H

#include <sys/types.h>

#include "image.h"
#include "sandbox.h"

/**
 * struct confined - work to be done on an image
 *
 * @img: the image; an option of its says that the work is not to be confined
 * @input: the work reads the standard input
 * @unmounted: the work mounts the image itself, which is open only
 * @attached: it is attached instead: see image_attach()
 * @run: does the work on the mounted image, and returns the exit status
 * @arg: for the functions
 * @what: name of the work, if this process is to show how long it takes, or
 *	NULL
 * @prepare: called before the other process is made, which may be again, when
 *	it needs a passphrase; or NULL
 * @apart: it is another process, even if it is not confined
 * @dirs: directories of the host that it may work on, or NULL
 * @keep_key: leave a passphrase that it asked for in @img
 * @child: becomes the id of the other process, or NULL
 * @meanwhile: what this process does, if the work is in another; given a
 *	descriptor that becomes readable when that has ended; or NULL
 */
struct confined {
	struct image *img;
	bool input;
	bool unmounted;
	bool attached;
	int (*run)(struct image *img, void *arg);
	void *arg;
	const char *what;
	bool apart;
	const struct sandbox_dir *dirs;
	bool keep_key;
	pid_t *child;
	void (*prepare)(void *arg);
	void (*meanwhile)(int ended, void *arg);
};

/**
 * confined_possible() - can the host confine a process?
 *
 * Return: if not, the work is done in the process that asks for it
 */
bool confined_possible(void);

/**
 * confined_run() - open and mount an image, do the work, unmount it
 * @c: the work
 *
 * It is done by a process that, before it reads the first byte of the image,
 * gives up everything but the image, the standard files and what else is open
 * here and closed on exec(): see sandbox.c.  What this process prints so far is
 * written before.
 *
 * Return: exit status
 */
int confined_run(const struct confined *c);

#endif /* CONFINED_H */
