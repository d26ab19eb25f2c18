// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices are opened through a node that has a name only for that moment.
 */
#include <lkl.h>
#include <unistd.h>

#include <lkl/linux/fs.h>

#include "device.h"
#include "tool.h"

int device_node(uint32_t type, uint32_t dev, int flags)
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
	d->fd = err = device_node(LKL_S_IFBLK, dev, LKL_O_RDONLY);
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
	int fd = probe_outline(device_read, d, d->size, 0);

	if (fd < 0)
		return false;
	probe_at(fd, 0, d->size, found);
	close(fd);
	return true;
}

bool device_look(struct device *d, uint32_t dev, struct probe *found)
{
	if (!device_open(d, dev))
		return false;
	if (look(d, found))
		return true;
	device_close(d);
	return false;
}
