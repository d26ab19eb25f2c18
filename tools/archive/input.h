/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes and the headers of an archive.
 */
#ifndef INPUT_H
#define INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive.h"

/**
 * struct input - an archive that is being read
 *
 * @tar: reads what @plain gives
 * @plain: reads the file and undoes the compression
 * @block: part of the archive that @plain has given last
 * @size: bytes in it
 * @end: offset in the archive after it
 * @entry: offset of the headers of the last entry, or -1
 * @kept: bytes of the headers being read, or read last, that were before @block
 * @kept_size: number of them
 * @fd: the file
 * @buf: what has been read of it last
 */
struct input {
	struct archive *tar;
	struct archive *plain;
	const char *block;
	size_t size;
	int64_t end;
	int64_t entry;
	char *kept;
	size_t kept_size;
	int fd;
	char buf[BLOCK];
};

/**
 * input_open() - begin to read an archive
 * @name: its name, for messages
 * @fd: the open file, which stays open at the end
 *
 * Return: the archive, or NULL when it has said why not
 */
struct input *input_open(const char *name, int fd);

/**
 * input_close() - end reading
 * @in: the archive, or NULL
 */
void input_close(struct input *in);

/**
 * input_next() - read the headers of the next entry
 * @in: the archive
 * @entry: where to store the entry
 *
 * Return: as archive_read_next_header()
 */
int input_next(struct input *in, struct archive_entry **entry);

/**
 * input_incremental() - does this directory say what else was in it?
 * @in: the archive
 * @entry: the last entry, a directory
 *
 * Return: true if it does, as those of GNU tar's incremental archives
 */
bool input_incremental(const struct input *in, struct archive_entry *entry);

/**
 * input_reason() - what an error of libarchive's was
 * @a: what failed
 *
 * Return: a text, which is valid until the next error
 */
const char *input_reason(struct archive *a);

/**
 * input_failed() - report an error of libarchive's, unless a signal came
 * @a: what failed
 * @what: what cannot be done
 * @name: the archive's name
 */
void input_failed(struct archive *a, const char *what, const char *name);

#endif /* INPUT_H */
