// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opens the disks of an image: files, block devices and NBD servers of the
 * host.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <lkl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "disk.h"
#include "tool.h"

#define LOCK_STEP_MS 20

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
static int open_file(struct disk *d, bool readonly, unsigned int ms)
{
	int flags = (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC;
	int lock = (readonly ? LOCK_SH : LOCK_EX) | LOCK_NB;
	int sector;

	/* O_EXCL: not a block device that the host has mounted */
	if (!readonly && !stat(d->file, &d->st) && S_ISBLK(d->st.st_mode))
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
	while (!d->locked && flock(d->fd, lock)) {
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

static int check_size(const struct disk *d)
{
	if (d->size >= DISK_SECTOR)
		return 0;
	tool_error("'%s' is empty", d->file);
	return -1;
}

int disk_open(struct disk *d, bool readonly, bool trust, unsigned int lock_ms)
{
	if (remote_is_uri(d->file)) {
		d->remote = remote_open(d->file);
		if (!d->remote)
			return -1;
	} else if (open_file(d, readonly, lock_ms)) {
		return -1;
	} else if (remote_format(d->fd)) {
		d->remote = remote_start(d->file, d->fd, readonly, trust);
		d->fd = -1;
		if (!d->remote)
			return -1;
	}
	if (d->remote)
		d->size = d->remote->size;
	if (d->remote && !d->sector)
		d->sector = d->remote->sector;
	return check_size(d);
}

int disk_serve(struct disk *d, bool readonly, bool trust, const char *socket)
{
	if (open_file(d, readonly, 0) || check_size(d))
		return -1;
	return remote_serve(d->file, d->fd, readonly, trust, socket);
}

int disk_look(struct disk *d)
{
	if (!d->remote || d->fd >= 0)
		return 0;
	d->fd = remote_outline(d->remote, d->sector);
	return d->fd < 0 ? -1 : 0;
}

int disk_close(struct disk *d, bool sync)
{
	int err = 0;

	disk_free(d);
	if (d->fd >= 0 && sync && fsync(d->fd)) {
		err = -errno;
		tool_file_error("cannot sync", NULL, d->file, err);
	}
	if (d->fd >= 0)
		close(d->fd);
	remote_close(d->remote);
	return err;
}
