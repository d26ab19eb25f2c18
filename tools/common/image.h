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
#include <sys/types.h>

#include "disk.h"
#include "fs.h"
#include "inspect.h"
#include "layers.h"

/**
 * struct image - what to mount, and the mount
 *
 * @file: path of the image or block device, or NBD URI
 * @type: file system, or NULL to find out
 * @options: mount options, or NULL
 * @disks: the image and other disks; the kernel sees those as /disk1, /disk2,
 *	and so on
 * @count: number of @disks
 * @part: partition, of all disks, 0 to find the only one with a file system
 * @whole: without partition it is the whole disk
 * @lv: logical volume, VG/LV or LV, or NULL for the only one
 * @key: passphrase of what is encrypted
 * @sector: size of the sectors of all disks, or 0 to find out
 * @mem: memory of the kernel in MiB, 0 for what is usual
 * @trust: let an image name other files and servers
 * @dash_o: the names of options are those of mount(8), in messages
 * @readonly: do not change the image
 * @verbose: show the kernel's messages
 * @sync: wait for the host's disk where the file system waits for its own
 * @locked: the caller has locked it, for longer than it is open
 * @lock_ms: wait so long for another program to release the image, in ms
 * @fall_back: make it @readonly if the file system cannot be written
 * @console: keep the kernel's console, silent at first
 * @inspect: mount the system in it as that mounts itself; then @part and @lv
 *	say where it is
 * @no_sandbox: do not confine what runs the kernel
 * @umask: what file systems without permissions take away
 * @shared: the disks are those of another image, which has them open
 * @found: type libblkid found, or ""
 * @container: it is not that of a file system, but of what holds one
 * @layers: what lies between the disks and the file system
 * @system: the system, if @inspect is set
 * @inited: lkl_init() has been called
 * @booted: the kernel runs
 * @mnt: where it is mounted, "" when it is not
 * @root: descriptor of the root directory
 * @fs: the files in it
 */
struct image {
	const char *file;
	const char *type;
	const char *options;
	struct disk *disks;
	unsigned int count;
	unsigned int part;
	bool whole;
	const char *lv;
	struct key key;
	unsigned int sector;
	unsigned int mem;
	bool trust;
	bool dash_o;
	bool readonly;
	bool verbose;
	bool sync;
	bool locked;
	unsigned int lock_ms;
	bool fall_back;
	bool console;
	bool inspect;
	bool no_sandbox;
	mode_t umask;
	bool shared;

	char found[32];
	bool container;
	struct layers layers;
	struct inspect system;
	bool inited;
	bool booted;
	char mnt[64];
	int root;
	const struct fs *fs;
};

/*
 * Options of the command line that all tools share: for getopt_long(), and for
 * the help.  What is confined has one more.
 */
/* clang-format off */
#define IMAGE_OPTIONS "D:t:P:L:K:O:m:p"
#define DISK_LONG_OPTIONS \
	{ "disk", required_argument, NULL, 'D' }, \
	{ "type", required_argument, NULL, 't' }, \
	{ "partition", required_argument, NULL, 'P' }, \
	{ "lv", required_argument, NULL, 'L' }, \
	{ "key-file", required_argument, NULL, 'K' }, \
	{ "memory", required_argument, NULL, 'm' }, \
	{ "printk", no_argument, NULL, 'p' }, \
	{ "sector-size", required_argument, NULL, 'Z' }, \
	{ "trust-image", no_argument, NULL, 'T' }
/* And what says how to mount. */
#define IMAGE_LONG_OPTIONS DISK_LONG_OPTIONS, \
	{ "options", required_argument, NULL, 'O' }, \
	{ "inspect", no_argument, NULL, 'I' }
#define SANDBOX_LONG_OPTION { "no-sandbox", no_argument, NULL, 'N' }
#define IMAGE_HELP \
	"  -D, --disk=FILE         another disk of the same file system\n" \
	"  -t, --type=TYPE         type of the file system (default: auto)\n" \
	"  -P, --partition=N       partition to use (default: the only one with a\n" \
	"                          file system), 0 or none for the whole disk\n" \
	"  -L, --lv=VG/LV          logical volume of LVM to use\n" \
	"  -K, --key-file=FILE     passphrase of LUKS (default: ask)\n" \
	"  -O, --options=LIST      options to mount the file system with\n" \
	"  -m, --memory=MB         memory for the kernel (default: 256)\n" \
	"  -p, --printk            show the kernel's messages\n" \
	"      --sector-size=N     size of the sectors of the disk (default: find out)\n" \
	"      --trust-image       let the image name other files and servers\n" \
	"      --inspect           find the system in the image, and mount what its\n" \
	"                          fstab says\n"
#define SANDBOX_HELP \
	"      --no-sandbox        do not confine the process that reads the image\n"
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
 * image_is() - is this one of the image's files?
 * @img: the image, which need not be open
 * @st: what fstat() says of a file of the host's
 *
 * Return: whether it is, so that nothing else may take its place
 */
bool image_is(const struct image *img, const struct stat *st);

/**
 * image_open() - open and lock an image
 * @img: with the members above @found set and the others 0
 *
 * Return: 0, or -1 when it has said why not; call image_unmount() in either
 * case
 */
int image_open(struct image *img);

/**
 * image_again() - use the disks of an open image for another mount
 * @img: the other, with nothing of that set; not to be opened
 * @open: the image, which stays open at least as long, and is not mounted
 */
void image_again(struct image *img, const struct image *open);

/**
 * image_prepare() - do what image_start() cannot do in a sandbox
 * @img: the open image
 *
 * Return: 0, or -1 when it has said why not
 */
int image_prepare(struct image *img);

/**
 * image_look() - have each fd show what libblkid looks at, whatever the image
 * is
 * @img: the open image
 *
 * Return: 0, or -1 when it has said why not; call image_unmount() in either
 * case
 */
int image_look(struct image *img);

/**
 * image_start() - check and mount an open image
 * @img: the image
 *
 * Return: 0, or -1 when it has said why not; call image_unmount() in either
 * case
 */
int image_start(struct image *img);

/**
 * image_attach() - have the library's kernel know the device of the file system
 * @img: the open image; what is written stays in memory until image_commit()
 *
 * Return: 0, or -1 when it has said why not; call image_unmount() in either
 * case
 */
int image_attach(struct image *img);

/**
 * image_changed() - would image_commit() change the image?
 * @img: the image, whose device is not open, and has no layers any more
 *
 * Return: whether it would, or -1 when it has said what went wrong
 */
int image_changed(struct image *img);

/**
 * image_commit() - write what has been kept in memory to the image
 * @img: as for image_changed()
 *
 * Return: 0, or -1 when it has said what went wrong
 */
int image_commit(struct image *img);

/**
 * image_volumes() - list what an open image holds, which is a container
 * @img: the image
 * @count: number of volumes, returned
 *
 * Return: the volumes, to be freed, or NULL when it has said why not;
 * call image_unmount() in either case
 */
struct volume *image_volumes(struct image *img, size_t *count);

/**
 * image_mount() - open, lock, check, and mount an image
 * @img: with the members above @found set and the others 0
 *
 * Return: 0, or -1 when it has said why not; call image_unmount() in either
 * case
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
