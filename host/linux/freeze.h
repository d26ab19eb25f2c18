/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the operations of the host that map memory tell while the kernel is
 * frozen.
 */
#ifndef POSIX_FREEZE_H
#define POSIX_FREEZE_H

#include <stdbool.h>

struct lkl_host_range;

/* A state is remembered, to which a reset returns. */
extern bool linux_frozen;

/**
 * linux_share - pages of RAM are about to be shown under a second address
 * @offset: where in RAM
 * @size: how much
 *
 * Return: 0 or a negative error number
 */
int linux_share(unsigned long offset, unsigned long size);

/* Something was mapped or unmapped in an area of the kernel's. */
void linux_note_mapping(unsigned long addr, unsigned long size);

/* A part of RAM was made inaccessible (@on), or accessible. */
void linux_note_guard(unsigned long addr, unsigned long size, bool on);

/* RAM is going to be unmapped. */
void linux_frozen_end(void);

/* No kernel runs in this process: forget what it has of its parent's. */
void linux_frozen_forget(void);

/* Operations of the host. */
int linux_freeze(const struct lkl_host_range *ranges, unsigned int count);
void linux_reset(void);
int linux_thaw(void);

#endif /* POSIX_FREEZE_H */
