/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files the host's kernel knows.
 *
 * What libfuse calls an inode number is the address of a struct inode here,
 * except for the root directory.  It lives as long as the host's kernel
 * remembers it (lookups are counted), and that may be for all files there are.
 * So it holds no more than a file handle, from which the library's kernel finds
 * the file again; the descriptors that requests work with are a cache of
 * limited size.  Two kinds of files keep theirs: those without a name, and all
 * of a file system that has no lasting handles, like vfat.
 */
#ifndef INODE_H
#define INODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../common/fs.h"

struct inode;

/* What a descriptor is wanted for. */
enum inode_use {
	INODE_NAME, /* what O_PATH allows */
	INODE_READ,
	INODE_WRITE,
	INODE_DIRECT, /* to read without the page cache */
	INODE_USES,
};

/**
 * inode_start() - make the table
 * @fs: the image's files
 * @root: descriptor of the root directory
 * @handles: if the file system has handles, they last
 *
 * Return: 0 or a negative error number
 */
int inode_start(const struct fs *fs, int root, bool handles);

/**
 * inode_end() - forget all files
 */
void inode_end(void);

/**
 * inode_open() - get a descriptor of a file
 * @number: libfuse's number
 * @use: what it is for
 *
 * Return: the descriptor, to be given back with inode_close(), or a negative
 * error number
 */
int inode_open(uint64_t number, enum inode_use use);

/**
 * inode_close() - the descriptor is not needed any more
 * @number: libfuse's number
 */
void inode_close(uint64_t number);

/**
 * inode_found() - count a lookup
 * @fd: descriptor of the file; belongs to the table from now on
 * @use: what it is good for
 * @st: filled in
 * @generation: tells apart the files that had the same number one after another
 *
 * Return: libfuse's number, or 0 with a negative error number in *@err
 */
uint64_t inode_found(int fd, enum inode_use use, struct stat *st,
		     uint64_t *generation, int *err);

/**
 * inode_keep() - a file loses a name: hold it if it is known
 * @dir: descriptor of the directory
 * @name: the name
 */
void inode_keep(int dir, const char *name);

/**
 * inode_forget() - take lookups back
 * @number: libfuse's number
 * @lookups: how many
 */
void inode_forget(uint64_t number, uint64_t lookups);

#endif /* INODE_H */
