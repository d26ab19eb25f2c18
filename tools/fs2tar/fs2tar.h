/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fs2tar and tar2fs share.
 */
#ifndef FS2TAR_H
#define FS2TAR_H

#include <archive.h>
#include <archive_entry.h>
#include <stdint.h>
#include <stdio.h>

#include "../common/image.h"
#include "../common/sink.h"

/* Bytes read from or written to an archive at a time. */
#define BLOCK (256 << 10)

/* A FIFO with this one is a socket. */
#define ATTR_SOCKET "trusted.lkl.filetype"
#define ATTR_SELINUX "security.selinux"
#define ATTR_ACL "system.posix_acl_access"
#define ATTR_DEFAULT_ACL "system.posix_acl_default"

/* An ACL as the kernel gives it: a little-endian version and these. */
struct acl_entry {
	uint16_t tag;
	uint16_t perm;
	uint32_t id;
};

#define ACL_VERSION 2
#define ACL_TAGS 6

/* Its tags, in the order it keeps, and libarchive's. */
extern const struct acl_tag {
	uint16_t tag;
	int archive_tag;
} acl_tags[ACL_TAGS];

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

/**
 * open_labels() - open a file of SELinux labels
 * @name: its name
 * @mode: as of fopen()
 *
 * It has a line for each object: path, space, label.  White space in the path
 * is written as an octal number.
 *
 * Return: the file, or NULL after a message
 */
FILE *open_labels(const char *name, const char *mode);

#endif /* FS2TAR_H */
