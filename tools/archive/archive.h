/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Archives as streams: tar, and OCI images, which are several archives one over
 * another.
 */
#ifndef TOOL_ARCHIVE_H
#define TOOL_ARCHIVE_H

#include <archive.h>
#include <archive_entry.h>
#include <stdint.h>

#include "../common/stream.h"
#include "../common/tool.h"
#include "labels.h"

/* Bytes read from or written to an archive at a time. */
#define BLOCK (256 << 10)

/* A FIFO with this one is a socket. */
#define ATTR_SOCKET "trusted.lkl.filetype"
#define ATTR_SELINUX "security.selinux"
#define ATTR_ACL "system.posix_acl_access"
#define ATTR_DEFAULT_ACL "system.posix_acl_default"

struct input;

/**
 * struct reader - an archive being read
 *
 * @name: its name, for messages
 * @fd: the open archive
 * @layer: what is called .wh.NAME says that NAME is gone
 * @fixed_time: all times are @time
 * @labels: SELinux labels by path
 * @stream: where it is sent to
 * @in: its bytes and headers
 * @entry: header that has been read ahead
 * @dirs: open directories, as a path
 * @incremental: that the archive is so has been said
 * @failed: it could not be read to its end
 */
struct reader {
	const char *name;
	int fd;
	bool layer;
	bool fixed_time;
	struct timespec time;
	const struct labels *labels;
	struct stream *stream;

	struct input *in;
	struct archive_entry *entry;
	struct tool_path dirs;
	bool incremental;
	bool failed;
};

/**
 * reader_open() - begin to read an archive
 * @rd: with the members up to @stream set and the others 0
 *
 * Return: 0, 1 if it is empty, or -1 when it has said why not; call
 * reader_close() in any case
 */
int reader_open(struct reader *rd);

/**
 * reader_next() - read a header
 * @rd: the archive, whose first header has been read by reader_open()
 *
 * Return: false at the end, or after an error that it has reported
 */
bool reader_next(struct reader *rd);

/**
 * reader_send() - send what is in an archive, of which a header has been read
 * @rd: the archive
 *
 * The stream has a directory open, in which everything is made.
 *
 * Return: false when the stream has been cancelled
 */
bool reader_send(struct reader *rd);

/**
 * reader_close() - end reading
 * @rd: the archive, whose @fd stays open
 */
void reader_close(struct reader *rd);

/**
 * clean_path() - leave of a path only what has to do with names
 * @path: the path, changed: "./a//b/" becomes "a/b"
 *
 * Return: false if it would lead out of where it begins
 */
bool clean_path(char *path);

#endif /* TOOL_ARCHIVE_H */
