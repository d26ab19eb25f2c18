/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Disks that are no raw files: what an NBD server has, and images in formats
 * that qemu-nbd knows.
 */
#ifndef REMOTE_H
#define REMOTE_H

#include <lkl_host.h>
#include <stdbool.h>
#include <sys/types.h>

/**
 * struct remote - a disk behind an NBD server
 *
 * @disk: for lkl_disk_add()
 * @size: its size
 * @sector: size of its sectors, or 0 if that is not known
 * @file: the locked image, or -1
 * @server: reads the end of the qemu-nbd that was started, or -1
 */
struct remote {
	struct lkl_disk disk;
	unsigned long long size;
	unsigned int sector;
	int file;
	int server;
};

/**
 * remote_is_uri() - is this no file, but an NBD URI?
 * @name: what the user calls the image
 */
bool remote_is_uri(const char *name);

/**
 * remote_format() - does it take qemu-nbd to read a file?
 * @file: the open file
 *
 * Return: the format by how it begins, or NULL
 */
const char *remote_format(int file);

/**
 * remote_open() - connect to the disk that a server has
 * @uri: where it is
 *
 * Return: the disk, or NULL when it has said why not
 */
struct remote *remote_open(const char *uri);

/**
 * remote_start() - start qemu-nbd for an image, and connect
 * @name: the image
 * @file: its descriptor, which belongs to the result
 * @readonly: do not change it
 * @trust: let the image name other files and servers
 *
 * Return: the disk, or NULL when it has said why not
 */
struct remote *remote_start(const char *name, int file, bool readonly,
			    bool trust);

/**
 * remote_serve() - have qemu-nbd give an image to others until they have left
 * @name: the image
 * @file: its locked descriptor
 * @readonly: do not change it
 * @trust: let the image name other files and servers
 * @path: the socket to make; it is removed in the end
 *
 * Prints the URI once clients can connect.
 *
 * Return: 0, or -1 when it has said why not
 */
int remote_serve(const char *name, int file, bool readonly, bool trust,
		 const char *path);

/**
 * remote_outline() - what libblkid needs to see of a disk
 * @r: the disk
 * @sector: size of its sectors, or 0 if that is not known
 *
 * Return: as of probe_outline()
 */
int remote_outline(struct remote *r, unsigned int sector);

/**
 * remote_close() - disconnect, and let qemu-nbd finish
 * @r: the disk, NULL for none
 */
void remote_close(struct remote *r);

#endif /* REMOTE_H */
