// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device of the library's kernel as a file of the host's, through FUSE.
 *
 * A thread of the confined process serves the file system, which has a
 * directory with one file, and which the other process has mounted (view.c).
 * That is the only use of it, so names and attributes are kept for ever.
 */
#define FUSE_USE_VERSION 314
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <lkl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lkl/linux/fs.h>

#include "../common/device.h"
#include "../common/tool.h"
#include "device.h"

#define FILE_INO 2
#define FOREVER 1e9

/*
 * @device: the device
 * @fd: descriptor of the library's, to write as well
 * @failed: something could not be written
 */
struct shown {
	struct device device;
	int fd;
	char *name;
	bool readonly;
	struct fuse_session *session;
	pthread_t thread;
	bool failed;
};

static struct stat attributes(const struct shown *s, fuse_ino_t ino)
{
	struct stat st = {
		.st_ino = ino,
		.st_mode = S_IFDIR | 0500,
		.st_nlink = 2,
		.st_uid = getuid(),
		.st_gid = getgid(),
		.st_blksize = 4096,
	};

	if (ino == FILE_INO) {
		st.st_mode = S_IFREG | (s->readonly ? 0400 : 0600);
		st.st_nlink = 1;
		st.st_size = s->device.size;
		st.st_blocks = s->device.size / 512;
	}
	return st;
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct shown *s = fuse_req_userdata(req);
	struct fuse_entry_param e = {
		.ino = FILE_INO,
		.attr = attributes(s, FILE_INO),
		.attr_timeout = FOREVER,
		.entry_timeout = FOREVER,
	};

	if (parent == FUSE_ROOT_ID && !strcmp(name, s->name))
		fuse_reply_entry(req, &e);
	else
		fuse_reply_err(req, ENOENT);
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	const struct shown *s = fuse_req_userdata(req);
	struct stat st = attributes(s, ino);

	(void)fi;
	fuse_reply_attr(req, &st, FOREVER);
}

/* A program may set the times, or the size that the file has. */
static void on_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *to,
		       int which, struct fuse_file_info *fi)
{
	const struct shown *s = fuse_req_userdata(req);

	if (which & FUSE_SET_ATTR_SIZE &&
	    (unsigned long long)to->st_size != s->device.size)
		fuse_reply_err(req, EPERM);
	else
		on_getattr(req, ino, fi);
}

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct shown *s = fuse_req_userdata(req);

	if (ino != FILE_INO) {
		fuse_reply_err(req, EISDIR);
	} else if (s->readonly && (fi->flags & O_ACCMODE) != O_RDONLY) {
		fuse_reply_err(req, EROFS);
	} else {
		fi->keep_cache = 1;
		fuse_reply_open(req, fi);
	}
}

static void on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	const struct shown *s = fuse_req_userdata(req);
	char *buf = malloc(size);
	long n = -ENOMEM;

	(void)ino;
	(void)fi;
	if (buf)
		n = lkl_sys_pread64(s->fd, buf, size, off);
	if (n < 0)
		fuse_reply_err(req, -n);
	else
		fuse_reply_buf(req, buf, n);
	free(buf);
}

static void on_write(fuse_req_t req, fuse_ino_t ino, const char *buf,
		     size_t size, off_t off, struct fuse_file_info *fi)
{
	struct shown *s = fuse_req_userdata(req);
	long n = lkl_sys_pwrite64(s->fd, buf, size, off);

	(void)ino;
	(void)fi;
	if (n < 0) {
		s->failed = true;
		fuse_reply_err(req, -n);
	} else {
		fuse_reply_write(req, n);
	}
}

static void on_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
		     struct fuse_file_info *fi)
{
	struct shown *s = fuse_req_userdata(req);
	long err = lkl_sys_fsync(s->fd);

	(void)ino;
	(void)datasync;
	(void)fi;
	s->failed |= err;
	fuse_reply_err(req, -err);
}

static const struct fuse_lowlevel_ops ops = {
	.lookup = on_lookup,
	.getattr = on_getattr,
	.setattr = on_setattr,
	.open = on_open,
	.read = on_read,
	.write = on_write,
	.fsync = on_fsync,
};

static void *serve(void *arg)
{
	fuse_session_loop(arg);
	return NULL;
}

/* Take what is mounted, and start the thread. */
static bool start(struct shown *s, int fuse)
{
	char *argv[] = { (char *)tool_name, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	char path[32];

	snprintf(path, sizeof(path), "/dev/fd/%d", fuse);
	s->session = fuse_session_new(&args, &ops, sizeof(ops), s);
	fuse_opt_free_args(&args);
	if (!s->session || fuse_session_mount(s->session, path)) {
		close(fuse);
		tool_error("cannot use FUSE");
		return false;
	}
	if (!pthread_create(&s->thread, NULL, serve, s->session))
		return true;
	tool_error("cannot start a thread");
	return false;
}

static void clean_up(struct shown *s)
{
	if (s->session)
		fuse_session_destroy(s->session);
	lkl_sys_close(s->fd);
	device_close(&s->device);
	free(s->name);
	free(s);
}

struct shown *shown_new(uint32_t dev, const char *name, bool readonly, int fuse)
{
	struct shown *s = tool_alloc(NULL, sizeof(*s));

	*s = (struct shown){ .name = strdup(name), .readonly = readonly };
	if (!s->name)
		tool_no_memory();
	if (!device_open(&s->device, dev)) {
		close(fuse);
		free(s->name);
		free(s);
		return NULL;
	}
	s->fd = device_node(LKL_S_IFBLK, dev,
			    readonly ? LKL_O_RDONLY : LKL_O_RDWR);
	if (s->fd < 0) {
		tool_error("cannot open the device: %s", lkl_strerror(s->fd));
		close(fuse);
	} else if (start(s, fuse)) {
		return s;
	}
	clean_up(s);
	return NULL;
}

int shown_free(struct shown *s)
{
	bool failed;

	pthread_join(s->thread, NULL);
	failed = s->failed || (!s->readonly && lkl_sys_fsync(s->fd));
	clean_up(s);
	if (failed)
		tool_error("error writing to the device");
	return failed ? -1 : 0;
}
