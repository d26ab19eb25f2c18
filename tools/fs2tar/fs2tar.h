/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fs2tar and tar2fs share.
 */
#ifndef FS2TAR_H
#define FS2TAR_H

#include "../archive/unpack.h"
#include "../common/image.h"
#include "../common/sink.h"

/**
 * struct options - the command line
 *
 * @archive: name of the archive, "-" for the standard input or output
 * @img: the image
 * @paths: what to put into the archive, or the directory to unpack in
 * @count: number of @paths
 * @uids: renumbering of owners and
 * @gids: of groups
 * @fixed_time: all times are @time
 * @follow: links to directories in the target are followed
 * @kind: what the archive is
 * @ref: which image of several, or NULL
 * @labels: path of a file with SELinux labels, or NULL
 */
struct options {
	const char *archive;
	struct image img;
	char **paths;
	int count;
	struct idmap uids;
	struct idmap gids;
	bool fixed_time;
	struct timespec time;
	bool follow;
	enum unpack_kind kind;
	const char *ref;
	const char *labels;
};

/**
 * fs2tar() - write an archive
 * @opt: the command line
 *
 * Return: exit status
 */
int fs2tar(struct options *opt);

/**
 * tar2fs() - unpack an archive
 * @opt: the command line
 *
 * Return: exit status
 */
int tar2fs(struct options *opt);

#endif /* FS2TAR_H */
