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
#include <lkl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lkl/linux/major.h>
#include <lkl/linux/raid/md_u.h>

#include "layers.h"
#include "luks.h"
#include "lvm.h"
#include "tool.h"

/* A device that was just unmounted may still be busy. */
#define CLOSE_TRIES 100

/* Make a device of a table; its number, or 0 when it has said why not. */
static uint32_t map_table(struct layers *l, struct table *t, const char *what)
{
	uint32_t dev;
	int fd = dm_create(t, l->count, !l->writable, &dev);

	if (fd >= 0) {
		l->arrays[l->count] = false;
		l->fds[l->count++] = fd;
		return dev;
	}
	tool_error("cannot use %s in '%s': %s", what, l->image,
		   lkl_strerror(fd));
	return 0;
}

/* Get the passphrase unless it is known; false when it has said why not. */
static bool need_key(const struct layers *l)
{
	if (l->key->text)
		return true;
	if (l->key->elsewhere) {
		l->key->wanted = true;
		return false;
	}
	if (!l->dash_o)
		return !key_get(l->key, l->image, "-K");
	tool_error("'%s' is encrypted, choose passphrase or keyfile=",
		   l->image);
	return false;
}

static bool open_luks(struct layers *l)
{
	for (unsigned int i = 0; i < l->disk_count; i++) {
		struct layers_disk *disk = &l->disks[i];
		struct table t = { 0 };
		struct probe found;
		struct device d;
		bool ok = true;

		if (!disk->dev)
			continue;
		if (!device_look(&d, disk->dev, &found))
			return false;
		if (!strcmp(found.type, "crypto_LUKS")) {
			ok = need_key(l) &&
			     !luks_unlock(l->image, l->key, &d, &t);
			if (ok)
				disk->dev = map_table(l, &t, "the encryption");
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
static bool array_error(const struct layers *l, int fd, long err)
{
	if (fd >= 0)
		lkl_sys_close(fd);
	tool_error("cannot start the RAID array in '%s': %s", l->image,
		   lkl_strerror(err));
	return false;
}

static bool open_array(struct layers *l, const struct probe *first)
{
	/* one that was stopped may take a while to be gone */
	static unsigned int number;
	uint32_t dev = DEV(LKL_MD_MAJOR, number);
	lkl_mdu_array_info_t info = { 0 };
	long err = new_array(number++);
	int fd = err ? err : device_node(LKL_S_IFBLK, dev, LKL_O_RDWR);

	/* The kernel reads the superblocks, if it knows of which version. */
	sscanf(first->version, "%d.%d", &info.major_version,
	       &info.minor_version);
	err = fd;
	if (fd >= 0)
		err = lkl_sys_ioctl(fd, LKL_SET_ARRAY_INFO,
				    (unsigned long)&info);
	for (unsigned int i = 0; i < l->disk_count && !err; i++) {
		struct layers_disk *disk = &l->disks[i];
		lkl_mdu_disk_info_t member = {
			.major = DEV_MAJOR(disk->dev),
			.minor = DEV_MINOR(disk->dev),
		};
		struct probe found;
		struct device d;

		if (!disk->dev)
			continue;
		if (!device_look(&d, disk->dev, &found)) {
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
		return array_error(l, fd, err);
	l->arrays[l->count] = true;
	l->fds[l->count++] = fd;
	l->disks->dev = dev;
	/* The disks that are not here would no longer be the same. */
	if (info.active_disks < info.raid_disks && !l->readonly) {
		tool_error("'%s' is one of %d disks of a RAID array, of which "
			   "%d are here; without all it can only be read",
			   l->image, info.raid_disks, info.active_disks);
		return false;
	}
	return true;
}

/* Read the metadata of the group that the first disk belongs to. */
static bool read_group(struct layers *l, struct lvm *vg)
{
	for (unsigned int i = 0; i < l->disk_count; i++) {
		struct layers_disk *disk = &l->disks[i];
		struct probe found;
		struct device d;
		int err = 1;

		if (!disk->dev)
			continue;
		if (!device_look(&d, disk->dev, &found))
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
		   l->image);
	return false;
}

/* Is the volume called @name, which is VG/LV or LV? */
static bool is_called(const struct lvm_lv *lv, const char *name)
{
	return !strcmp(lv->name, name) ||
	       !strcmp(strchr(lv->name, '/') + 1, name);
}

static bool choose_volume(struct layers *l, const struct lvm *vg,
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
		if (l->lv ? is_called(&lv, l->lv) : !count) {
			*chosen = lv;
			found = true;
		}
		fprintf(f, "%s%s", count++ ? ", " : "", lv.name);
	}
	fclose(f);
	if (!l->lv && count > 1)
		found = false;
	if (!count)
		tool_error("volume group %s in '%s' has no volumes", vg->name,
			   l->image);
	else if (!found && l->lv)
		tool_error("'%s' has no logical volume '%s'; it has: %s",
			   l->image, l->lv, names);
	else if (!found)
		tool_error("'%s' has several logical volumes, choose one with "
			   "%s: %s",
			   l->image, l->dash_o ? "lv=" : "-L", names);
	free(names);
	return found;
}

/* Returns the device of a volume, or 0 when it has told @say why not. */
static uint32_t open_volume(struct layers *l, const struct lvm *vg,
			    const struct lvm_lv *lv,
			    void (*say)(const char *fmt, ...))
{
	struct table t = { 0 };
	uint32_t dev = 0;
	char reason[256];

	if (lvm_table(vg, lv, &t, reason, sizeof(reason)))
		dev = map_table(l, &t, lv->name);
	else
		say("cannot use %s in '%s': %s", lv->name, l->image, reason);
	table_free(&t);
	return dev;
}

/*
 * Open what the first disk holds until that is a file system, or unless @group
 * is NULL, a volume group.  Returns what it is, or NULL when it has said why
 * not.
 */
static bool descend(struct layers *l, struct device *d, struct probe *found,
		    struct lvm *group)
{
	struct lvm vg = { 0 };
	struct lvm_lv lv;
	bool ok = true;

	while (device_look(d, l->disks->dev, found)) {
		if (!layers_known(found))
			return true;
		device_close(d);
		if (l->count + l->disk_count >= LAYERS_MAX) {
			tool_error("'%s' is too deeply nested", l->image);
			return false;
		}
		if (!strcmp(found->type, "crypto_LUKS")) {
			ok = open_luks(l);
		} else if (!strcmp(found->type, "linux_raid_member")) {
			ok = open_array(l, found);
		} else if (group) {
			return read_group(l, group);
		} else {
			ok = read_group(l, &vg) && choose_volume(l, &vg, &lv);
			if (ok)
				l->disks->dev =
					open_volume(l, &vg, &lv, tool_error);
			ok = ok && l->disks->dev;
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

bool layers_open(struct layers *l, struct probe *found)
{
	struct device d;

	if (!descend(l, &d, found, NULL))
		return false;
	device_close(&d);
	return true;
}

/* One volume of a group; one that cannot be used is there, too. */
static void list_volume(struct layers *l, const struct lvm *vg,
			const struct lvm_lv *lv, struct volume *v)
{
	uint32_t dev = 0;
	struct device d;

	*v = (struct volume){ .size = lv->size };
	snprintf(v->name, sizeof(v->name), "%s", lv->name);
	if (l->count < LAYERS_MAX)
		dev = open_volume(l, vg, lv, tool_warn);
	v->dev = dev;
	if (dev && device_look(&d, dev, &v->found))
		device_close(&d);
}

struct volume *layers_list(struct layers *l, size_t *count)
{
	struct lvm_text list = { 0 };
	struct volume *all = NULL;
	struct lvm vg = { 0 };
	struct probe found;
	struct lvm_lv lv;
	struct device d;

	*count = 0;
	if (descend(l, &d, &found, &vg)) {
		if (!vg.buf) {
			all = tool_alloc(NULL, sizeof(*all));
			*all = (struct volume){ .size = d.size,
						.dev = d.dev,
						.found = found };
			*count = 1;
			device_close(&d);
		}
		while (vg.buf && lvm_next(&vg, &list, &lv)) {
			all = tool_alloc(all, (*count + 1) * sizeof(*all));
			list_volume(l, &vg, &lv, &all[(*count)++]);
		}
	}
	lvm_free(&vg);
	return all;
}

static long close_layer(const struct layers *l, unsigned int n)
{
	if (l->arrays[n])
		return lkl_sys_ioctl(l->fds[n], LKL_STOP_ARRAY, 0);
	return dm_remove(l->fds[n], n);
}

void layers_close(struct layers *l)
{
	struct __lkl__kernel_timespec pause = { .tv_nsec = 10000000 };
	long err;

	while (l->count) {
		unsigned int n = --l->count;

		for (int i = 0; i < CLOSE_TRIES; i++) {
			err = close_layer(l, n);
			if (err != -LKL_EBUSY)
				break;
			lkl_sys_nanosleep(&pause, NULL);
		}
		if (err)
			tool_error("cannot close the layers of '%s': %s",
				   l->image, lkl_strerror(err));
		lkl_sys_close(l->fds[n]);
	}
}
