/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files the host's kernel knows.
 *
 * What libfuse calls an inode number says which struct inode it is, and on most
 * file systems also how to find the file when that is gone (handle.h).  A
 * struct inode lives as long as the host's kernel remembers it (lookups are
 * counted), and that may be for all files there are.  So it holds no more than
 * a file handle, from which the library's kernel finds the file again; the
 * descriptors that requests work with are a cache of limited size.  Two kinds
 * of files keep theirs: those without a name, and all of a file system that has
 * no lasting handles, like vfat.
 */
#ifndef INODE_H
#define INODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct inode;

/* What a descriptor is wanted for. */
enum inode_use {
	INODE_NAME, /* what O_PATH allows */
	INODE_READ,
	INODE_WRITE,
	INODE_APPEND, /* to append where nothing else is allowed */
	INODE_DIRECT, /* to read without the page cache */
	INODE_USES,
};

/* Directories in which a file is found by several spellings of its name. */
enum inode_folding {
	FOLDS_NONE,
	FOLDS_SOME, /* those with a flag */
	FOLDS_ALL,
};

/**
 * inode_start() - make the table
 * @root: descriptor of the root directory
 * @handles: if the file system has handles, they last
 * @folding: which directories fold names
 *
 * Return: 0 or a negative error number
 */
int inode_start(int root, bool handles, enum inode_folding folding);

/**
 * inode_end() - forget all files
 */
void inode_end(void);

/**
 * inode_stat() - the attributes of an open file
 * @fd: the descriptor
 * @st: filled in
 *
 * Return: 0 or a negative error number
 */
int inode_stat(int fd, struct stat *st);

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
 * inode_folds() - is a file found by several spellings of its name?
 * @number: libfuse's number of the directory
 */
bool inode_folds(uint64_t number);

/**
 * inode_set_folds() - a directory has got the flag for that, or lost it
 * @number: libfuse's number
 * @folds: which of it
 */
void inode_set_folds(uint64_t number, bool folds);

/**
 * inode_revive() - open a file that has been forgotten
 * @number: libfuse's number, which it once had
 *
 * Return: descriptor as of O_PATH, or a negative error number
 */
int inode_revive(uint64_t number);

/**
 * inode_try() - may a file be opened so?
 * @number: libfuse's number
 * @flags: how, as for open()
 *
 * Return: 0 or a negative error number
 */
int inode_try(uint64_t number, int flags);

/**
 * inode_guarded() - is there a file that may not be written in every way?
 *
 * Return: whether a file with the flag for "immutable" or "append only" has
 * been seen
 */
bool inode_guarded(void);

/**
 * inode_guard() - the flags of a file change: close what writes to it
 * @number: libfuse's number; no descriptor of it must be in use by the caller
 *
 * The next one is opened as the flags allow.
 */
void inode_guard(uint64_t number);

/**
 * inode_set_cached() - the host's kernel may keep contents of a file
 * @number: libfuse's number
 */
void inode_set_cached(uint64_t number);

/**
 * inode_is_cached() - may the host's kernel have contents of a file?
 * @number: libfuse's number
 */
bool inode_is_cached(uint64_t number);

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
