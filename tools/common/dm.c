// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device of the device mapper is created, gets its table and is resumed.  The
 * table is the buffer of the ioctl that loads it, built target by target.
 */
#include <lkl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lkl/linux/dm-ioctl.h>
#include <lkl/linux/major.h>

#include "device.h"
#include "dm.h"
#include "tool.h"

/* The control device of the device mapper is misc device 236. */
#define CONTROL DEV(LKL_MISC_MAJOR, 236)

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

static long dm_ioctl(int fd, unsigned int command, unsigned int n,
		     struct lkl_dm_ioctl *dm, size_t size)
{
	*dm = (struct lkl_dm_ioctl){
		.version = { LKL_DM_VERSION_MAJOR },
		.data_size = size,
		.data_start = sizeof(*dm),
		.target_count = dm->target_count,
		.flags = dm->flags,
	};
	snprintf(dm->name, sizeof(dm->name), "layer%u", n);
	return lkl_sys_ioctl(fd, command, (unsigned long)dm);
}

int dm_create(struct table *t, unsigned int n, bool readonly, uint32_t *dev)
{
	unsigned int mode = readonly ? LKL_DM_READONLY_FLAG : 0;
	struct lkl_dm_ioctl dm = { 0 }, *load = (void *)t->buf;
	int fd = device_node(LKL_S_IFCHR, CONTROL, LKL_O_RDWR);
	long err;

	if (fd < 0)
		return fd;
	err = dm_ioctl(fd, LKL_DM_DEV_CREATE, n, &dm, sizeof(dm));
	if (!err) {
		*dev = dm.dev;
		load->target_count = t->count;
		load->flags = mode | LKL_DM_SECURE_DATA_FLAG;
		err = dm_ioctl(fd, LKL_DM_TABLE_LOAD, n, load, t->len);
		dm.flags = mode;
		if (!err)
			err = dm_ioctl(fd, LKL_DM_DEV_SUSPEND, n, &dm,
				       sizeof(dm));
		if (!err)
			return fd;
		dm_ioctl(fd, LKL_DM_DEV_REMOVE, n, &dm, sizeof(dm));
	}
	lkl_sys_close(fd);
	return err;
}

long dm_remove(int fd, unsigned int n)
{
	struct lkl_dm_ioctl dm = { 0 };

	return dm_ioctl(fd, LKL_DM_DEV_REMOVE, n, &dm, sizeof(dm));
}
