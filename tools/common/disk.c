// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gives the library the disks of an image.
 */
#include <lkl.h>
#include <stddef.h>

#include "disk.h"
#include "overlay.h"
#include "sector.h"

long disk_add(struct disk *d)
{
	if (d->remote)
		d->disk = d->remote->disk;
	else
		d->disk.fd = d->fd;
	if (d->sector > DISK_SECTOR)
		d->sectors = sector_new(&d->disk, d->sector);
	d->id = lkl_disk_add(&d->disk);
	return d->id;
}

long disk_overlay(struct disk *d)
{
	struct lkl_disk disk = d->disk;

	d->overlay = overlay_new(&disk);
	if (!d->overlay)
		return -LKL_ENOMEM;
	lkl_disk_remove(d->disk);
	d->disk = disk;
	d->id = lkl_disk_add(&d->disk);
	return d->id;
}

struct disk disk_again(const struct disk *d)
{
	struct disk again = *d;

	again.disk = (struct lkl_disk){ 0 };
	again.id = -1;
	again.overlay = NULL;
	again.sectors = NULL;
	return again;
}

void disk_free(struct disk *d)
{
	overlay_free(d->overlay);
	sector_free(d->sectors);
}
