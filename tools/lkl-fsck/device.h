/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device of the library's kernel as a file of the host's, through FUSE.
 */
#ifndef FSCK_DEVICE_H
#define FSCK_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

struct shown;

/**
 * shown_new() - show a device
 * @dev: its number
 * @name: name of the file
 * @readonly: it cannot be written
 * @fuse: descriptor of /dev/fuse, which is mounted; it belongs to the result
 *
 * Return: what to give to shown_free(), or NULL when it has said why not
 */
struct shown *shown_new(uint32_t dev, const char *name, bool readonly,
			int fuse);

/**
 * shown_free() - write what has been written to the device, and show it no more
 * @s: what is shown, which is mounted no more
 *
 * Return: 0, or -1 when it has said what went wrong
 */
int shown_free(struct shown *s);

#endif /* FSCK_DEVICE_H */
