/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The consumer of a stream that writes files.
 */
#ifndef SINK_H
#define SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "stream.h"
#include "tool.h"

/**
 * struct idmap - renumbering of owners
 *
 * @count: number of @rules; without any all ids stay as they are
 * @rules: the first that fits counts
 */
struct idmap {
	size_t count;
	struct idrule *rules;
};

/**
 * idmap_parse() - read a renumbering of the command line
 * @map: rules are added here; they are never freed
 * @text: "ID", or "FROM:TO,FROM:TO,..." with * for everybody else; is modified
 * @what: what it is for, for the message; does not return when it is wrong
 */
void idmap_parse(struct idmap *map, char *text, const char *what);

/**
 * idmap_get() - renumber an owner
 * @map: the rules
 * @id: the owner
 *
 * Return: the new number
 */
uint32_t idmap_get(const struct idmap *map, uint32_t id);

/* Kinds of things that a file system may be unable to keep. */
enum loss { LOST_OWNER, LOST_MODE, LOST_ATTRIBUTES, LOSSES };

/**
 * struct sink - where a stream is written to
 *
 * @fs: world of the target
 * @base: descriptor of the directory that everything goes into
 * @target: path of @base, or of the only object to be made, for messages
 * @renamed: it is the latter
 * @replace: what comes again replaces what came before; otherwise it is an
 *	error, because the target does not tell two names of a tree apart
 * @uids: renumbering of owners and
 * @gids: of groups
 * @label: SELinux label of everything, or NULL
 * @follow: a symbolic link to a directory serves as one that exists
 * @files: objects made
 * @bytes: file contents written
 * @full: nothing more can be written
 *
 * The other members are the sink's own.
 */
struct sink {
	const struct fs *fs;
	int base;
	const char *target;
	bool renamed;
	bool replace;
	struct idmap uids;
	struct idmap gids;
	const char *label;
	bool follow;

	unsigned long long files;
	unsigned long long bytes;
	bool full;

	bool base_inherits;
	struct object *stack;
	size_t depth;
	size_t stack_size;
	struct tool_path path;
	bool lost[LOSSES];
};

/**
 * sink_run() - start a producer and write everything it sends
 * @s: the sink, with the members up to @follow set and the others 0
 * @produce: thread that fills a stream and ends it with DONE
 * @arg: its argument
 * @stream: the stream
 *
 * What cannot be written is reported.  Shows the progress.  On a signal, or
 * when nothing more can be written, the file that is incomplete is removed.
 */
void sink_run(struct sink *s, void *(*produce)(void *), void *arg,
	      struct stream *stream);

/**
 * sink_close() - close the directory everything went into
 * @s: the sink
 * @sync: wait until the file system has written it
 */
void sink_close(struct sink *s, bool sync);

#endif /* SINK_H */
