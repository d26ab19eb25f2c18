/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The consumer of a stream that writes files.
 */
#ifndef SINK_H
#define SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "idmap.h"
#include "resolve.h"
#include "stream.h"
#include "tool.h"

struct image;

/* Kinds of things that a file system may be unable to keep. */
enum loss {
	LOST_OWNER,
	LOST_MODE,
	LOST_SET_ID,
	LOST_ATTRIBUTES,
	LOST_TIME,
	LOSSES
};

/**
 * struct sink - where a stream is written to
 *
 * @fs: world of the target
 * @base: descriptor of the directory that everything goes into
 * @target: path of @base, or of the only object to be made, for messages
 * @renamed: it is the latter
 * @replace: what comes again under the same name replaces what came before, and
 *	an empty directory
 * @layers: what comes again replaces also directories that are not empty, and
 *	links by directories
 * @several: there are several sources, which may have the same names
 * @uids: renumbering of owners and
 * @gids: of groups
 * @label: SELinux label of everything, or NULL
 * @follow: a symbolic link to a directory serves as one that exists, unless
 *	this run has made it
 * @only_dir: what gets the name of the target is a directory, or nothing
 * @escape: names become such as Windows can hold (escape.h)
 * @sparse: blocks of zeros become holes, whatever they were in the source
 * @amend: changes what an object becomes, which has the path; or NULL
 * @arg: for @amend
 * @image: in the host's world, where the stream comes from: a file of its is not
 *	replaced; or NULL
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
	bool layers;
	bool several;
	struct idmap uids;
	struct idmap gids;
	const char *label;
	bool follow;
	bool only_dir;
	bool escape;
	bool sparse;
	void (*amend)(void *arg, const char *path, struct stat *st);
	void *arg;
	const struct image *image;

	unsigned long long files;
	unsigned long long bytes;
	bool full;

	bool base_inherits;
	struct names *base_names;
	void *all_names;
	struct resolver resolver;
	struct object *stack;
	size_t depth;
	size_t stack_size;
	struct tool_path path;
	struct {
		char *path;
		const char *reason;
		unsigned long long count;
	} lost[LOSSES];
};

/**
 * sink_run() - start a producer and write everything it sends
 * @s: the sink, with the members up to @arg set and the others 0
 * @produce: thread that fills a stream and ends it with DONE; NULL if another
 *	process does
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
