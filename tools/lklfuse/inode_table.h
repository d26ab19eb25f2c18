/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of inode.c: hash tables of the files (inode_table.c), and their
 * descriptors (inode_fds.c).
 *
 * The caller holds inode.c's lock, except where that is said.
 */
#ifndef INODE_TABLE_H
#define INODE_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "handle.h"
#include "inode.h"

/* libfuse's number of the root directory. */
#define ROOT 1
#define NO_FDS                                                                 \
	{                                                                      \
		-1, -1, -1, -1, -1                                             \
	}

/*
 * @next: in the same bucket
 * @older, @newer: in the list of those whose descriptors may be closed, by
 *	last use
 * @dev, @ino, @handle_type, @handle_size, @handle: tell files apart
 * @number: libfuse's number
 * @same: in the same bucket of numbers
 * @lookups: what the host's kernel has to give back
 * @users: requests that use the descriptors
 * @fds: descriptor for each use, or -1
 * @kept: the file must stay open
 * @folds: names in this directory have several spellings
 * @guarding: requests wait until the descriptors are closed
 * @forgetting: a thread waits for the last user to free it
 * @cached: the host's kernel may have contents of the file
 */
struct inode {
	struct inode *next;
	struct inode *older;
	struct inode *newer;
	uint64_t dev;
	uint64_t ino;
	uint64_t number;
	struct inode *same;
	uint64_t lookups;
	unsigned int users;
	int fds[INODE_USES];
	bool kept;
	atomic_bool folds;
	bool guarding;
	bool forgetting;
	atomic_bool cached;
	mode_t type;
	int handle_type;
	unsigned int handle_size;
	unsigned char handle[];
};

/**
 * inode_table_start() - make the empty tables
 *
 * Return: whether there was memory for them
 */
bool inode_table_start(void);

/**
 * inode_table_end() - free the tables
 * @end: called for each file; frees it
 */
void inode_table_end(void (*end)(struct inode *i));

/**
 * inode_table_find() - find a file that is known
 * @st: its attributes
 * @h: its handle
 *
 * Return: the file, or NULL
 */
struct inode *inode_table_find(const struct stat *st, const struct handle *h);

/**
 * inode_table_find_number() - find a file by libfuse's number
 * @number: the number
 *
 * Return: the file, or NULL
 */
struct inode *inode_table_find_number(uint64_t number);

/**
 * inode_table_add() - add a file, and give it a number
 * @st: its attributes
 * @h: its handle
 *
 * Return: the file, which inode_table_remove() and free() end, or NULL without
 * memory
 */
struct inode *inode_table_add(const struct stat *st, const struct handle *h);

/**
 * inode_table_renumber() - give a file another number
 * @i: the file
 * @number: the number, which no other file has
 */
void inode_table_renumber(struct inode *i, uint64_t number);

/**
 * inode_table_remove() - remove a file, which remains to be freed
 * @i: the file
 */
void inode_table_remove(struct inode *i);

/**
 * inode_fds_usable() - find a descriptor that is good for a use
 * @i: the file
 * @use: the use
 *
 * Return: the descriptor, or -1
 */
int inode_fds_usable(const struct inode *i, enum inode_use use);

/**
 * inode_fds_install() - give a file a descriptor
 * @i: the file
 * @use: the descriptor's use
 * @fds: has the descriptor in [@use]; becomes what is to be closed instead:
 *	nothing, or those of the file not used for the longest time
 */
void inode_fds_install(struct inode *i, enum inode_use use,
		       int fds[INODE_USES]);

/**
 * inode_fds_used() - note that an open file was used
 * @i: the file
 */
void inode_fds_used(struct inode *i);

/**
 * inode_fds_keep() - have a file keep its descriptors
 * @i: the file
 */
void inode_fds_keep(struct inode *i);

/**
 * inode_fds_take() - take all descriptors from a file
 * @i: the file
 * @fds: the descriptors, returned
 */
void inode_fds_take(struct inode *i, int fds[INODE_USES]);

/**
 * inode_fds_take_writing() - take the descriptors that can write from a file
 * @i: the file
 * @fds: the descriptors, returned; others of it remain as they are
 */
void inode_fds_take_writing(struct inode *i, int fds[INODE_USES]);

/**
 * inode_fds_close() - close descriptors
 * @fds: the descriptors, -1 for none
 *
 * This may take long: to be called without the lock.
 */
void inode_fds_close(const int fds[INODE_USES]);

#endif /* INODE_TABLE_H */
