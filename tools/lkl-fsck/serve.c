// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device of an image that nobody trusts: the confined process that has it.
 */
#include <lkl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lkl/linux/fs.h>

#include "../common/device.h"
#include "../common/kernel.h"
#include "../common/link.h"
#include "../common/tool.h"
#include "device.h"
#include "serve.h"

#define UNMOUNT_MS 10000
#define MOUNT_POINT "/mnt"
#define READ_MAX 4096
#define REQUEST_MAX (64 << 10)

/*
 * Have the kernel replay the journal; a check will tell what it could not.
 * Returns whether there was something to be replayed: xfs writes to its log in
 * any case.
 */
static bool replay(const struct image *img)
{
	kernel_clear_log();
	lkl_sys_unlinkat(LKL_AT_FDCWD, "/disk0", 0);
	lkl_sys_mknodat(LKL_AT_FDCWD, "/disk0", S_IFBLK | 0600,
			img->disks->dev);
	lkl_sys_mkdirat(LKL_AT_FDCWD, MOUNT_POINT, 0700);
	if (!lkl_sys_mount("/disk0", MOUNT_POINT, (char *)img->type,
			   LKL_MS_RDONLY, NULL))
		lkl_umount_timeout(MOUNT_POINT, 0, UNMOUNT_MS);
	return kernel_said("Starting recovery");
}

static bool read_part(const struct image *img, const struct message *m,
		      struct message *reply)
{
	char buf[READ_MAX];
	struct device d;
	uint32_t size;
	bool ok;

	if (m->size != sizeof(size))
		return false;
	memcpy(&size, m->text, sizeof(size));
	if (size > READ_MAX || !device_open(&d, img->disks->dev))
		return false;
	ok = device_read(&d, buf, size, m->number);
	device_close(&d);
	if (ok)
		message_add(reply, buf, size);
	return ok;
}

static bool show(const struct image *img, struct message *m,
		 struct shown **shown)
{
	int fuse = m->fds[0];

	m->fds[0] = -1;
	if (*shown || fuse < 0 || !m->size)
		return false;
	*shown = shown_new(img->disks->dev, m->text, m->number, fuse);
	return *shown;
}

static bool serve(struct image *img, struct message *m, struct message *reply,
		  struct shown **shown)
{
	struct shown *s = *shown;
	int changed;

	switch (m->what) {
	case ASK_SHOW:
		return show(img, m, shown);
	case ASK_HIDE:
		*shown = NULL;
		return s && !shown_free(s);
	case ASK_REPLAY:
		reply->number = replay(img);
		return true;
	case ASK_READ:
		return read_part(img, m, reply);
	case ASK_CHANGED:
		changed = image_changed(img);
		reply->number = changed > 0;
		return changed >= 0;
	case ASK_COMMIT:
		return !image_commit(img);
	default:
		return false;
	}
}

int device_side_run(const struct device_side *side, struct image *img)
{
	struct message m, reply = message_new(0);
	struct shown *shown = NULL;
	bool going;

	message_add_text(&reply, img->type);
	reply.number = img->count;
	going = link_send(side->socket, &reply);
	message_free(&reply);
	while (going && tool_wait_input(side->socket) &&
	       link_receive(side->socket, REQUEST_MAX, &m)) {
		reply = message_new(0);
		reply.status = !serve(img, &m, &reply, &shown);
		going = link_send(side->socket, &reply);
		message_free(&reply);
		message_free(&m);
	}
	/* the other has died, or a signal ends both, and nothing is kept */
	if (shown)
		tool_exit(TOOL_FAILED);
	return TOOL_OK;
}
