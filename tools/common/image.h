/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A disk image, mounted in the library's kernel.
 *
 * Everything that can be known without a kernel (is it a file, is it free,
 * what is in it) is found out first, so that a mistake is reported in a few
 * milliseconds and in plain words.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <lkl.h>
#include <lkl_host.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "fs.h"

/**
 * struct image - what to mount, and the mount
 *
 * @file: path of the image or block device
 * @type: file system, or NULL to find out
 * @options: mount options, or NULL
 * @part: partition, 0 for the whole disk
 * @mem: memory of the kernel in MiB
 * @readonly: do not change the image
 * @verbose: show the kernel's messages
 * @sync: wait for the host's disk where the file system waits for its own
 * @fd: the open image
 * @st: its stat
 * @size: its size
 * @found: type libblkid found, or ""
 * @disk: the library's disk
 * @disk_id: its number
 * @inited: lkl_init() has been called
 * @booted: the kernel runs
 * @overlay: private copy of the image in memory that takes a journal's replay
 * @mnt: where it is mounted, "" when it is not
 * @root: descriptor of the root directory
 * @fs: the files in it
 */
struct image {
	const char *file;
	const char *type;
	const char *options;
	unsigned int part;
	unsigned int mem;
	bool readonly;
	bool verbose;
	bool sync;

	int fd;
	struct stat st;
	unsigned long long size;
	char found[32];
	struct lkl_disk disk;
	int disk_id;
	bool inited;
	bool booted;
	void *overlay;
	char mnt[64];
	int root;
	const struct fs *fs;
};

/**
 * image_mount() - open, lock, check, and mount an image
 * @img: with the members above @fd set and the others 0
 *
 * Return: 0, or -1 when it has said why not; image_unmount() is due anyway
 */
int image_mount(struct image *img);

/**
 * image_unmount() - unmount an image, stop the kernel, close the image
 * @img: the image
 *
 * Return: 0, or -1 when it has said what went wrong
 */
int image_unmount(struct image *img);

#endif /* IMAGE_H */
