/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device mapper of the library's kernel.
 */
#ifndef DM_H
#define DM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct table - what the device mapper shall make a device of
 *
 * @buf: the arguments of its ioctl
 * @len: bytes of that in use
 * @count: number of targets
 * @sectors: their length
 */
struct table {
	char *buf;
	size_t len;
	unsigned int count;
	unsigned long long sectors;
};

/**
 * table_add() - add a target behind the others
 * @t: the table, all 0 at first
 * @type: name of the target
 * @sectors: length
 * @fmt: as for printf(): its parameters
 */
void table_add(struct table *t, const char *type, unsigned long long sectors,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/**
 * table_free() - forget a table, and keys in it
 * @t: the table
 */
void table_free(struct table *t);

/**
 * dm_create() - make a device of a table
 * @t: the table
 * @n: number that the device gets in its name
 * @readonly: it cannot be written
 * @dev: its device number, returned
 *
 * Return: descriptor for dm_remove(), or a negative error number
 */
int dm_create(struct table *t, unsigned int n, bool readonly, uint32_t *dev);

/**
 * dm_remove() - undo dm_create()
 * @fd: what it returned; stays open
 * @n: the same number
 *
 * Return: 0 or a negative error number, -LKL_EBUSY when it may succeed later
 */
long dm_remove(int fd, unsigned int n);

#endif /* DM_H */
