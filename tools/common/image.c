// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounts disk images.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contents.h"
#include "image.h"
#include "kernel.h"
#include "overlay.h"
#include "tool.h"

#define UNMOUNT_MS 10000
#define DEFAULT_MB 256
#define MOUNT_POINT "/mnt"

static int boot(struct image *img)
{
	long err;

	if (!img->verbose && !img->console)
		lkl_host_ops.print = NULL;
	err = lkl_init(&lkl_host_ops);
	img->inited = !err;
	for (unsigned int i = 0; err >= 0 && i < img->count; i++) {
		/* those of one file system are alike */
		if (!img->disks[i].sector)
			img->disks[i].sector = img->disks->sector;
		err = disk_add(&img->disks[i]);
	}
	if (err < 0)
		return kernel_failed(img->mem, err);
	if (kernel_start(img->mem, img->verbose, img->umask))
		return -1;
	img->booted = true;
	return 0;
}

int image_prepare(struct image *img)
{
	int err = kernel_prepare(img->mem, img->verbose);

	return err ? kernel_failed(img->mem, err) : 0;
}

/* Find out what is in the image, which is open. */
static int find_contents(struct image *img)
{
	struct probe found;

	if (image_look(img) || contents_find(img->disks, &img->part, img->type,
					     img->whole, img->dash_o, &found))
		return -1;
	strcpy(img->found, found.type);
	img->container = layers_known(&found);
	if (!img->type && !img->container)
		img->type = img->found;
	return 0;
}

/*
 * Unless asked to, do not wait for the host's disk at each commit of the
 * journal, as little as cp waits for it: tell the kernel that the disk has no
 * cache to be flushed.  The kernel takes 8 ms for that, and flushes nothing
 * that it only reads.
 */
static void tune_disk(const struct image *img, int id)
{
	unsigned int dev;
	char path[64];

	if (img->sync || img->readonly || lkl_get_virtio_blkdev(id, 0, &dev))
		return;
	snprintf(path, sizeof(path), "/sysfs/dev/block/%u:%u/queue/write_cache",
		 DEV_MAJOR(dev), DEV_MINOR(dev));
	kernel_set(path, "write through");
}

static void explain(struct image *img, long err)
{
	const char *type = img->type ?: img->found;
	char reason[256];

	kernel_reason(reason, sizeof(reason));
	if (err == -LKL_ENODEV)
		snprintf(reason, sizeof(reason),
			 "the kernel knows no such file system");
	else if (*img->found && strcmp(probe_kernel_type(img->found), type))
		snprintf(reason, sizeof(reason), "it contains %s", img->found);
	else if (!*img->found)
		snprintf(reason, sizeof(reason), "no file system found in it");
	else if (!*reason)
		snprintf(reason, sizeof(reason), "%s", lkl_strerror(err));
	if (img->part)
		tool_error("cannot mount partition %u of '%s' as %s: %s",
			   img->part, img->file, type, reason);
	else
		tool_error("cannot mount '%s' as %s: %s", img->file, type,
			   reason);
}

/* Find the devices of the disks; 0 or a negative error number. */
static long find_disks(struct image *img)
{
	for (unsigned int i = 0; i < img->count; i++) {
		struct disk *d = &img->disks[i];
		long err;

		tune_disk(img, d->id);
		d->dev = 0;
		err = lkl_get_virtio_blkdev(d->id, img->part, &d->dev);
		/* the file system misses the others, and says so */
		if (err && !i)
			return err;
	}
	return 0;
}

/*
 * Make the nodes of all disks.  Returns the mount options, which for btrfs name
 * them; it does not look around for its disks.
 */
static char *make_nodes(const struct image *img)
{
	bool named = !strcmp(img->type, "btrfs");
	const char *given = img->options ? img->options : "";
	char *options = tool_alloc(NULL, strlen(given) + 32 * img->count + 1);
	char *end = options + sprintf(options, "%s", given);

	for (unsigned int i = 0; i < img->count; i++) {
		char node[32];

		snprintf(node, sizeof(node), "/disk%u", i);
		lkl_sys_unlinkat(LKL_AT_FDCWD, node, 0);
		if (!img->disks[i].dev)
			continue;
		lkl_sys_mknodat(LKL_AT_FDCWD, node, S_IFBLK | 0600,
				img->disks[i].dev);
		if (i && named)
			end += sprintf(end, "%sdevice=%s",
				       end > options ? "," : "", node);
	}
	return options;
}

/* Tell the layers which disks they are on. */
static void begin_layers(struct image *img)
{
	struct layers *l = &img->layers;

	l->image = img->file;
	l->disk_count = img->count;
	l->disks = tool_alloc(NULL, img->count * sizeof(*l->disks));
	for (unsigned int i = 0; i < img->count; i++)
		l->disks[i] = (struct layers_disk){ img->disks[i].file,
						    img->disks[i].dev };
	l->lv = img->lv;
	l->key = &img->key;
	l->readonly = img->readonly;
	l->writable = !img->readonly || img->disks->overlay;
	l->dash_o = img->dash_o;
}

static void end_layers(struct image *img)
{
	layers_close(&img->layers);
	free(img->layers.disks);
	img->layers.disks = NULL;
}

/* Go down to the file system; false when it has said why it cannot. */
static bool open_layers(struct image *img)
{
	bool given = img->type && img->type != img->found;
	struct probe found;

	begin_layers(img);
	if (!layers_open(&img->layers, &found))
		return false;
	for (unsigned int i = 0; i < img->count; i++)
		img->disks[i].dev = img->layers.disks[i].dev;
	if (!given && (!*found.type || found.other)) {
		tool_error("'%s' contains %s, which is not a file system",
			   img->file, img->found);
		return false;
	}
	strcpy(img->found, found.type);
	if (!given)
		img->type = img->found;
	return true;
}

/* 0, 1 when it has said why not, or a negative error number. */
static long mount_once(struct image *img)
{
	char *options;
	long err;

	kernel_clear_log();
	err = find_disks(img);
	if (err)
		return err;
	if (img->container && !open_layers(img))
		return 1;
	img->type = probe_kernel_type(img->type);
	options = make_nodes(img);
	lkl_sys_mkdirat(LKL_AT_FDCWD, MOUNT_POINT, 0700);
	err = lkl_sys_mount("/disk0", MOUNT_POINT, (char *)img->type,
			    img->readonly ? LKL_MS_RDONLY : LKL_MS_NOATIME,
			    options);
	free(options);
	if (!err)
		strcpy(img->mnt, MOUNT_POINT);
	return err;
}

/*
 * Was the image refused only because it cannot be written?  A journal is to be
 * replayed, which btrfs calls an I/O error, or xfs wants to write to a disk
 * that has only its journal or realtime data.
 */
static bool needs_writing(struct image *img, long err)
{
	if (!img->readonly)
		return false;
	return err == -LKL_EROFS || (err == -LKL_EACCES && img->count > 1) ||
	       (err == -LKL_EIO && kernel_said("log replay required"));
}

/* From now on what is written stays in memory. */
static long use_overlays(struct image *img)
{
	end_layers(img);
	for (unsigned int i = 0; i < img->count; i++) {
		long err = disk_overlay(&img->disks[i]);

		if (err < 0)
			return err;
	}
	return 0;
}

static long mount_overlay(struct image *img)
{
	long err = use_overlays(img);

	return err ? err : mount_once(img);
}

static int cannot_write(const struct image *img)
{
	tool_error("cannot write to '%s': read-only file system (%s)",
		   img->file, img->type);
	return -1;
}

static int mount_type(struct image *img)
{
	struct lkl_statfs sfs;
	bool replay;
	long err;

	err = mount_once(img);
	if (needs_writing(img, err)) {
		replay = err != -LKL_EACCES;
		err = mount_overlay(img);
		if (!err && (replay || kernel_said("Starting recovery")))
			tool_warn("'%s' was not unmounted cleanly; its journal "
				  "is replayed in memory only",
				  img->file);
	}
	if (!img->readonly && (err == -LKL_EROFS || err == -LKL_EACCES)) {
		/* only the file system itself forbids it, like a seed of
		 * btrfs */
		if (!img->fall_back)
			return cannot_write(img);
		img->readonly = true;
		err = mount_once(img);
	}
	if (err) {
		if (err < 0)
			explain(img, err);
		return -1;
	}
	key_forget(&img->key);
	img->root = lkl_sys_openat(LKL_AT_FDCWD, img->mnt,
				   LKL_O_PATH | LKL_O_DIRECTORY, 0);
	if (img->root < 0) {
		tool_file_error("cannot open", img->file, "/", img->root);
		return -1;
	}
	img->fs = fs_image(img->file, img->root);
	if (!img->readonly && !lkl_sys_statfs(img->mnt, &sfs) &&
	    sfs.f_flags & 1 /* ST_RDONLY */) {
		if (img->fall_back) {
			img->readonly = true;
			return 0;
		}
		return cannot_write(img);
	}
	return 0;
}

/* The first disk is the image. */
static void add_disk(struct image *img, const char *file)
{
	img->disks =
		tool_alloc(img->disks, (img->count + 1) * sizeof(*img->disks));
	img->disks[img->count++] =
		(struct disk){ .file = file, .fd = -1, .id = -1 };
}

bool image_option(struct image *img, int opt)
{
	switch (opt) {
	case 'D':
		if (!img->count)
			add_disk(img, NULL);
		add_disk(img, optarg);
		return true;
	case 't':
		img->type = strcmp(optarg, "auto") ? optarg : NULL;
		return true;
	case 'P':
		img->part = strcmp(optarg, "none")
				    ? tool_number(optarg, 255, "partition")
				    : 0;
		img->whole = !img->part;
		return true;
	case 'L':
		img->lv = optarg;
		return true;
	case 'K':
		img->key.file = optarg;
		return true;
	case 'O':
		img->options = optarg;
		return true;
	case 'm':
		img->mem = tool_number(optarg, 1 << 20, "memory size");
		if (!img->mem)
			tool_usage_error("invalid memory size: '%s'", optarg);
		return true;
	case 'p':
		img->verbose = true;
		return true;
	case 'Z':
		img->sector = tool_number(optarg, 4096, "sector size");
		if (img->sector < DISK_SECTOR ||
		    img->sector & (img->sector - 1))
			tool_usage_error("invalid sector size: '%s'", optarg);
		return true;
	case 'T':
		img->trust = true;
		return true;
	case 'N':
		img->no_sandbox = true;
		return true;
	case 'I':
		img->inspect = true;
		return true;
	default:
		return false;
	}
}

static bool same_file(const char *path, const struct stat *st)
{
	struct stat now;

	return path && !stat(path, &now) && now.st_dev == st->st_dev &&
	       now.st_ino == st->st_ino;
}

bool image_is(const struct image *img, const struct stat *st)
{
	if (same_file(img->file, st))
		return true;
	for (unsigned int i = 0; i < img->count; i++) {
		const struct stat *open = &img->disks[i].st;

		if (same_file(img->disks[i].file, st) ||
		    (open->st_ino == st->st_ino && open->st_dev == st->st_dev))
			return true;
	}
	return false;
}

int image_open(struct image *img)
{
	img->root = -1;
	if (!img->mem)
		img->mem = DEFAULT_MB;
	if (!img->count)
		add_disk(img, NULL);
	img->disks->file = img->file;
	for (unsigned int i = 0; i < img->count; i++) {
		img->disks[i].sector = img->sector;
		img->disks[i].locked = img->locked;
		if (disk_open(&img->disks[i], img->readonly, img->trust,
			      img->lock_ms))
			return -1;
	}
	return 0;
}

void image_again(struct image *img, const struct image *open)
{
	img->root = -1;
	img->shared = true;
	img->file = open->file;
	img->mem = open->mem;
	img->count = open->count;
	img->disks = tool_alloc(NULL, img->count * sizeof(*img->disks));
	for (unsigned int i = 0; i < img->count; i++)
		img->disks[i] = disk_again(&open->disks[i]);
}

int image_look(struct image *img)
{
	return disk_look(img->disks);
}

/* As the system in the image mounts it. */
static int mount_system(struct image *img)
{
	struct inspect *in = &img->system;

	if (img->whole) {
		tool_error("the whole disk cannot be chosen with --inspect");
		return -1;
	}
	for (unsigned int i = 0; i < img->count; i++)
		tune_disk(img, img->disks[i].id);
	/* journals of some that cannot be written are replayed as well */
	if (img->readonly && use_overlays(img)) {
		tool_error("cannot read '%s': %s", img->file,
			   lkl_strerror(-LKL_ENOMEM));
		return -1;
	}
	in->sources.image = img->file;
	in->sources.disks = img->disks;
	in->sources.disk_count = img->count;
	in->sources.key = &img->key;
	in->sources.readonly = img->readonly;
	in->sources.writable = true;
	in->part = img->part;
	in->lv = img->lv;
	in->options = img->options;
	if (inspect_open(in, MOUNT_POINT))
		return -1;
	key_forget(&img->key);
	img->type = img->system.mounts->source->found.type;
	img->root = in->root;
	img->fs = fs_image(img->file, img->root);
	return 0;
}

int image_start(struct image *img)
{
	if (img->inspect)
		return image_look(img) || boot(img) ? -1 : mount_system(img);
	if (find_contents(img) || boot(img))
		return -1;
	return mount_type(img);
}

int image_attach(struct image *img)
{
	long err;

	if (find_contents(img) || boot(img))
		return -1;
	err = use_overlays(img) ?: find_disks(img);
	if (err) {
		explain(img, err);
		return -1;
	}
	/* the host's programs know only one disk */
	if (img->container && !open_layers(img))
		return -1;
	return 0;
}

int image_changed(struct image *img)
{
	int changed = 0;

	end_layers(img);
	for (unsigned int i = 0; i < img->count && changed >= 0; i++)
		changed |= overlay_changed(img->disks[i].overlay);
	if (changed < 0)
		tool_file_error("error reading", NULL, img->file, -EIO);
	return changed;
}

int image_commit(struct image *img)
{
	end_layers(img);
	for (unsigned int i = 0; i < img->count; i++) {
		if (!overlay_commit(img->disks[i].overlay))
			continue;
		tool_file_error("error writing", NULL, img->file, -EIO);
		return -1;
	}
	return 0;
}

struct volume *image_volumes(struct image *img, size_t *count)
{
	long err;

	*count = 0;
	if (find_contents(img) || boot(img))
		return NULL;
	err = find_disks(img);
	if (!err) {
		begin_layers(img);
		return layers_list(&img->layers, count);
	}
	explain(img, err);
	return NULL;
}

int image_mount(struct image *img)
{
	return image_open(img) || image_start(img) ? -1 : 0;
}

int image_unmount(struct image *img)
{
	long err = 0;

	if (img->inspect && img->booted)
		err = inspect_close(&img->system);
	else if (img->root >= 0)
		lkl_sys_close(img->root);
	if (*img->mnt)
		err = lkl_umount_timeout(img->mnt, 0, UNMOUNT_MS);
	if (err < 0)
		tool_error("cannot unmount '%s': %s", img->file,
			   lkl_strerror(err));
	if (img->booted) {
		end_layers(img);
		lkl_sys_halt();
	}
	for (unsigned int i = 0; i < img->count; i++) {
		if (img->disks[i].id >= 0)
			lkl_disk_remove(img->disks[i].disk);
	}
	if (img->inited)
		lkl_cleanup();
	for (unsigned int i = 0; i < img->count; i++) {
		if (img->shared)
			disk_free(&img->disks[i]);
		else if (disk_close(&img->disks[i],
				    img->sync && !img->readonly))
			err = -1;
	}
	free(img->disks);
	key_forget(&img->key);
	return err < 0 ? -1 : 0;
}
