/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of RAM that are a snapshot's until they are changed. */
#ifndef POSIX_BORROW_H
#define POSIX_BORROW_H

#include <stdbool.h>

/* Some pages of RAM are borrowed. */
extern bool linux_borrows;

/* A kernel's RAM is there, of which nothing is borrowed; or it is gone. */
void linux_borrow_none(void);

/**
 * linux_borrow - let pages of RAM be those of a file
 * @ram: where in RAM
 * @size: how much
 * @fd: the file, which never changes
 * @offset: where in it
 *
 * linux_borrowed() must follow.
 *
 * Return: 0 or a negative error number
 */
int linux_borrow(unsigned long ram, unsigned long size, int fd,
		 unsigned long offset);

/* All is borrowed that will be. */
void linux_borrowed(void);

/**
 * linux_borrowed_own - pages of RAM are to be in the memory file that is RAM
 * @ram: where in RAM
 * @size: how much
 *
 * They are going to be shown under a second address, for example.  Nothing
 * changes them meanwhile.
 *
 * Return: 0 or a negative error number
 */
int linux_borrowed_own(unsigned long ram, unsigned long size);

/* The same before a kernel runs in the RAM, which has just been made. */
int linux_borrowed_own_early(unsigned long ram, unsigned long size);

/* The same for all of RAM; nothing in the kernel runs meanwhile. */
int linux_borrowed_settle(void);

#endif /* POSIX_BORROW_H */
