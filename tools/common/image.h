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
#include "probe.h"
#include "remote.h"

/**
 * struct image_disk - another disk of a file system that spans several
 *
 * @file: path of the image or block device, or NBD URI
 * @fd: the open image, or -1
 * @remote: what it is if it is no raw file
 * @disk: the library's disk
 * @id: its number
 */
struct image_disk {
	const char *file;
	int fd;
	struct remote *remote;
	struct lkl_disk disk;
	int id;
};

/**
 * struct image - what to mount, and the mount
 *
 * @file: path of the image or block device, or NBD URI
 * @type: file system, or NULL to find out
 * @options: mount options, or NULL
 * @more: other disks; the kernel sees them as /disk1, /disk2, ...
 * @more_count: number of @more
 * @part: partition, 0 for the whole disk, of all disks
 * @mem: memory of the kernel in MiB, 0 for what is usual
 * @part_option: how to choose @part, NULL for -P
 * @readonly: do not change the image
 * @verbose: show the kernel's messages
 * @sync: wait for the host's disk where the file system waits for its own
 * @fall_back: make it @readonly if the file system cannot be written
 * @console: keep the kernel's console, silent at first
 * @umask: what file systems without permissions take away
 * @fd: the open image, or what libblkid sees of it
 * @remote: what it is if it is no raw file
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
	struct image_disk *more;
	unsigned int more_count;
	unsigned int part;
	unsigned int mem;
	const char *part_option;
	bool readonly;
	bool verbose;
	bool sync;
	bool fall_back;
	bool console;
	mode_t umask;

	int fd;
	struct remote *remote;
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

/*
 * Options of the command line that all tools share: for getopt_long(), and for
 * the help.
 */
/* clang-format off */
#define IMAGE_OPTIONS "D:t:P:O:m:p"
#define IMAGE_LONG_OPTIONS \
	{ "disk", required_argument, NULL, 'D' }, \
	{ "type", required_argument, NULL, 't' }, \
	{ "partition", required_argument, NULL, 'P' }, \
	{ "options", required_argument, NULL, 'O' }, \
	{ "memory", required_argument, NULL, 'm' }, \
	{ "printk", no_argument, NULL, 'p' }
#define IMAGE_HELP \
	"  -D, --disk=FILE         another disk of the same file system\n" \
	"  -t, --type=TYPE         type of the file system (default: auto)\n" \
	"  -P, --partition=N       partition to use, 0 or none for the whole disk\n" \
	"  -O, --options=LIST      options to mount the file system with\n" \
	"  -m, --memory=MB         memory for the kernel (default: 256)\n" \
	"  -p, --printk            show the kernel's messages\n"
/* clang-format on */

/**
 * image_option() - take an option of the command line
 * @img: where it goes
 * @opt: what getopt_long() returned
 *
 * Return: false when it is none of those above
 */
bool image_option(struct image *img, int opt);

/**
 * image_open() - open and lock an image
 * @img: with the members above @fd set and the others 0
 *
 * Return: 0, or -1 when it has said why not; image_unmount() is due anyway
 */
int image_open(struct image *img);

/**
 * image_look() - have @fd show what libblkid looks at, whatever the image is
 * @img: the open image
 *
 * Return: 0, or -1 when it has said why not; image_unmount() is due anyway
 */
int image_look(struct image *img);

/**
 * image_start() - check and mount an open image
 * @img: the image
 *
 * Return: 0, or -1 when it has said why not; image_unmount() is due anyway
 */
int image_start(struct image *img);

/**
 * image_mount() - open, lock, check, and mount an image
 * @img: with the members above @fd set and the others 0
 *
 * Return: 0, or -1 when it has said why not; image_unmount() is due anyway
 */
int image_mount(struct image *img);

/**
 * image_log() - what the kernel has said since it began to mount the image
 *
 * Return: the text, to be freed
 */
char *image_log(void);

/**
 * image_unmount() - unmount an image, stop the kernel, close the image
 * @img: the image
 *
 * Return: 0, or -1 when it has said what went wrong
 */
int image_unmount(struct image *img);

#endif /* IMAGE_H */
