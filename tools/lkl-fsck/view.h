/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device of an image that nobody trusts, for programs of the host's.
 *
 * The library's kernel has the image, in a confined process, which keeps in
 * memory what is written.  The other process, which is not confined, mounts the
 * device as a file and runs the programs, each of which has only that file
 * (common/confine.c).
 */
#ifndef FSCK_VIEW_H
#define FSCK_VIEW_H

#include <sys/types.h>

#include "../common/image.h"

struct view;

/**
 * view_run() - have a device, and do some work with it
 * @img: the image, not open; it is not changed before view_commit()
 * @work: called outside with the device, its type of file system, and the
 *	number of disks that the file system is on
 * @arg: for @work
 *
 * Return: 0, or -1 when it has been said what went wrong
 */
int view_run(struct image *img,
	     void (*work)(struct view *d, const char *type, unsigned int disks,
			  void *arg),
	     void *arg);

/**
 * view_pid() - the process that has the device
 * @d: the device
 *
 * Return: its id
 */
pid_t view_pid(const struct view *d);

/**
 * view_show() - show the device
 * @d: the device
 * @name: name of the file
 * @readonly: it cannot be written
 *
 * Return: the directory that it is in, or NULL when it has said why not
 */
const char *view_show(struct view *d, const char *name, bool readonly);

/**
 * view_hide() - undo that, when all that was written is on the device
 * @d: the device
 *
 * Return: 0, or -1 when it has been said what went wrong
 */
int view_hide(struct view *d);

/**
 * view_replay() - have the kernel replay the journal, if it can
 * @d: the device, not shown
 *
 * Return: whether there was something to replay
 */
bool view_replay(struct view *d);

/**
 * view_read() - read from the device
 * @d: the device
 * @buf: where to
 * @size: how much, no more than 4096 bytes
 * @off: from where
 *
 * Return: whether that could be read
 */
bool view_read(struct view *d, void *buf, size_t size, uint64_t off);

/**
 * view_changed() - would view_commit() change the image?
 * @d: the device, of which nothing but view_commit() is done then
 *
 * Return: whether it would, or -1 when it has been said what went wrong
 */
int view_changed(struct view *d);

/**
 * view_commit() - write what has been kept in memory to the image
 * @d: the device, which cannot be used then
 *
 * Return: 0, or -1 when it has been said what went wrong
 */
int view_commit(struct view *d);

#endif /* FSCK_VIEW_H */
