/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef POSIX_MAPS_H
#define POSIX_MAPS_H

#include <stdbool.h>

/**
 * struct linux_mapping - what the host says is mapped
 * @addr: where
 * @size: how much
 * @offset: what it shows of a file
 * @prot: PROT_*
 * @shared: others see what is written to it
 */
struct linux_mapping {
	unsigned long addr;
	unsigned long size;
	unsigned long offset;
	int prot;
	bool shared;
};

/**
 * linux_each_mapping - what is mapped in the areas of the library's kernel
 * @fn: called for each in order of addresses; false if memory is short
 * @arg: passed to it
 *
 * Return: 0 or a negative error number
 */
int linux_each_mapping(bool (*fn)(const struct linux_mapping *m, void *arg),
		       void *arg);

#endif /* POSIX_MAPS_H */
