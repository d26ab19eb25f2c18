// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounts disk images.
 */
#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "image.h"
#include "tool.h"

#define SECTOR 512
#define UNMOUNT_MS 10000
#define LOG_SIZE (1 << 18)
#define DEFAULT_MB 256

/* Actions of syslog(2), for which the kernel exports no names. */
#define SYSLOG_READ_ALL 3
#define SYSLOG_CLEAR 5

/* What the kernel calls a file system that libblkid or people call @type. */
static const char *kernel_type(const char *type)
{
	return strcmp(type, "ntfs") ? type : "ntfs3";
}

/* Open and lock @file; its size, or -1. */
static off_t open_file(const char *file, bool readonly, int *fd,
		       struct stat *st)
{
	int flags = (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC;
	off_t size;

	/* O_EXCL: not a block device that the host has mounted */
	if (!readonly && !stat(file, st) && S_ISBLK(st->st_mode))
		flags |= O_EXCL;
	*fd = open(file, flags | O_NONBLOCK);
	if (*fd < 0 || fstat(*fd, st)) {
		tool_file_error("cannot open", NULL, file, -errno);
		return -1;
	}
	if (!S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode)) {
		if (S_ISDIR(st->st_mode))
			tool_file_error("cannot open", NULL, file, -EISDIR);
		else
			tool_error("'%s' is neither a file nor a block device",
				   file);
		return -1;
	}
	if (flock(*fd, (readonly ? LOCK_SH : LOCK_EX) | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			tool_error("'%s' is in use by another program", file);
		else
			tool_file_error("cannot lock", NULL, file, -errno);
		return -1;
	}
	size = lseek(*fd, 0, SEEK_END);
	if (size < SECTOR) {
		tool_error("'%s' is empty", file);
		return -1;
	}
	return size;
}

/* The same for what need not be a raw file. */
static off_t open_disk(const char *file, bool readonly, int *fd,
		       struct stat *st, struct remote **remote)
{
	off_t size;

	if (remote_is_uri(file)) {
		*remote = remote_open(file);
	} else {
		size = open_file(file, readonly, fd, st);
		if (size < 0 || !remote_format(file))
			return size;
		*remote = remote_start(file, *fd, readonly);
		*fd = -1;
	}
	if (!*remote)
		return -1;
	if ((*remote)->size < SECTOR) {
		tool_error("'%s' is empty", file);
		return -1;
	}
	return (*remote)->size;
}

static int open_disks(struct image *img)
{
	off_t size = open_disk(img->file, img->readonly, &img->fd, &img->st,
			       &img->remote);
	struct stat st;

	if (size < 0)
		return -1;
	img->size = size;
	for (unsigned int i = 0; i < img->more_count; i++) {
		if (open_disk(img->more[i].file, img->readonly,
			      &img->more[i].fd, &st, &img->more[i].remote) < 0)
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

		probe_at(img->fd, blkid_partition_get_start(p) * SECTOR,
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
	if (*off + *size > (off_t)img->size) {
		tool_error("'%s' is truncated: partition %u ends at byte %lld, "
			   "the image at %llu",
			   img->file, img->part, (long long)(*off + *size),
			   img->size);
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
	off_t off = 0, size = img->size;
	blkid_partlist list = NULL;
	struct probe found;
	int ret = -1;
	char *have;

	if (!pr)
		tool_no_memory();
	if (!blkid_probe_set_device(pr, img->fd, 0, 0) &&
	    !blkid_probe_enable_partitions(pr, 1))
		list = blkid_probe_get_partitions(pr);
	if (img->part && check_partition(img, list, &off, &size))
		goto out;
	probe_at(img->fd, off, size, &found);
	strcpy(img->found, found.type);
	if (img->type) {
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
			   img->file, img->part_option ?: "-P", have);
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

/*
 * A disk in memory that starts as the image.  A read-only mount of a file
 * system that was not unmounted cleanly wants to replay its journal: it does
 * so here, and the image stays as it is.
 */
static int overlay_capacity(struct lkl_disk disk, unsigned long long *size)
{
	struct image *img = disk.handle;

	*size = img->size;
	return 0;
}

static int overlay_request(struct lkl_disk disk, struct lkl_blk_req *req)
{
	struct image *img = disk.handle;
	unsigned long long pos = req->sector * SECTOR;

	if (req->type == LKL_DEV_BLK_TYPE_FLUSH ||
	    req->type == LKL_DEV_BLK_TYPE_FLUSH_OUT)
		return LKL_DEV_BLK_STATUS_OK;
	if (req->type != LKL_DEV_BLK_TYPE_READ &&
	    req->type != LKL_DEV_BLK_TYPE_WRITE)
		return LKL_DEV_BLK_STATUS_UNSUP;
	for (int i = 0; i < req->count; i++) {
		struct iovec *v = (struct iovec *)&req->buf[i];

		if (v->iov_len > img->size || pos > img->size - v->iov_len)
			return LKL_DEV_BLK_STATUS_IOERR;
		if (req->type == LKL_DEV_BLK_TYPE_READ)
			memcpy(v->iov_base, (char *)img->overlay + pos,
			       v->iov_len);
		else
			memcpy((char *)img->overlay + pos, v->iov_base,
			       v->iov_len);
		pos += v->iov_len;
	}
	return LKL_DEV_BLK_STATUS_OK;
}

static struct lkl_dev_blk_ops overlay_ops = {
	.get_capacity = overlay_capacity,
	.request = overlay_request,
};

static long use_overlay(struct image *img)
{
	void *map = mmap(NULL, img->size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_NORESERVE, img->fd, 0);
	int id;

	if (map == MAP_FAILED)
		return -errno;
	img->overlay = map;
	lkl_disk_remove(img->disk);
	img->disk = (struct lkl_disk){ .handle = img, .ops = &overlay_ops };
	id = lkl_disk_add(&img->disk);
	if (id >= 0)
		img->disk_id = id;
	return id < 0 ? id : 0;
}

static struct lkl_disk disk_of(int fd, const struct remote *remote)
{
	return remote ? remote->disk : (struct lkl_disk){ .fd = fd };
}

static void write_file(const char *path, const char *text)
{
	int fd = lkl_sys_openat(LKL_AT_FDCWD, path, LKL_O_WRONLY, 0);

	if (fd >= 0) {
		lkl_sys_write(fd, text, strlen(text));
		lkl_sys_close(fd);
	}
}

static int boot(struct image *img)
{
	long err;

	if (!img->verbose && !img->console)
		lkl_host_ops.print = NULL;
	err = lkl_init(&lkl_host_ops);
	if (!err) {
		img->inited = true;
		img->disk = disk_of(img->fd, img->remote);
		err = lkl_disk_add(&img->disk);
		img->disk_id = err;
	}
	for (unsigned int i = 0; err >= 0 && i < img->more_count; i++) {
		struct image_disk *d = &img->more[i];

		d->disk = disk_of(d->fd, d->remote);
		err = lkl_disk_add(&d->disk);
		d->id = err;
	}
	if (err >= 0)
		err = lkl_start_kernel("mem=%uM loglevel=%d", img->mem,
				       img->verbose ? 8 : 0);
	if (err < 0) {
		tool_error("cannot start the kernel with %u MiB: %s", img->mem,
			   lkl_strerror(err));
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
		 dev >> 8 & 0xfff, (dev & 0xff) | (dev >> 12 & 0xfff00));
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
	char reason[256];

	kernel_reason(reason, sizeof(reason));
	if (err == -LKL_ENODEV)
		snprintf(reason, sizeof(reason),
			 "the kernel knows no such file system");
	else if (*img->found && strcmp(kernel_type(img->found), img->type))
		snprintf(reason, sizeof(reason), "it holds %s", img->found);
	else if (!*img->found)
		snprintf(reason, sizeof(reason), "no file system found in it");
	else if (!*reason)
		snprintf(reason, sizeof(reason), "%s", lkl_strerror(err));
	if (img->part)
		tool_error("cannot mount partition %u of '%s' as %s: %s",
			   img->part, img->file, img->type, reason);
	else
		tool_error("cannot mount '%s' as %s: %s", img->file, img->type,
			   reason);
}

/*
 * Make the nodes of the other disks.  Returns the mount options, which for
 * btrfs name them; it does not look around for its disks.
 */
static char *add_disks(const struct image *img)
{
	bool named = !strcmp(img->type, "btrfs");
	char *options = NULL;
	size_t len;
	FILE *f = open_memstream(&options, &len);

	if (!f)
		tool_no_memory();
	fputs(img->options ? img->options : "", f);
	for (unsigned int i = 0; i < img->more_count; i++) {
		char node[32];
		uint32_t dev;

		snprintf(node, sizeof(node), "/disk%u", i + 1);
		if (lkl_get_virtio_blkdev(img->more[i].id, img->part, &dev))
			continue; /* the file system misses it, and says so */
		lkl_sys_mknodat(LKL_AT_FDCWD, node, S_IFBLK | 0600, dev);
		if (named)
			fprintf(f, "%sdevice=%s", ftell(f) ? "," : "", node);
	}
	fclose(f);
	return options;
}

static long mount_once(struct image *img)
{
	char *options;
	long err;

	lkl_sys_syslog(SYSLOG_CLEAR, NULL, 0);
	tune_disk(img, img->disk_id);
	for (unsigned int i = 0; i < img->more_count; i++)
		tune_disk(img, img->more[i].id);
	options = add_disks(img);
	err = lkl_mount_dev(img->disk_id, img->part, img->type,
			    img->readonly ? LKL_MS_RDONLY : LKL_MS_NOATIME,
			    options, img->mnt, sizeof(img->mnt));
	free(options);
	if (err < 0)
		*img->mnt = 0;
	return err;
}

/* Was the image refused only because its journal could not be replayed? */
static bool needs_replay(struct image *img, long err)
{
	bool ret = err == -LKL_EROFS;
	char *log;

	/* what the copy in memory starts as must be a file */
	if (!img->readonly || img->more_count || img->remote)
		return false;
	if (err == -LKL_EIO) { /* so says btrfs */
		log = image_log();
		ret = strstr(log, "log replay required");
		free(log);
	}
	return ret;
}

static int mount_type(struct image *img)
{
	struct lkl_statfs sfs;
	long err;

	img->type = kernel_type(img->type);
	err = mount_once(img);
	if (needs_replay(img, err)) {
		err = use_overlay(img);
		if (!err)
			err = mount_once(img);
		if (!err)
			tool_warn("'%s' was not unmounted cleanly; its journal "
				  "is replayed in memory only",
				  img->file);
	}
	if (err < 0) {
		explain(img, err);
		return -1;
	}
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
		tool_error("cannot write to '%s': %s is mounted read-only",
			   img->file, img->type);
		return -1;
	}
	return 0;
}

bool image_option(struct image *img, int opt)
{
	switch (opt) {
	case 'D':
		img->more = tool_alloc(img->more, (img->more_count + 1) *
							  sizeof(*img->more));
		img->more[img->more_count++] = (struct image_disk){
			.file = optarg, .fd = -1, .id = -1
		};
		return true;
	case 't':
		img->type = strcmp(optarg, "auto") ? optarg : NULL;
		return true;
	case 'P':
		img->part = strcmp(optarg, "none")
				    ? tool_number(optarg, 255, "partition")
				    : 0;
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
	default:
		return false;
	}
}

int image_open(struct image *img)
{
	img->fd = img->root = -1;
	img->disk_id = -1;
	if (!img->mem)
		img->mem = DEFAULT_MB;
	return open_disks(img);
}

int image_look(struct image *img)
{
	if (!img->remote)
		return 0;
	img->fd = remote_outline(img->remote);
	return img->fd < 0 ? -1 : 0;
}

int image_start(struct image *img)
{
	if (image_look(img) || check_contents(img) || boot(img))
		return -1;
	return mount_type(img);
}

int image_mount(struct image *img)
{
	return image_open(img) || image_start(img) ? -1 : 0;
}

static int close_disk(const struct image *img, const char *file, int fd)
{
	int err = 0;

	if (fd < 0)
		return 0;
	if (img->sync && !img->readonly && fsync(fd)) {
		err = -errno;
		tool_file_error("cannot sync", NULL, file, err);
	}
	close(fd);
	return err;
}

int image_unmount(struct image *img)
{
	long err = 0;

	if (img->root >= 0)
		lkl_sys_close(img->root);
	if (*img->mnt)
		err = lkl_umount_dev(img->disk_id, img->part, 0, UNMOUNT_MS);
	if (err < 0)
		tool_error("cannot unmount '%s': %s", img->file,
			   lkl_strerror(err));
	if (img->booted)
		lkl_sys_halt();
	if (img->disk_id >= 0)
		lkl_disk_remove(img->disk);
	for (unsigned int i = 0; i < img->more_count; i++) {
		if (img->more[i].id >= 0)
			lkl_disk_remove(img->more[i].disk);
	}
	if (img->inited)
		lkl_cleanup();
	if (img->overlay)
		munmap(img->overlay, img->size);
	if (close_disk(img, img->file, img->fd))
		err = -1;
	remote_close(img->remote);
	for (unsigned int i = 0; i < img->more_count; i++) {
		if (close_disk(img, img->more[i].file, img->more[i].fd))
			err = -1;
		remote_close(img->more[i].remote);
	}
	free(img->more);
	return err < 0 ? -1 : 0;
}
