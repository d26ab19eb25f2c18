// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directories of the host: a virtio-fs device, and a FUSE server for it in this
 * process.
 *
 * The kernel's own client mounts the device.  It sends requests of the FUSE
 * protocol through the rings, which threads of the device serve with system
 * calls of the host (hostdir/).  A device belongs to its mount, and goes with
 * it or with the kernel.
 *
 * Nothing outside of the directory can be reached: each file is found from the
 * directory's descriptor by openat2() of the host, which stays beneath it and
 * follows no link.  Links are text for the server; the library's kernel follows
 * them, in its own tree.
 */
#include <errno.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lkl.h>
#include <lkl/linux/virtio_ids.h>
#include "hostdir/hostdir.h"

static struct hostdir *to_hostdir(struct lkl_vdev *vdev)
{
	return (struct hostdir *)((char *)vdev -
				  offsetof(struct hostdir, vdev));
}

static void hostdir_kick(struct lkl_vdev *vdev, unsigned int queue)
{
	struct hostdir *h = to_hostdir(vdev);

	__atomic_store_n(&h->quiet, 0, __ATOMIC_SEQ_CST);
	hostdir_pool_kick(h, queue);
}

static void hostdir_drain(struct lkl_vdev *vdev)
{
	hostdir_pool_quiet(to_hostdir(vdev));
}

static void hostdir_stop(struct lkl_vdev *vdev)
{
	struct hostdir *h = to_hostdir(vdev);

	hostdir_pool_stop(h);
	handles_clear(h);
	nodes_end(h);
}

static int hostdir_start(struct lkl_vdev *vdev)
{
	struct hostdir *h = to_hostdir(vdev);

	if (nodes_begin(h) && hostdir_pool_start(h))
		return 0;
	hostdir_stop(vdev);
	return -LKL_EAGAIN;
}

static void hostdir_forked(struct lkl_vdev *vdev)
{
	struct hostdir *h = to_hostdir(vdev);

	handles_forked(h);
	close(h->root);
}

static void hostdir_free(struct lkl_vdev *vdev)
{
	struct hostdir *h = to_hostdir(vdev);

	close(h->root);
	free(h->handles.slots);
	free(h);
}

static const struct lkl_vdev_ops hostdir_ops = {
	.start = hostdir_start,
	.stop = hostdir_stop,
	.free = hostdir_free,
	.drain = hostdir_drain,
	.kick = hostdir_kick,
	.forked = hostdir_forked,
};

/* The device of a directory that is open, which it has from here on. */
static struct hostdir *new_device(int root, unsigned int flags)
{
	static unsigned int count;
	struct hostdir *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->root = root;
	h->readonly = flags & LKL_MS_RDONLY;
	h->uid = geteuid();
	h->gid = getegid();
	h->privileged = !h->uid;
	h->vdev.ops = &hostdir_ops;
	h->vdev.kind = "lkl-hostdir";
	h->vdev.temporary = true;
	h->vdev.queues = h->virtqs;
	h->vdev.dev.id = LKL_VIRTIO_ID_FS;
	h->vdev.dev.queues = QUEUES;
	h->vdev.dev.queue_size = QUEUE_SIZE;
	h->vdev.dev.config = &h->config;
	h->vdev.dev.config_len = sizeof(h->config);
	snprintf((char *)h->config.tag, sizeof(h->config.tag), "hostdir%u",
		 __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED));
	h->config.num_request_queues = 1;
	return h;
}

/* Open the directory, by a call that shows that this host has openat2(). */
static int open_root(const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
	};
	int fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* Make a directory of the library's kernel, and those above it. */
static int make_dirs(const char *path)
{
	char *copy = strdup(path), *slash;
	int err = copy ? 0 : -LKL_ENOMEM;

	for (slash = copy; slash && !err;) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = 0;
		err = *copy ? lkl_sys_mkdir(copy, 0755) : 0;
		/* one that cannot be written to may have it */
		if (err == -LKL_EEXIST || err == -LKL_EROFS)
			err = 0;
		if (slash)
			*slash = '/';
	}
	free(copy);
	return err;
}

/* By what a device is found again: the number of its file system. */
static const void *number_of(const char *path, int *err)
{
	struct lkl_stat st;

	*err = lkl_sys_stat(path, &st);
	return *err ? NULL : (const void *)(uintptr_t)st.st_dev;
}

static int mount_device(struct hostdir *h, const char *path, unsigned int flags)
{
	int err = lkl_vdev_add(&h->vdev);

	if (err < 0) {
		hostdir_free(&h->vdev);
		return err;
	}
	err = lkl_sys_mount((char *)h->config.tag, (char *)path, "virtiofs",
			    flags, NULL);
	if (!err) {
		h->vdev.back = number_of(path, &err);
		if (err)
			lkl_sys_umount2(path, LKL_MNT_DETACH);
	}
	if (err)
		lkl_vdev_remove(&h->vdev);
	return err;
}

int lkl_mount_hostdir(const char *hostdir, const char *path, unsigned int flags)
{
	struct hostdir *h;
	int err, root;

	if (!lkl_is_running())
		return -LKL_ENOSYS;
	root = open_root(hostdir);
	if (root < 0)
		return root;
	err = make_dirs(path);
	h = err ? NULL : new_device(root, flags);
	if (h)
		return mount_device(h, path, flags);
	close(root);
	return err ? err : -LKL_ENOMEM;
}

int lkl_umount_hostdir(const char *path)
{
	const void *number;
	int err;

	number = number_of(path, &err);
	if (!err)
		err = lkl_sys_umount2(path, 0);
	return err ? err : lkl_vdev_remove_front(number);
}
