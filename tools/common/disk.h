/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The disks of an image: files, block devices and NBD servers of the host.
 */
#ifndef DISK_H
#define DISK_H

#include <lkl_host.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "remote.h"

/* The unit of partition tables, and of sizes of Linux. */
#define DISK_SECTOR 512

/**
 * struct disk - a disk that the file system is on
 *
 * @file: path of the image or block device, or NBD URI
 * @fd: the open image, or -1
 * @locked: the caller has locked it
 * @st: its stat
 * @remote: what it is if it is no raw file
 * @size: its size
 * @sector: size of its sectors, or 0 as long as that is not known
 * @sectors: has the library's disk offer them
 * @overlay: private copy in memory that takes a journal's replay
 * @disk: the library's disk
 * @id: its number
 * @dev: number of the device, in the library's kernel, that is to be mounted,
 *	0 for none
 */
struct disk {
	const char *file;
	int fd;
	bool locked;
	struct stat st;
	struct remote *remote;
	unsigned long long size;
	unsigned int sector;
	struct sectors *sectors;
	struct overlay *overlay;
	struct lkl_disk disk;
	int id;
	uint32_t dev;
};

/**
 * disk_open() - open and lock a disk
 * @d: the disk, of which @file is set, @sector may be, and @fd is -1
 * @readonly: do not change it
 * @trust: let an image name other files and servers
 * @lock_ms: wait so long for another program to release it, in milliseconds
 *
 * Return: 0, or -1 when it has said why not; call disk_close() in either case
 */
int disk_open(struct disk *d, bool readonly, bool trust, unsigned int lock_ms);

/**
 * disk_serve() - lock an image, and give it to clients of the NBD protocol
 * @d: the disk, of which @file is set and @fd is -1
 * @readonly: do not change it
 * @trust: let an image name other files and servers
 * @socket: name of the socket to make for them
 *
 * Return: 0 when the last client has left, or -1 when it has said why not; call
 * disk_close() in either case
 */
int disk_serve(struct disk *d, bool readonly, bool trust, const char *socket);

/**
 * disk_look() - let @fd show what libblkid reads, also of a remote disk
 * @d: the open disk
 *
 * Return: 0, or -1 when it has said why not
 */
int disk_look(struct disk *d);

/**
 * disk_add() - add a disk to the library
 * @d: the open disk
 *
 * Return: number of the disk, or a negative error number
 */
long disk_add(struct disk *d);

/**
 * disk_overlay() - keep in memory what is written to a disk from now on
 * @d: the added disk, which no file system uses
 *
 * Return: number of the disk, or a negative error number
 */
long disk_overlay(struct disk *d);

/**
 * disk_again() - use an open disk for another kernel
 * @d: the disk, which no kernel has
 *
 * Return: the same disk, for disk_add() and disk_free(), but not to be closed
 */
struct disk disk_again(const struct disk *d);

/**
 * disk_free() - free what disk_add() and disk_overlay() have made
 * @d: the disk, which is not in use any more
 */
void disk_free(struct disk *d);

/**
 * disk_close() - close a disk, which the library does not have any more
 * @d: the disk
 * @sync: wait until what was written is on the host's disk
 *
 * Return: 0, or a negative error number when it has said what went wrong
 */
int disk_close(struct disk *d, bool sync);

#endif /* DISK_H */
