/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Block devices of the library's kernel.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "probe.h"

/* Device numbers as mknod() takes them. */
#define DEV(major, minor)                                                      \
	(((minor)&0xff) | (major) << 8 | ((minor) & ~0xffU) << 12)
#define DEV_MAJOR(dev) ((dev) >> 8 & 0xfff)
#define DEV_MINOR(dev) (((dev)&0xff) | ((dev) >> 12 & 0xfff00))

/**
 * struct device - a device of the library's kernel, open
 *
 * @dev: its number
 * @fd: descriptor of the library's
 * @size: its size
 */
struct device {
	uint32_t dev;
	int fd;
	unsigned long long size;
};

/**
 * device_open() - open a device to read it
 * @d: filled in
 * @dev: its number
 *
 * Return: false when it has said why not
 */
bool device_open(struct device *d, uint32_t dev);

/**
 * device_close() - undo that
 * @d: the device
 */
void device_close(struct device *d);

/**
 * device_read() - read from a device
 * @handle: the device
 * @buf: where to
 * @len: how much
 * @pos: from where
 *
 * Return: whether all of it could be read
 */
bool device_read(void *handle, void *buf, size_t len, off_t pos);

/**
 * device_node() - open any device by its number
 * @type: LKL_S_IFBLK or LKL_S_IFCHR
 * @dev: its number
 * @flags: as of open()
 *
 * Return: descriptor of the library's, or a negative error number
 */
int device_node(uint32_t type, uint32_t dev, int flags);

/**
 * device_look() - open a device and have libblkid look at it
 * @d: filled in
 * @dev: its number
 * @found: what is on it
 *
 * Return: false when it has said why not
 */
bool device_look(struct device *d, uint32_t dev, struct probe *found);

#endif /* DEVICE_H */
