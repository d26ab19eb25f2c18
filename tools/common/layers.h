/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What may lie between a disk and a file system: md RAID, LUKS and LVM2, in any
 * order, one in another.
 */
#ifndef LAYERS_H
#define LAYERS_H

#include "device.h"
#include "key.h"

/* How deep layers may be nested, disks counted. */
#define LAYERS_MAX 16

/**
 * struct layers_disk - a disk, later what is to be used of it
 *
 * @file: its name, for messages
 * @dev: number of its device in the library's kernel, 0 for none
 */
struct layers_disk {
	const char *file;
	uint32_t dev;
};

/**
 * struct layers - the layers of an image
 *
 * @image: its name, for messages
 * @disks: its disks; layers_open() changes which devices they are
 * @disk_count: number of @disks
 * @lv: logical volume, VG/LV or LV, or NULL for the only one
 * @key: passphrase of what is encrypted
 * @readonly: the image is not to be changed
 * @writable: the devices can be written, if only in memory
 * @dash_o: the names of options are those of mount(8), in messages
 *
 * The other members are the layers' own, all 0 at first.
 *
 * @count: layers that are open
 * @arrays: whether one is an array, or else of the device mapper
 * @fds: descriptor of the array, or of the device mapper's control device
 */
struct layers {
	const char *image;
	struct layers_disk *disks;
	unsigned int disk_count;
	const char *lv;
	struct key *key;
	bool readonly;
	bool writable;
	bool dash_o;

	unsigned int count;
	bool arrays[LAYERS_MAX];
	int fds[LAYERS_MAX];
};

/**
 * struct volume - a logical volume, or what is in an array or behind a key
 *
 * @name: VG/LV, or ""
 * @size: its size
 * @dev: number of its device, 0 if it cannot be used
 * @found: what it holds
 */
struct volume {
	char name[256];
	uint32_t dev;
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
 * @l: the layers
 * @found: what is on the first disk then, returned
 *
 * Return: whether that is no further layer, or false when it has said why not
 */
bool layers_open(struct layers *l, struct probe *found);

/**
 * layers_list() - list what is in them
 * @l: the layers
 * @count: number of volumes, returned
 *
 * Return: the volumes, to be freed, or NULL when it has said why not
 */
struct volume *layers_list(struct layers *l, size_t *count);

/**
 * layers_close() - close what layers_open() has opened
 * @l: the layers, in which nothing is mounted
 */
void layers_close(struct layers *l);

#endif /* LAYERS_H */
