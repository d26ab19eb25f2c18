/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a file has data.
 */
#ifndef HOLES_H
#define HOLES_H

#include "fs.h"

/**
 * struct holes - a file that may have some
 *
 * @fs: world of the file
 * @fd: the open file
 * @size: its size
 * @few: so few blocks are in use that most of it must be holes
 *
 * The other members are 0 at first.
 *
 * @scan: its file system does not tell, so zeros are holes
 * @buf: what is being scanned
 */
struct holes {
	const struct fs *fs;
	int fd;
	off_t size;
	bool few;

	bool scan;
	char *buf;
};

/**
 * holes_next() - find the next part of a file that has data
 * @h: the file, of which fewer blocks are in use than its size takes
 * @off: where to begin
 * @data: start of the data, returned
 * @hole: end of the data, returned
 *
 * Return: 1, 0 when there is no more, or a negative error number
 */
long holes_next(struct holes *h, off_t off, off_t *data, off_t *hole);

/**
 * holes_end() - forget a file
 * @h: the file
 */
void holes_end(struct holes *h);

#endif /* HOLES_H */
