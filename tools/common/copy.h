/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies trees from one world to another.
 */
#ifndef COPY_H
#define COPY_H

#include "image.h"
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

/**
 * copy_out() - copy out of an image that nobody trusts
 * @img: the image, not open yet
 * @s: the sink on the host, with @fs and options set
 * @walk: the source, with @paths and @count set
 * @target: as of copy_run()
 *
 * A confined process reads the image; this one writes.  See confined_run().
 *
 * Return: exit status
 */
int copy_out(struct image *img, struct sink *s, struct walk *walk,
	     char *target);

/**
 * copy_in() - copy into an image that nobody trusts
 * @img: the image, not open yet
 * @s: the sink, with options set
 * @walk: the source on the host, with @paths and @count set
 * @target: as of copy_run()
 *
 * A confined process writes the image; this one reads.  See confined_run().
 *
 * Return: exit status
 */
int copy_in(struct image *img, struct sink *s, struct walk *walk, char *target);

/**
 * copy_stream() - the same for what is no tree of the host's
 * @img: the image, not open yet
 * @s: the sink, with options set
 * @produce: sends the files; called in this process
 * @arg: its argument
 * @stream: where it finds the stream
 * @target: a directory
 *
 * Return: exit status
 */
int copy_stream(struct image *img, struct sink *s, void *(*produce)(void *),
		void *arg, struct stream **stream, char *target);

/**
 * copy_target() - find where to put things
 * @s: the sink, with @fs set; @base and what belongs to it are filled in
 * @walk: the source; without @fs, what it is like is not known
 * @target: a directory, into which they go, or what they become; changed
 * @rename: the name that the only source then gets, to be freed, or NULL
 *
 * Return: 0, or -1 when it has said why that cannot be
 */
int copy_target(struct sink *s, const struct walk *walk, char *target,
		char **rename);

/**
 * copy_expect() - let nothing else come than what was asked for
 * @s: a stream whose producer is not trusted
 * @walk: what it was asked for: @paths, @count and @rename
 */
void copy_expect(struct stream *s, const struct walk *walk);

/**
 * copy_in_target() - the same in an image, for sources in another process
 * @s: the sink, with @fs set
 * @count: number of sources
 * @no_dir: there is one, which is no directory
 * @target: as of copy_target()
 * @rename: as of copy_target()
 *
 * Return: 0, or -1 when it has said why that cannot be
 */
int copy_in_target(struct sink *s, int count, bool no_dir, char *target,
		   char **rename);

/**
 * copy_is_no_dir() - is the first source something else than a directory?
 * @walk: the source
 */
bool copy_is_no_dir(const struct walk *walk);

#endif /* COPY_H */
