/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What may lie between a disk and a file system: md RAID, LUKS and LVM2, in any
 * order, one in another.
 */
#ifndef LAYERS_H
#define LAYERS_H

#include "image.h"
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
 * struct volume - a logical volume, or what is in an array or behind a key
 *
 * @name: VG/LV, or ""
 * @size: its size
 * @found: what it holds
 */
struct volume {
	char name[256];
	unsigned long long size;
	struct probe found;
};

/**
 * layers_known() - can something be opened here?
 * @found: what it is
 */
bool layers_known(const struct probe *found);

/**
 * layers_open() - open the layers, and have the disks be what is in them
 * @img: the image, with the kernel running and the devices of its disks
 *
 * Return: false, or true when it has said why not
 */
bool layers_open(struct image *img);

/**
 * layers_list() - what is in there?
 * @img: the same
 * @count: number of volumes, returned
 *
 * Return: the volumes, to be freed, or NULL when it has said why not
 */
struct volume *layers_list(struct image *img, size_t *count);

/**
 * layers_close() - close what layers_open() has opened
 * @img: the image, unmounted
 */
void layers_close(struct image *img);

#endif /* LAYERS_H */
