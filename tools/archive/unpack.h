/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What files come from: a tar archive, a layer of an OCI image, or all of its
 * layers, each over those before.
 */
#ifndef TOOL_UNPACK_H
#define TOOL_UNPACK_H

#include <sys/stat.h>

#include "archive.h"

/* What an archive is. */
enum unpack_kind {
	UNPACK_TAR,
	UNPACK_LAYER,
	UNPACK_OCI,
};

/**
 * struct layer - an archive that goes over those before it
 *
 * @name: its name, for messages
 * @fd: the open archive
 * @gone: what is gone, by records of the type REMOVE or EMPTY and a path
 * @gone_count: number of @gone
 */
struct layer {
	char *name;
	int fd;
	struct gone {
		enum record_type type;
		char *path;
	} * gone;
	size_t gone_count;
};

/**
 * struct unpack - what to unpack
 *
 * @name: name of the archive, "-" for the standard input, or of the directory
 *	of an OCI image
 * @kind: what it is
 * @ref: which image of several, or NULL
 * @fixed_time: all times are @time
 * @labels: SELinux labels by path, or NULL
 * @stream: where it is sent to, needed by unpack_run() only
 * @layers: the archives
 * @count: number of @layers
 * @is_oci: unpack_scan() has seen that a tar archive has an OCI image in it
 * @reader: the first of them, if it has been opened already
 */
struct unpack {
	const char *name;
	enum unpack_kind kind;
	const char *ref;
	bool fixed_time;
	struct timespec time;
	const struct labels *labels;
	struct stream *stream;

	struct layer *layers;
	size_t count;
	bool is_oci;
	struct reader reader;
};

/**
 * unpack_is_oci() - is it the directory of an OCI image?
 * @path: the directory
 *
 * Return: whether it is
 */
bool unpack_is_oci(const char *path);

/**
 * unpack_open() - open, and check what can be checked before anything is
 * unpacked: digests, and that it is an archive
 * @u: with the members up to @stream set and the others 0
 *
 * What a layer removes is read here, so it must be a file, no pipe.
 *
 * Return: 0, or -1 when it has said why not; call unpack_close() in any case
 */
int unpack_open(struct unpack *u);

/**
 * unpack_scan() - tell what will be unpacked
 * @u: the archive, which is a file
 * @tell: called for each object, but for further names of it, with its path
 * @arg: for that
 *
 * Return: 0, or -1 when it has said why not
 */
int unpack_scan(struct unpack *u,
		void (*tell)(void *arg, const char *path,
			     const struct stat *st),
		void *arg);

/**
 * unpack_run() - thread that sends all of it
 * @arg: the struct unpack
 *
 * Return: NULL
 */
void *unpack_run(void *arg);

/**
 * unpack_close() - end
 * @u: the archive
 */
void unpack_close(struct unpack *u);

/**
 * unpack_add_layer() - add an archive
 * @u: what it belongs to
 * @name: its name, which is copied
 * @fd: the open archive, which is taken
 */
void unpack_add_layer(struct unpack *u, const char *name, int fd);

#endif /* TOOL_UNPACK_H */
