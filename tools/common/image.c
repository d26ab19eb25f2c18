// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounts disk images.
 */
#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "image.h"
#include "overlay.h"
#include "sector.h"
#include "tool.h"

#define SECTOR 512
#define UNMOUNT_MS 10000
#define LOCK_STEP_MS 20
#define LOG_SIZE (1 << 18)
#define DEFAULT_MB 256
#define MOUNT_POINT "/mnt"

/* Actions of syslog(2), for which the kernel exports no names. */
#define SYSLOG_READ_ALL 3
#define SYSLOG_CLEAR 5

/* What the kernel calls a file system that libblkid or people call @type. */
static const char *kernel_type(const char *type)
{
	return strcmp(type, "ntfs") ? type : "ntfs3";
}

/* Has another program the image, and is there time to wait until it ends? */
static bool wait_for_image(unsigned int *ms)
{
	if ((errno != EWOULDBLOCK && errno != EBUSY) || *ms < LOCK_STEP_MS)
		return false;
	poll(NULL, 0, LOCK_STEP_MS);
	*ms -= LOCK_STEP_MS;
	return true;
}

/* Open and lock a raw image. */
static int open_file(const struct image *img, struct image_disk *d)
{
	int flags = (img->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC;
	int lock = (img->readonly ? LOCK_SH : LOCK_EX) | LOCK_NB;
	unsigned int ms = img->lock_ms;
	int sector;

	/* O_EXCL: not a block device that the host has mounted */
	if (!img->readonly && !stat(d->file, &d->st) && S_ISBLK(d->st.st_mode))
		flags |= O_EXCL;
	do
		d->fd = open(d->file, flags | O_NONBLOCK);
	while (d->fd < 0 && wait_for_image(&ms));
	if (d->fd < 0 || fstat(d->fd, &d->st)) {
		tool_file_error("cannot open", NULL, d->file, -errno);
		return -1;
	}
	if (!S_ISREG(d->st.st_mode) && !S_ISBLK(d->st.st_mode)) {
		if (S_ISDIR(d->st.st_mode))
			tool_file_error("cannot open", NULL, d->file, -EISDIR);
		else
			tool_error("'%s' is neither a file nor a block device",
				   d->file);
		return -1;
	}
	while (flock(d->fd, lock)) {
		if (wait_for_image(&ms))
			continue;
		if (errno == EWOULDBLOCK)
			tool_error("'%s' is in use by another program",
				   d->file);
		else
			tool_file_error("cannot lock", NULL, d->file, -errno);
		return -1;
	}
	d->size = lseek(d->fd, 0, SEEK_END);
	if (S_ISBLK(d->st.st_mode) && !d->sector &&
	    !ioctl(d->fd, BLKSSZGET, &sector))
		d->sector = sector;
	return 0;
}

static int open_disk(const struct image *img, struct image_disk *d)
{
	if (remote_is_uri(d->file)) {
		d->remote = remote_open(d->file);
		if (!d->remote)
			return -1;
	} else if (open_file(img, d)) {
		return -1;
	} else if (remote_format(d->file)) {
		d->remote =
			remote_start(d->file, d->fd, img->readonly, img->trust);
		d->fd = -1;
		if (!d->remote)
			return -1;
	}
	if (d->remote)
		d->size = d->remote->size;
	if (d->remote && !d->sector)
		d->sector = d->remote->sector;
	if (d->size < SECTOR) {
		tool_error("'%s' is empty", d->file);
		return -1;
	}
	return 0;
}

/* "1 (vfat), 2 (ext4)" */
static char *list_partitions(struct image *img, blkid_partlist list)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		tool_no_memory();
	for (int i = 0; i < blkid_partlist_numof_partitions(list); i++) {
		blkid_partition p = blkid_partlist_get_partition(list, i);
		struct probe found;

		probe_at(img->disks->fd, blkid_partition_get_start(p) * SECTOR,
			 blkid_partition_get_size(p) * SECTOR, &found);
		fprintf(f, "%s%d%s%s%s", i ? ", " : "",
			blkid_partition_get_partno(p), *found.type ? " (" : "",
			found.type, *found.type ? ")" : "");
	}
	fclose(f);
	return text;
}

static int check_partition(struct image *img, blkid_partlist list, off_t *off,
			   off_t *size)
{
	blkid_partition p;
	char *have;

	if (!list) {
		tool_error("'%s' has no partition %u and no partition table",
			   img->file, img->part);
		return -1;
	}
	p = blkid_partlist_get_partition_by_partno(list, img->part);
	if (!p) {
		have = list_partitions(img, list);
		tool_error("'%s' has no partition %u; it has: %s", img->file,
			   img->part, *have ? have : "none");
		free(have);
		return -1;
	}
	*off = blkid_partition_get_start(p) * SECTOR;
	*size = blkid_partition_get_size(p) * SECTOR;
	if (*off + *size > (off_t)img->disks->size) {
		tool_error("'%s' is truncated: partition %u ends at byte %lld, "
			   "the image at %llu",
			   img->file, img->part, (long long)(*off + *size),
			   img->disks->size);
		return -1;
	}
	return 0;
}

/*
 * Find the partition and what is in it.  Only what is certain is an error: a
 * type given by the user is tried whatever libblkid thinks.
 */
static int check_contents(struct image *img)
{
	blkid_probe pr = blkid_new_probe();
	off_t off = 0, size = img->disks->size;
	blkid_partlist list;
	struct probe found;
	int ret = -1;
	char *have;

	if (!pr)
		tool_no_memory();
	list = probe_partitions(pr, img->disks->fd, &img->disks->sector);
	if (img->part && check_partition(img, list, &off, &size))
		goto out;
	probe_at(img->disks->fd, off, size, &found);
	strcpy(img->found, found.type);
	img->container = layers_known(&found);
	if (img->type || img->container) {
		ret = 0;
	} else if (found.other) {
		tool_error("'%s' holds %s, not a file system", img->file,
			   img->found);
	} else if (*img->found) {
		img->type = img->found;
		ret = 0;
	} else if (!img->part && list &&
		   blkid_partlist_numof_partitions(list)) {
		have = list_partitions(img, list);
		tool_error("'%s' is partitioned, choose one with %s: %s",
			   img->file, img->dash_o ? "part=" : "-P", have);
		free(have);
	} else if (img->part) {
		tool_error("no file system found in partition %u of '%s'",
			   img->part, img->file);
	} else {
		tool_error("no file system found in '%s'", img->file);
	}
out:
	blkid_free_probe(pr);
	return ret;
}

static void write_file(const char *path, const char *text)
{
	int fd = lkl_sys_openat(LKL_AT_FDCWD, path, LKL_O_WRONLY, 0);

	if (fd >= 0) {
		lkl_sys_write(fd, text, strlen(text));
		lkl_sys_close(fd);
	}
}

/* What of the host's may stand in the way of the kernel's memory. */
static const char *boot_hint(long err)
{
	static const struct {
		int resource;
		const char *hint;
	} limits[] = {
		{ RLIMIT_FSIZE,
		  " (its memory counts as a file, see ulimit -f)" },
		{ RLIMIT_AS, " (see ulimit -v)" },
	};
	struct rlimit limit;

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		if (err != (i ? -ENOMEM : -EFBIG))
			continue;
		if (!getrlimit(limits[i].resource, &limit) &&
		    limit.rlim_cur != RLIM_INFINITY)
			return limits[i].hint;
	}
	return "";
}

static int boot(struct image *img)
{
	long err;

	if (!img->verbose && !img->console)
		lkl_host_ops.print = NULL;
	err = lkl_init(&lkl_host_ops);
	img->inited = !err;
	for (unsigned int i = 0; err >= 0 && i < img->count; i++) {
		struct image_disk *d = &img->disks[i];

		if (d->remote)
			d->disk = d->remote->disk;
		else
			d->disk.fd = d->fd;
		/* those of one file system are alike */
		if (!d->sector)
			d->sector = img->disks->sector;
		if (d->sector > SECTOR)
			d->sectors = sector_new(&d->disk, d->sector);
		err = d->id = lkl_disk_add(&d->disk);
	}
	if (err >= 0)
		err = lkl_start_kernel("mem=%uM loglevel=%d", img->mem,
				       img->verbose ? 8 : 0);
	if (err < 0) {
		tool_error("cannot start the kernel with %u MiB: %s%s",
			   img->mem, lkl_strerror(err), boot_hint(err));
		return -1;
	}
	img->booted = true;
	lkl_sys_umask(img->umask);
	lkl_set_fd_limit(1 << 20);
	lkl_mount_fs("proc");
	/* The disk is the host's page cache: begin early, and never brake. */
	write_file("/proc/sys/vm/dirty_background_ratio", "5");
	write_file("/proc/sys/vm/dirty_ratio", "60");
	return 0;
}

/*
 * Unless asked to, do not wait for the host's disk at each commit of the
 * journal, as little as cp waits for it: tell the kernel that the disk has no
 * cache to be flushed.
 */
static void tune_disk(const struct image *img, int id)
{
	unsigned int dev;
	char path[64];

	if (img->sync || lkl_get_virtio_blkdev(id, 0, &dev))
		return;
	snprintf(path, sizeof(path), "/sysfs/dev/block/%u:%u/queue/write_cache",
		 DEV_MAJOR(dev), DEV_MINOR(dev));
	write_file(path, "write through");
}

char *image_log(void)
{
	char *log = tool_alloc(NULL, LOG_SIZE);
	long len = lkl_sys_syslog(SYSLOG_READ_ALL, log, LOG_SIZE - 1);

	log[len > 0 ? len : 0] = 0;
	return log;
}

/*
 * The worst of it, without level, time and device, or "".  File systems explain
 * there what a number cannot.
 */
static void kernel_reason(char *reason, size_t size)
{
	char *log = image_log();
	char *save, *text, *end;
	int worst = 5; /* notices and less explain nothing */

	*reason = 0;
	for (char *line = strtok_r(log, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		int level;

		if (sscanf(line, "<%d>", &level) != 1 || (level & 7) >= worst)
			continue;
		text = strchr(line, '>') + 1;
		if (*text == '[' && (end = strstr(text, "] ")))
			text = end + 2;
		end = strstr(text, "): ");
		if (end)
			text = end + 3;
		snprintf(reason, size, "%s", text);
		worst = level & 7;
	}
	free(log);
}

static void explain(struct image *img, long err)
{
	const char *type = img->type ?: img->found;
	char reason[256];

	kernel_reason(reason, sizeof(reason));
	if (err == -LKL_ENODEV)
		snprintf(reason, sizeof(reason),
			 "the kernel knows no such file system");
	else if (*img->found && strcmp(kernel_type(img->found), type))
		snprintf(reason, sizeof(reason), "it holds %s", img->found);
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
		struct image_disk *d = &img->disks[i];
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
	char *options = NULL;
	size_t len;
	FILE *f = open_memstream(&options, &len);

	if (!f)
		tool_no_memory();
	fputs(img->options ? img->options : "", f);
	for (unsigned int i = 0; i < img->count; i++) {
		char node[32];

		snprintf(node, sizeof(node), "/disk%u", i);
		lkl_sys_unlinkat(LKL_AT_FDCWD, node, 0);
		if (!img->disks[i].dev)
			continue;
		lkl_sys_mknodat(LKL_AT_FDCWD, node, S_IFBLK | 0600,
				img->disks[i].dev);
		if (i && named)
			fprintf(f, "%sdevice=%s", ftell(f) ? "," : "", node);
	}
	fclose(f);
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
		tool_error("'%s' holds %s, and that no file system", img->file,
			   img->found);
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

	lkl_sys_syslog(SYSLOG_CLEAR, NULL, 0);
	err = find_disks(img);
	if (err)
		return err;
	if (img->container && !open_layers(img))
		return 1;
	img->type = kernel_type(img->type);
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

static bool kernel_said(const char *what)
{
	char *log = image_log();
	bool ret = strstr(log, what);

	free(log);
	return ret;
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
		struct image_disk *d = &img->disks[i];
		struct lkl_disk disk = d->disk;

		d->overlay = overlay_new(&disk);
		if (!d->overlay)
			return -LKL_ENOMEM;
		lkl_disk_remove(d->disk);
		d->disk = disk;
		d->id = lkl_disk_add(&d->disk);
		if (d->id < 0)
			return d->id;
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
		/* nobody but the file system itself forbids it, as a seed of
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
		(struct image_disk){ .file = file, .fd = -1, .id = -1 };
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
		return true;
	case 'p':
		img->verbose = true;
		return true;
	case 'Z':
		img->sector = tool_number(optarg, 4096, "sector size");
		if (img->sector < SECTOR || img->sector & (img->sector - 1))
			tool_usage_error("invalid sector size: '%s'", optarg);
		return true;
	case 'T':
		img->trust = true;
		return true;
	default:
		return false;
	}
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
		if (open_disk(img, &img->disks[i]))
			return -1;
	}
	return 0;
}

int image_look(struct image *img)
{
	struct image_disk *d = img->disks;

	if (!d->remote)
		return 0;
	d->fd = remote_outline(d->remote, d->sector);
	return d->fd < 0 ? -1 : 0;
}

int image_start(struct image *img)
{
	if (image_look(img) || check_contents(img) || boot(img))
		return -1;
	return mount_type(img);
}

struct volume *image_volumes(struct image *img, size_t *count)
{
	long err;

	*count = 0;
	if (image_look(img) || check_contents(img) || boot(img))
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

static int close_disk(const struct image *img, struct image_disk *d)
{
	int err = 0;

	overlay_free(d->overlay);
	sector_free(d->sectors);
	if (d->fd >= 0 && img->sync && !img->readonly && fsync(d->fd)) {
		err = -errno;
		tool_file_error("cannot sync", NULL, d->file, err);
	}
	if (d->fd >= 0)
		close(d->fd);
	remote_close(d->remote);
	return err;
}

int image_unmount(struct image *img)
{
	long err = 0;

	if (img->root >= 0)
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
		if (close_disk(img, &img->disks[i]))
			err = -1;
	}
	free(img->disks);
	key_forget(&img->key);
	return err < 0 ? -1 : 0;
}
