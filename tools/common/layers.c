// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each round looks at what the first disk holds, has the library's kernel make
 * a device of it, and goes on with that, until there is a file system. libblkid
 * says what it is, the kernel's md and device mapper do the work; the metadata
 * of LVM is read by lvm.c, the key found by luks.c.
 *
 * Other disks take part: all members of an array and of a volume group become
 * one device, each that is encrypted is unlocked with the same passphrase.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lkl/linux/dm-ioctl.h>
#include <lkl/linux/fs.h>
#include <lkl/linux/major.h>
#include <lkl/linux/raid/md_u.h>

#include "image.h"
#include "layers.h"
#include "luks.h"
#include "lvm.h"
#include "tool.h"

#define SECTOR 512
/* How deep they may be nested, disks counted. */
#define LAYERS_MAX 16
/* The device mapper's control device is misc device 236. */
#define DM_CONTROL DEV(LKL_MISC_MAJOR, 236)
/* A device that was just unmounted may still be busy. */
#define CLOSE_TRIES 100

/*
 * @fds: descriptor of the control device of the device mapper, or of an array
 * @arrays: whether it is that of an array
 */
struct layers {
	unsigned int count;
	bool arrays[LAYERS_MAX];
	int fds[LAYERS_MAX];
};

static int open_node(uint32_t type, uint32_t dev, int flags)
{
	int fd;

	lkl_sys_mknodat(LKL_AT_FDCWD, "/layer", type | 0600, dev);
	fd = lkl_sys_openat(LKL_AT_FDCWD, "/layer", flags, 0);
	lkl_sys_unlinkat(LKL_AT_FDCWD, "/layer", 0);
	return fd;
}

bool device_open(struct device *d, uint32_t dev)
{
	long err;

	d->dev = dev;
	d->fd = err = open_node(LKL_S_IFBLK, dev, LKL_O_RDONLY);
	if (err >= 0) {
		err = lkl_sys_ioctl(d->fd, LKL_BLKGETSIZE64,
				    (unsigned long)&d->size);
		if (!err)
			return true;
		lkl_sys_close(d->fd);
	}
	tool_error("cannot open device %u:%u: %s", DEV_MAJOR(dev),
		   DEV_MINOR(dev), lkl_strerror(err));
	return false;
}

void device_close(struct device *d)
{
	lkl_sys_close(d->fd);
}

bool device_read(void *handle, void *buf, size_t len, off_t pos)
{
	struct device *d = handle;

	return lkl_sys_pread64(d->fd, buf, len, pos) == (long)len;
}

static bool look(struct device *d, struct probe *found)
{
	int fd = probe_outline(device_read, d, d->size);

	if (fd < 0)
		return false;
	probe_at(fd, 0, d->size, found);
	close(fd);
	return true;
}

/* Open a device and look at it; false when it has said why not. */
static bool open_and_look(struct device *d, uint32_t dev, struct probe *found)
{
	if (!device_open(d, dev))
		return false;
	if (look(d, found))
		return true;
	device_close(d);
	return false;
}

/* Room for @size bytes at the end of a table, all 0. */
static void *table_room(struct table *t, size_t size)
{
	void *room;

	t->buf = tool_alloc(t->buf, t->len + size);
	room = memset(t->buf + t->len, 0, size);
	t->len += size;
	return room;
}

void table_add(struct table *t, const char *type, unsigned long long sectors,
	       const char *fmt, ...)
{
	struct lkl_dm_target_spec *spec;
	va_list args;
	size_t size;

	va_start(args, fmt);
	size = vsnprintf(NULL, 0, fmt, args) + 1;
	va_end(args);
	size = (sizeof(*spec) + size + 7) & ~7UL;
	if (!t->buf)
		table_room(t, sizeof(struct lkl_dm_ioctl));
	spec = table_room(t, size);
	spec->sector_start = t->sectors;
	spec->length = sectors;
	spec->next = size;
	snprintf(spec->target_type, sizeof(spec->target_type), "%s", type);
	va_start(args, fmt);
	vsnprintf((char *)(spec + 1), size - sizeof(*spec), fmt, args);
	va_end(args);
	t->sectors += sectors;
	t->count++;
}

void table_free(struct table *t)
{
	if (t->buf)
		explicit_bzero(t->buf, t->len);
	free(t->buf);
}

static long dm_ioctl(int fd, unsigned int command, unsigned int layer,
		     struct lkl_dm_ioctl *dm, size_t size)
{
	*dm = (struct lkl_dm_ioctl){
		.version = { LKL_DM_VERSION_MAJOR },
		.data_size = size,
		.data_start = sizeof(*dm),
		.target_count = dm->target_count,
		.flags = dm->flags,
	};
	snprintf(dm->name, sizeof(dm->name), "layer%u", layer);
	return lkl_sys_ioctl(fd, command, (unsigned long)dm);
}

static bool can_write(const struct image *img)
{
	return !img->readonly || img->disks->overlay;
}

/* Make a device of a table; its number, or 0 when it has said why not. */
static uint32_t dm_create(struct image *img, struct table *t, const char *what)
{
	struct layers *l = img->layers;
	unsigned int n = l->count,
		     mode = can_write(img) ? 0 : LKL_DM_READONLY_FLAG;
	struct lkl_dm_ioctl dm = { 0 }, *load = (void *)t->buf;
	int fd = open_node(LKL_S_IFCHR, DM_CONTROL, LKL_O_RDWR);
	uint32_t dev = 0;
	long err = fd;

	if (fd >= 0)
		err = dm_ioctl(fd, LKL_DM_DEV_CREATE, n, &dm, sizeof(dm));
	if (!err) {
		dev = dm.dev;
		load->target_count = t->count;
		load->flags = mode;
		err = dm_ioctl(fd, LKL_DM_TABLE_LOAD, n, load, t->len);
		dm.flags = mode;
		if (!err)
			err = dm_ioctl(fd, LKL_DM_DEV_SUSPEND, n, &dm,
				       sizeof(dm));
		if (!err) {
			l->arrays[n] = false;
			l->fds[n] = fd;
			l->count++;
			return dev;
		}
		dm_ioctl(fd, LKL_DM_DEV_REMOVE, n, &dm, sizeof(dm));
	}
	if (fd >= 0)
		lkl_sys_close(fd);
	tool_error("cannot use %s in '%s': %s", what, img->file,
		   lkl_strerror(err));
	return 0;
}

static bool open_luks(struct image *img)
{
	for (unsigned int i = 0; i < img->count; i++) {
		struct image_disk *disk = &img->disks[i];
		struct table t = { 0 };
		struct probe found;
		struct device d;
		bool ok = true;

		if (!disk->dev)
			continue;
		if (!open_and_look(&d, disk->dev, &found))
			return false;
		if (!strcmp(found.type, "crypto_LUKS")) {
			ok = !luks_unlock(img, &d, &t);
			if (ok)
				disk->dev =
					dm_create(img, &t, "the encryption");
			ok = ok && disk->dev;
			table_free(&t);
		}
		device_close(&d);
		if (!ok)
			return false;
	}
	return true;
}

/* Make an array without members; opening it would do so too, with a warning. */
static long new_array(unsigned int n)
{
	long fd = lkl_sys_openat(LKL_AT_FDCWD,
				 "/sysfs/module/md_mod/parameters/new_array",
				 LKL_O_WRONLY, 0);
	char name[16];
	long err = fd;

	if (fd >= 0) {
		err = lkl_sys_write(fd, name,
				    snprintf(name, sizeof(name), "md%u", n));
		lkl_sys_close(fd);
	}
	return err < 0 ? err : 0;
}

/* Say why an array cannot be used. */
static bool array_error(const struct image *img, int fd, long err)
{
	if (fd >= 0)
		lkl_sys_close(fd);
	tool_error("cannot start the RAID array in '%s': %s", img->file,
		   lkl_strerror(err));
	return false;
}

static bool open_array(struct image *img, const struct probe *first)
{
	/* one that was stopped may take a while to be gone */
	static unsigned int number;
	struct layers *l = img->layers;
	uint32_t dev = DEV(LKL_MD_MAJOR, number);
	lkl_mdu_array_info_t info = { 0 };
	long err = new_array(number++);
	int fd = err ? err : open_node(LKL_S_IFBLK, dev, LKL_O_RDWR);

	/* The kernel reads the superblocks, if it knows of which version. */
	sscanf(first->version, "%d.%d", &info.major_version,
	       &info.minor_version);
	err = fd;
	if (fd >= 0)
		err = lkl_sys_ioctl(fd, LKL_SET_ARRAY_INFO,
				    (unsigned long)&info);
	for (unsigned int i = 0; i < img->count && !err; i++) {
		struct image_disk *disk = &img->disks[i];
		lkl_mdu_disk_info_t member = {
			.major = DEV_MAJOR(disk->dev),
			.minor = DEV_MINOR(disk->dev),
		};
		struct probe found;
		struct device d;

		if (!disk->dev)
			continue;
		if (!open_and_look(&d, disk->dev, &found)) {
			lkl_sys_close(fd);
			return false;
		}
		device_close(&d);
		if (strcmp(found.type, first->type) ||
		    strcmp(found.uuid, first->uuid))
			continue;
		err = lkl_sys_ioctl(fd, LKL_ADD_NEW_DISK,
				    (unsigned long)&member);
		disk->dev = 0;
	}
	if (!err)
		err = lkl_sys_ioctl(fd, LKL_RUN_ARRAY, 0);
	if (!err)
		err = lkl_sys_ioctl(fd, LKL_GET_ARRAY_INFO,
				    (unsigned long)&info);
	if (err)
		return array_error(img, fd, err);
	l->arrays[l->count] = true;
	l->fds[l->count++] = fd;
	img->disks->dev = dev;
	/* The disks that are not here would no longer be the same. */
	if (info.active_disks < info.raid_disks && !img->readonly) {
		tool_error("'%s' is one of %d disks of a RAID array, of which "
			   "%d are here; without all it can only be read",
			   img->file, info.raid_disks, info.active_disks);
		return false;
	}
	return true;
}

/* Read the metadata of the group that the first disk belongs to. */
static bool read_group(struct image *img, struct lvm *vg)
{
	for (unsigned int i = 0; i < img->count; i++) {
		struct image_disk *disk = &img->disks[i];
		struct probe found;
		struct device d;
		int err = 1;

		if (!disk->dev)
			continue;
		if (!open_and_look(&d, disk->dev, &found))
			return false;
		if (!strcmp(found.type, "LVM2_member"))
			err = lvm_add(vg, &d);
		device_close(&d);
		if (err < 0) {
			tool_error("cannot read the LVM metadata in '%s'",
				   disk->file);
			return false;
		}
		/* becomes part of what is mounted */
		if (!err)
			disk->dev = 0;
	}
	if (vg->buf)
		return true;
	tool_error("no disk of the volume group of '%s' has its metadata",
		   img->file);
	return false;
}

/* Is the volume called @name, which is VG/LV or LV? */
static bool is_called(const struct lvm_lv *lv, const char *name)
{
	return !strcmp(lv->name, name) ||
	       !strcmp(strchr(lv->name, '/') + 1, name);
}

static bool choose_volume(struct image *img, const struct lvm *vg,
			  struct lvm_lv *chosen)
{
	struct lvm_text list = { 0 };
	unsigned int count = 0;
	bool found = false;
	struct lvm_lv lv;
	char *names;
	size_t len;
	FILE *f = open_memstream(&names, &len);

	if (!f)
		tool_no_memory();
	while (lvm_next(vg, &list, &lv)) {
		if (img->lv ? is_called(&lv, img->lv) : !count) {
			*chosen = lv;
			found = true;
		}
		fprintf(f, "%s%s", count++ ? ", " : "", lv.name);
	}
	fclose(f);
	if (!img->lv && count > 1)
		found = false;
	if (!count)
		tool_error("volume group %s in '%s' has no volumes", vg->name,
			   img->file);
	else if (!found && img->lv)
		tool_error("'%s' has no logical volume '%s'; it has: %s",
			   img->file, img->lv, names);
	else if (!found)
		tool_error("'%s' has several logical volumes, choose one with "
			   "%s: %s",
			   img->file, img->dash_o ? "lv=" : "-L", names);
	free(names);
	return found;
}

/* Returns the device of a volume, or 0 when it has told @say why not. */
static uint32_t open_volume(struct image *img, const struct lvm *vg,
			    const struct lvm_lv *lv,
			    void (*say)(const char *fmt, ...))
{
	struct table t = { 0 };
	uint32_t dev = 0;
	char reason[256];

	if (lvm_table(vg, lv, &t, reason, sizeof(reason)))
		dev = dm_create(img, &t, lv->name);
	else
		say("cannot use %s in '%s': %s", lv->name, img->file, reason);
	table_free(&t);
	return dev;
}

/*
 * Open what the first disk holds until that is a file system, or unless @group
 * is NULL, a volume group.  Returns what it is, or NULL when it has said why
 * not.
 */
static bool descend(struct image *img, struct device *d, struct probe *found,
		    struct lvm *group)
{
	struct lvm vg = { 0 };
	struct lvm_lv lv;
	bool ok = true;

	if (!img->layers)
		img->layers = calloc(1, sizeof(*img->layers));
	if (!img->layers)
		tool_no_memory();
	while (open_and_look(d, img->disks->dev, found)) {
		if (!layers_known(found))
			return true;
		device_close(d);
		if (img->layers->count + img->count >= LAYERS_MAX) {
			tool_error("'%s' is too deeply nested", img->file);
			return false;
		}
		if (!strcmp(found->type, "crypto_LUKS")) {
			ok = open_luks(img);
		} else if (!strcmp(found->type, "linux_raid_member")) {
			ok = open_array(img, found);
		} else if (group) {
			return read_group(img, group);
		} else {
			ok = read_group(img, &vg) &&
			     choose_volume(img, &vg, &lv);
			if (ok)
				img->disks->dev =
					open_volume(img, &vg, &lv, tool_error);
			ok = ok && img->disks->dev;
			lvm_free(&vg);
			vg = (struct lvm){ 0 };
		}
		if (!ok)
			return false;
	}
	return false;
}

bool layers_known(const struct probe *found)
{
	return !strcmp(found->type, "crypto_LUKS") ||
	       !strcmp(found->type, "linux_raid_member") ||
	       !strcmp(found->type, "LVM2_member");
}

bool layers_open(struct image *img)
{
	bool given = img->type && img->type != img->found;
	struct probe found;
	struct device d;

	if (!descend(img, &d, &found, NULL))
		return true;
	device_close(&d);
	if (!given && (!*found.type || found.other)) {
		tool_error("'%s' holds %s, and that no file system", img->file,
			   img->found);
		return true;
	}
	strcpy(img->found, found.type);
	if (!given)
		img->type = img->found;
	return false;
}

/* One volume of a group; one that cannot be used is there, too. */
static void list_volume(struct image *img, const struct lvm *vg,
			const struct lvm_lv *lv, struct volume *v)
{
	uint32_t dev = 0;
	struct device d;

	*v = (struct volume){ .size = lv->size };
	snprintf(v->name, sizeof(v->name), "%s", lv->name);
	if (img->layers->count < LAYERS_MAX)
		dev = open_volume(img, vg, lv, tool_warn);
	if (dev && open_and_look(&d, dev, &v->found))
		device_close(&d);
}

struct volume *layers_list(struct image *img, size_t *count)
{
	struct lvm_text list = { 0 };
	struct volume *all = NULL;
	struct lvm vg = { 0 };
	struct probe found;
	struct lvm_lv lv;
	struct device d;

	*count = 0;
	if (descend(img, &d, &found, &vg)) {
		if (!vg.buf) {
			all = tool_alloc(NULL, sizeof(*all));
			*all = (struct volume){ .size = d.size,
						.found = found };
			*count = 1;
			device_close(&d);
		}
		while (vg.buf && lvm_next(&vg, &list, &lv)) {
			all = tool_alloc(all, (*count + 1) * sizeof(*all));
			list_volume(img, &vg, &lv, &all[(*count)++]);
		}
	}
	lvm_free(&vg);
	return all;
}

static long close_layer(const struct layers *l, unsigned int n)
{
	struct lkl_dm_ioctl dm = { 0 };

	if (l->arrays[n])
		return lkl_sys_ioctl(l->fds[n], LKL_STOP_ARRAY, 0);
	return dm_ioctl(l->fds[n], LKL_DM_DEV_REMOVE, n, &dm, sizeof(dm));
}

void layers_close(struct image *img)
{
	struct layers *l = img->layers;
	struct __lkl__kernel_timespec pause = { .tv_nsec = 10000000 };
	long err;

	while (l && l->count) {
		unsigned int n = --l->count;

		for (int i = 0; i < CLOSE_TRIES; i++) {
			err = close_layer(l, n);
			if (err != -LKL_EBUSY)
				break;
			lkl_sys_nanosleep(&pause, NULL);
		}
		if (err)
			tool_error("cannot close what '%s' holds: %s",
				   img->file, lkl_strerror(err));
		lkl_sys_close(l->fds[n]);
	}
	free(l);
	img->layers = NULL;
}
