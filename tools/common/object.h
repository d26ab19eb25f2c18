/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is open in a sink: sink.c opens and closes it, metadata.c gives it all
 * but its contents.
 */
#ifndef OBJECT_H
#define OBJECT_H

#include "sink.h"

#define MODE_BITS 07777

/**
 * struct object - a file or directory that is being made
 *
 * @fd: open file or directory, or -1
 * @skip: could not be made; what belongs to it is left out
 * @fresh: made by this run, not there before
 * @implicit: directory that stays as it is
 * @names: directory: its names that this run has taken, or NULL if anything may
 *	be replaced, or nothing
 * @inherits: directory that gives new files a group or an ACL
 * @failed: contents are incomplete
 * @st: what it is to become
 * @mode: permissions it was made with
 * @path_len: length of the path of the directory it is in
 * @name_len: length of its name, the last part of the path
 * @end: bytes written so far, holes included
 * @attrs: extended attributes: name, 0, uint32_t size, value, ...
 */
struct object {
	int fd;
	bool skip;
	bool fresh;
	bool implicit;
	struct names *names;
	bool inherits;
	bool failed;
	struct stat st;
	mode_t mode;
	size_t path_len;
	size_t name_len;
	off_t end;
	char *attrs;
	size_t attrs_size;
};

/**
 * sink_complain() - report a call that failed for the current object
 * @s: the sink
 * @what: what could not be done
 * @err: negative error number
 *
 * After some errors nothing more will succeed; the first of them is enough.
 */
void sink_complain(struct sink *s, const char *what, long err);

/**
 * object_add_attr() - add to the extended attributes of an object
 * @o: the object
 * @name: name of the attribute
 * @value: its value
 * @size: size of that
 */
void object_add_attr(struct object *o, const char *name, const void *value,
		     uint32_t size);

/**
 * object_finish() - set owner, attributes, mode and times
 * @s: the sink, whose path is that of the object
 * @o: the object
 * @unsure: owner and mode may be others than it was made with
 * @dir: its descriptor, or directory
 * @name: "", or its name there
 */
void object_finish(struct sink *s, struct object *o, bool unsure, int dir,
		   const char *name);

/**
 * sink_say_lost() - tell what the target could not keep, and of how many files
 * @s: the sink
 */
void sink_say_lost(struct sink *s);

#endif /* OBJECT_H */
