// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks that are no raw files.
 *
 * An image in another format gets a qemu-nbd of its own, on a socket that
 * nobody else can reach and that has no name any more as soon as we are
 * connected.  qemu-nbd ends by itself when we disconnect, or die.  It holds the
 * writing end of a pipe, whose reading end tells us that it has ended, and all
 * is in the image.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe.h"
#include "qemu.h"
#include "remote.h"
#include "tool.h"

/* What tells the format of an image. */
#define DISK_START 128
#define SECTOR 512
/* Connections, of which the library makes no more. */
#define CLIENTS 8

bool remote_is_uri(const char *name)
{
	static const char *const schemes[] = { "nbd://", "nbds://",
					       "nbd+unix://", "nbds+unix://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		if (!strncmp(name, schemes[i], strlen(schemes[i])))
			return true;
	}
	return false;
}

const char *remote_format(int file)
{
	static const struct {
		const char *format;
		size_t offset;
		size_t len;
		const char *magic;
	} formats[] = {
		{ "qcow2", 0, 4, "QFI\xfb" },
		{ "vmdk", 0, 4, "KDMV" },
		{ "vmdk", 0, 4, "COWD" },
		{ "vmdk", 0, 21, "# Disk DescriptorFile" },
		{ "vhdx", 0, 8, "vhdxfile" },
		{ "vdi", 0x40, 4, "\x7f\x10\xda\xbe" },
	};
	char start[DISK_START] = "";
	ssize_t n = pread(file, start, sizeof(start), 0);

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		size_t end = formats[i].offset + formats[i].len;

		if (n >= (ssize_t)end &&
		    !memcmp(start + formats[i].offset, formats[i].magic,
			    formats[i].len))
			return formats[i].format;
	}
	return NULL;
}

static struct remote *connect_to(const char *uri, long *err)
{
	struct remote *r = tool_alloc(NULL, sizeof(*r));
	struct lkl_blk_limits limits = { .block_size = SECTOR };

	*r = (struct remote){ .file = -1, .server = -1 };
	*err = lkl_disk_nbd_open(&r->disk, uri);
	if (*err) {
		free(r);
		return NULL;
	}
	r->disk.ops->get_capacity(r->disk, &r->size);
	/* a server that takes small requests has not said that it is a disk */
	if (!r->disk.ops->get_limits(r->disk, &limits) &&
	    limits.block_size > SECTOR)
		r->sector = limits.block_size;
	return r;
}

struct remote *remote_open(const char *uri)
{
	long err;
	struct remote *r = connect_to(uri, &err);

	if (!r)
		tool_file_error("cannot connect to", NULL, uri, err);
	return r;
}

/* A socket that a server can be given; 0 or a negative error number. */
static int make_listener(const struct sockaddr_un *addr, int *fd)
{
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return -errno;
	if (bind(*fd, (const struct sockaddr *)addr, sizeof(*addr)) ||
	    listen(*fd, CLIENTS)) {
		close(*fd);
		return -errno;
	}
	return 0;
}

/* A server without a connection would wait and never end. */
static void end_server(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
	close(fd);
}

static struct remote *serve(const struct qemu *q, const char *dir)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char uri[sizeof(addr.sun_path) + 32];
	struct remote *r = NULL;
	int end[2], listener;
	long err;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/nbd", dir);
	snprintf(uri, sizeof(uri), "nbd+unix:///?socket=%s", addr.sun_path);
	err = make_listener(&addr, &listener);
	if (!err && pipe2(end, O_CLOEXEC)) {
		err = -errno;
		close(listener);
	}
	if (err) {
		tool_file_error("cannot open", NULL, q->name, err);
		return NULL;
	}
	if (!qemu_serve(q, listener, end[1])) {
		r = connect_to(uri, &err);
		if (!r) {
			end_server(&addr);
			tool_file_error("cannot connect to qemu-nbd for", NULL,
					q->name, err);
		}
	}
	close(listener);
	close(end[1]);
	unlink(addr.sun_path);
	if (r)
		r->server = end[0];
	else
		close(end[0]);
	return r;
}

struct remote *remote_start(const char *name, int file, bool readonly,
			    bool trust)
{
	char dir[] = "/tmp/lkl-XXXXXX";
	char *path = realpath(name, NULL);
	struct remote *r = NULL;
	struct qemu q = {
		.name = name,
		.path = path,
		.format = remote_format(file),
		.file = file,
		.readonly = readonly,
		.trust = trust,
	};

	if (!path || !mkdtemp(dir)) {
		tool_file_error("cannot open", NULL, name, -errno);
	} else {
		r = serve(&q, dir);
		rmdir(dir);
	}
	free(path);
	if (r)
		r->file = file;
	else
		close(file);
	return r;
}

static bool read_disk(void *handle, void *buf, size_t len, off_t pos)
{
	const struct lkl_disk *disk = handle;
	struct iovec iov = { buf, len };
	struct lkl_blk_req req = {
		.type = LKL_DEV_BLK_TYPE_READ,
		.sector = pos / SECTOR,
		.buf = &iov,
		.count = 1,
	};

	return disk->ops->request(*disk, &req) == LKL_DEV_BLK_STATUS_OK;
}

int remote_outline(struct remote *r, unsigned int sector)
{
	return probe_outline(read_disk, &r->disk, r->size, sector);
}

void remote_close(struct remote *r)
{
	char byte;

	if (!r)
		return;
	lkl_disk_nbd_close(&r->disk);
	if (r->server >= 0) {
		while (read(r->server, &byte, 1) < 0 && errno == EINTR)
			;
		close(r->server);
	}
	if (r->file >= 0)
		close(r->file);
	free(r);
}
