/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that is on the disks of an image: partitions, and what layers in them
 * hold.
 */
#ifndef SOURCES_H
#define SOURCES_H

#include "disk.h"
#include "layers.h"

#define SOURCES_LAYERS 16

/**
 * struct source - something that may be mounted
 *
 * @disk: number of the disk
 * @part: partition it is, or is in, 0 for the whole disk
 * @volume: name of the logical volume, VG/LV, or ""
 * @dev: number of its device in the library's kernel
 * @found: what libblkid finds
 * @part_uuid: UUID of the partition, or ""
 * @part_name: name of the partition, or ""
 * @holder: UUID of the layer that it is in, or ""
 * @opened: it is a layer that has been opened
 */
struct source {
	unsigned int disk;
	unsigned int part;
	char volume[256];
	uint32_t dev;
	struct probe found;
	char part_uuid[64];
	char part_name[128];
	char holder[64];
	bool opened;
};

/**
 * struct sources - all of them
 *
 * @image: name of the image, for messages
 * @disks: its disks, which the library's kernel has
 * @disk_count: number of @disks
 * @key: passphrase of what is encrypted
 * @readonly: the image is not to be changed
 * @writable: the devices can be written, if only in memory
 *
 * The other members are its own, all 0 at first.
 *
 * @list: the sources
 * @count: number of @list
 * @layers: what is open
 * @layer_count: number of @layers
 */
struct sources {
	const char *image;
	struct disk *disks;
	unsigned int disk_count;
	struct key *key;
	bool readonly;
	bool writable;

	struct source *list;
	size_t count;
	struct layers layers[SOURCES_LAYERS];
	unsigned int layer_count;
};

/**
 * sources_open() - find all that needs no passphrase
 * @s: with the members up to @writable set
 *
 * Return: 0, or -1 when it has said why not; call sources_close() in any case
 */
int sources_open(struct sources *s);

/**
 * sources_locked() - is there something encrypted that has not been opened?
 * @s: the sources
 *
 * Return: whether there is
 */
bool sources_locked(const struct sources *s);

/**
 * sources_unlock() - open what is encrypted
 * @s: the sources
 *
 * Return: 0, or -1 when it has said why not
 */
int sources_unlock(struct sources *s);

/**
 * sources_close() - close all layers
 * @s: the sources, of which none is mounted
 */
void sources_close(struct sources *s);

/**
 * source_mountable() - may there be a file system?
 * @source: the source
 *
 * Return: whether there may
 */
bool source_mountable(const struct source *source);

/**
 * source_name() - how people call it
 * @source: the source
 *
 * Return: "partition 2", "vg0/root", "the disk"; valid until the next call
 */
const char *source_name(const struct source *source);

#endif /* SOURCES_H */
